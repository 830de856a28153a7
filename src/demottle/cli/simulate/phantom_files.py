"""What `demottle simulate phantom` writes: truth, scans and `truth.json`."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import demottle
from demottle import io
from demottle.events import Listener
from demottle.image import Image, ProcessingStep
from demottle.physics.ct.projection import Kernel
from demottle.physics.fluoroscopy.dynamic import Dynamic
from demottle.physics.fluoroscopy.layers import Part
from demottle.physics.mr.noise import rician_scan
from demottle.physics.phantoms.repeats import repeat_seed, repeated_scans
from demottle.physics.phantoms.scenes import Scene
from demottle.physics.phantoms.structures import GroundTruth

RECORD = "truth.json"
METHOD = "simulate-phantom"
_BODY_PART = {"body": "ABDOMEN"}  # the other kinds are not part of a body


@dataclass(frozen=True)
class Noise:
    """Noise of the scans: in HU in the middle of the phantom at the dose 1, share of that dose, correlation of adjacent
    slices, kernel, seed, how many.
    """

    sigma: float
    dose: float
    correlation: float
    kernel: Kernel
    seed: int
    repeats: int


def write_ct(folder: Path, kind: str, scene: Scene, noise: Noise, listener: Listener) -> list[str]:
    """Write a CT phantom into `folder`: truth, scan (or repeat-1, repeat-2, ...), the same without signal in absent/.

    Returns:
        The names of what was written, in the order in which a user reads them.
    """
    names, seeds = _series(folder, "", kind, scene.image, noise, 0, "Phantom", listener)
    settings: dict[str, Any] = {"noise": asdict(noise), "seeds": seeds, **scene.settings}
    if scene.absent is not None:
        absent, settings["absent_seeds"] = _series(
            folder, "absent/", kind, scene.absent, noise, 1, "Phantom without signal", listener
        )
        names += absent
    shape, spacing = scene.image.shape, scene.image.spacing
    truth = GroundTruth(kind, shape, spacing, scene.structures, scene.blur_mm, settings, scene.averaged)
    (folder / RECORD).write_text(truth.to_json())
    return [*names, RECORD]


@dataclass(frozen=True)
class MrNoise:
    """Noise of MR scans: percent of the largest signal, acquired share of k-space, unevenness, seed, how many."""

    percent: float
    acquired: float
    uneven: float
    seed: int
    repeats: int


def write_mr(folder: Path, kind: str, scene: Scene, noise: MrNoise, listener: Listener) -> list[str]:
    """Write an MR phantom into `folder` as NIfTI: truth, and scan (or repeat-1, repeat-2, ...) with Rician noise."""
    names, seeds = ["truth.nii.gz"], []
    io.write(scene.image, folder / names[0])
    for number in range(noise.repeats):
        seed = repeat_seed(noise.seed, number)
        scan = rician_scan(scene.image, noise.percent, seed, noise.acquired, noise.uneven, listener)
        names.append("scan.nii.gz" if noise.repeats == 1 else f"repeat-{number + 1}.nii.gz")
        io.write(scan, folder / names[-1])
        seeds.append(seed)
    settings: dict[str, Any] = {"noise": asdict(noise), "seeds": seeds}
    settings["sigma"] = float(scene.image.voxels.max()) * noise.percent / 100
    truth = GroundTruth(kind, scene.image.shape, scene.image.spacing, scene.structures, 0.0, settings)
    (folder / RECORD).write_text(truth.to_json())
    return [*names, RECORD]


def write_dynamic(folder: Path, made: Dynamic, seed: int) -> list[str]:
    """Write a fluoroscopy sequence: frames as NIfTI, flow and parts as .npy, where the wire's tip is in truth.json."""
    io.write(made.image, folder / "truth.nii.gz")
    np.save(folder / "flow.npy", made.flow)
    np.save(folder / "parts.npy", made.parts)
    settings = {
        "seed": seed,
        **made.facts,
        "parts": {part.name.lower(): int(part) for part in Part},
        "tip_pixels": made.tip.tolist(),
    }
    (folder / RECORD).write_text(
        GroundTruth("dynamic", made.image.shape, made.image.spacing, settings=settings).to_json()
    )
    return ["truth.nii.gz", "flow.npy", "parts.npy", RECORD]


def _series(
    folder: Path, prefix: str, kind: str, truth: Image, noise: Noise, group: int, title: str, listener: Listener
) -> tuple[list[str], list[int]]:
    """Write the truth and its scans; return their names and the seeds of the scans' noise."""
    _write(truth, folder / f"{prefix}truth", f"{title}, noise-free", kind)
    names, seeds = [f"{prefix}truth"], []
    made = repeated_scans(
        truth, noise.repeats, noise.sigma, noise.correlation, noise.seed, noise.kernel, group, listener, noise.dose
    )
    for number, (seed, scan) in enumerate(made, 1):
        name = "scan" if noise.repeats == 1 else f"repeat-{number}"
        description = f"{title}, low dose" if noise.repeats == 1 else f"{title}, low dose, repeat {number}"
        _write(scan, folder / f"{prefix}{name}", description, kind, noise, seed)
        names.append(f"{prefix}{name}")
        seeds.append(seed)
    return names, seeds


def _write(
    image: Image, path: Path, description: str, kind: str, noise: Noise | None = None, seed: int | None = None
) -> None:
    """Write one series that says what it is: simulated, of which phantom, with which noise."""
    settings: dict[str, Any] = {"phantom": kind}
    if noise is not None:
        settings |= {"noise": {name: getattr(noise, name) for name in ("sigma", "dose", "correlation", "kernel")}}
    step = ProcessingStep(METHOD, demottle.__version__, settings, seed)
    source = io.described(description, _BODY_PART.get(kind, ""))
    io.write(replace(image.with_voxels(image.voxels, step), source=source), path, format="dicom")
