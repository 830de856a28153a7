"""Suite nordic: complex MR series with known truth under `nordic`, with the phase left out, `mp-pca`, and patch-denoise.

Functional (100 volumes, block design) and diffusion series (66 volumes) of `physics.mr.series`, 12 x 64 x 64 voxels, g-factor 1
to 3. The Python peer `patch-denoise` competes where DEMOTTLE_PATCH_DENOISE names the interpreter of an environment that has it;
it is given the true noise, which demottle measures ("nordic") or is given ("nordic, noise given"). "turned" is the peer on series
whose phase was taken off by demottle. Times are of denoising alone. No setting was chosen on these seeds (those chosen: 900).
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding, numbered
from demottle.benchmark.suites.nordic_peer import METHODS, SERIES
from demottle.errors import InputError
from demottle.image import Image
from demottle.io.files.nifti_frames import frames_of, gaps, volumes_of
from demottle.methods.filters import mp_pca
from demottle.methods.low_rank import nordic
from demottle.methods.low_rank.phase import turning
from demottle.physics.mr.series import MrSeries, diffusion_series, functional_series

SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 1000
KINDS: Mapping[str, tuple[Callable[..., MrSeries], str, int, int]] = {
    "functional": (functional_series, "volumes", 100, 40),
    "diffusion": (diffusion_series, "directions", 60, 30),
}
"""By name: what makes a series, what its length is called, and that of a full and of a quick run."""
VARIABLE = "DEMOTTLE_PATCH_DENOISE"
PEER = "patch-denoise"
OURS: Mapping[str, Callable[[Image, Image, Image], Image]] = {
    "nordic": lambda image, given, alone: nordic.Nordic(nordic.NordicSettings(), {})(image),
    "nordic, noise given": lambda image, given, alone: nordic.Nordic(nordic.NordicSettings(), {})(given),
    "nordic, threshold": lambda image, given, alone: nordic.Nordic(nordic.NordicSettings(shrinkage="threshold"), {})(
        image
    ),
    "nordic, magnitude alone": lambda image, given, alone: nordic.Nordic(nordic.NordicSettings(), {})(alone),
    "mp-pca, magnitude alone": lambda image, given, alone: mp_pca.MpPca(mp_pca.MpPcaSettings(), {})(alone),
}
"""What each makes of the series, the series with its noise map, and the magnitudes alone."""


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return series of both kinds, the first of each first."""
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    groups = {kind: {"long": quick if choices.quick else full} for kind, (_, _, full, quick) in KINDS.items()}
    size = {"slices": 6, "size": 32} if choices.quick else {"slices": 12, "size": 64}
    return numbered("nordic", groups, size, count, FIRST_SEED)


def entrants() -> tuple[str, ...]:
    """The magnitudes as they are, demottle's methods, and the peer's where there is an interpreter for it."""
    peers = [f"{PEER} {method}, {series}" for series in SERIES for method in METHODS]
    return ("input", *OURS, *(peers if os.environ.get(VARIABLE) else []))


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Denoise one series and judge it.

    Raises:
        InputError: where the peer did not run.
    """
    make, length, *_ = KINDS[spec.group]
    recipe = spec.recipe
    series = make(**{length: recipe["long"], "slices": recipe["slices"], "size": recipe["size"], "seed": spec.seed})
    begun, cpu = time.monotonic(), time.process_time()
    if entrant == "input":
        return Finding(judge(series, np.abs(series.noisy)), cost={"seconds": 0.0, "cpu_seconds": 0.0})
    if entrant.startswith(PEER):
        found, seconds = of_peer(series, *entrant.removeprefix(PEER).strip().split(", "))
        return Finding(judge(series, found), cost={"seconds": seconds, "cpu_seconds": seconds})
    image = image_of(series)
    given = replace(image, maps={"noise": stacked(series.noise_map[None])[0]})
    out = OURS[entrant](image, given, replace(image, phase=None)).voxels
    spent = {"seconds": round(time.monotonic() - begun, 3), "cpu_seconds": round(time.process_time() - cpu, 3)}
    return Finding(judge(series, volumes_of(out, series.truth.shape[1]).transpose(3, 2, 1, 0)), cost=spent)


def of_peer(series: MrSeries, method: str, kind: str) -> tuple[NDArray[np.floating], float]:
    """Return what a method of the peer makes of the series as it is ("noisy") or "turned", and its processor seconds.

    Raises:
        InputError: where it did not run; the sentence has the end of what it said.
    """
    seen = series.noisy
    if kind == "turned":
        planes = (series.noisy[:, z] for z in range(len(series.head)))
        seen = np.stack([plane * turning(plane).conj() for plane in planes], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "series.npz", Path(folder) / "out.npz"
        np.savez(source, series=seen, noise=series.noise_map)
        script = str(Path(__file__).with_name("nordic_peer.py"))
        command = [os.environ.get(VARIABLE, ""), script, method, str(source), str(target)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            raise InputError(f"{PEER} did not run with {VARIABLE}: {said[-1] if said else error}") from error
        with np.load(target) as file:
            return np.abs(file["found"]), float(json.loads(str(file["seconds"])))


def judge(series: MrSeries, found: NDArray[np.floating]) -> dict[str, float | None]:
    """Measure one result (volumes, slices, rows, columns) in the head.

    `rmse`, `bias`: of magnitudes, in units of the noise where the g-factor is 1. `tsnr`: mean over deviation in time, median over
    the head. With a design: `beta`, the slope on it as a share of the truth's, over active voxels; `t`, the median of its t
    values there.
    """
    truth = np.abs(series.truth)
    error = (found - truth)[:, series.head]
    inside = found[:, series.head]
    told: dict[str, float | None] = {"rmse": float(np.sqrt(np.mean(error**2))), "bias": float(error.mean())}
    told["tsnr"] = float(np.median(inside.mean(axis=0) / inside.std(axis=0).clip(1e-9)))
    if series.active.any():
        design, active = series.design, series.active
        weight = float(design @ design)
        slopes = [design @ (values[:, active] - values[:, active].mean(axis=0)) / weight for values in (truth, found)]
        rest = found[:, active] - found[:, active].mean(axis=0) - np.outer(design, slopes[1])
        free = len(design) - 2
        told["beta"] = float(slopes[0] @ slopes[1] / (slopes[0] @ slopes[0]))
        told["t_active"] = float(np.median(slopes[1] / np.sqrt((rest**2).sum(axis=0) / free / weight)))
    return told


def image_of(series: MrSeries) -> Image:
    """The series as demottle reads it: magnitudes with their phase."""
    frames = stacked(np.abs(series.noisy))
    valid = gaps(frames.shape, series.truth.shape[1])
    return Image(frames, (2, 3, 3), "MR", valid=valid, sequence=True, phase=stacked(np.angle(series.noisy)))


def stacked(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Volumes (volumes, slices, rows, columns) as frames of an image."""
    frames: NDArray[np.float32] = frames_of(np.ascontiguousarray(values.transpose(3, 2, 1, 0), np.float32))
    return frames
