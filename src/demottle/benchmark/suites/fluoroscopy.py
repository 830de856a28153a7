"""Suite fluoroscopy: runs of frames with quantum noise, at rest, with slow and fast motion, and panning.

The dynamic phantom, 24 quanta per pixel and frame, 15 frames per second. Stored numbers of 12 bits; PSNR over 4095, whole
frames from the tenth on. Every run is learned from by itself.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import Placed
from demottle.benchmark.suites.judging import Figures
from demottle.benchmark.suites.store import kept
from demottle.image import Image, Voxels
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.dynamic import Dynamic, dynamic_phantom
from demottle.physics.fluoroscopy.layers import Part

MOTIONS = ("slow", "fast", "static", "panning")
SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 3000
RANGE, FIRST_FRAME, RATE = 4095.0, 10, 15.0
FULL = {"size": 256, "frames": 48, "pixel": 200 / 512, "quanta": 24.0}
QUICK = {"size": 128, "frames": 24, "pixel": 200 / 512, "quanta": 24.0}


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases, the first of every motion first."""
    motions = MOTIONS[:2] if choices.quick else MOTIONS
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    groups = {motion: {"motion": motion} for motion in motions}
    return numbered("fluoroscopy", groups, QUICK if choices.quick else FULL, count, FIRST_SEED)


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a case, or take it from the cache."""
    parts = kept(cache, spec, lambda: _drawn(spec))
    pixel = spec.recipe["pixel"]
    clean, noisy = (
        Image(parts[name], (1 / RATE, pixel, pixel), "XA", "a.u.", sequence=True) for name in ("clean", "noisy")
    )
    return Case(spec, noisy, clean, clean, np.ones(clean.shape, np.bool_), Placed())


def judge(case: Case, image: Image) -> Figures:
    """Measure one result: `psnr` in dB, `rmse` and `bias` in stored numbers, `psnr_wire` over catheter and guidewire alone."""
    error = (image.voxels[FIRST_FRAME:] - case.truth.voxels[FIRST_FRAME:]).astype(np.float64)
    wires = _wires(case.spec)[FIRST_FRAME:]
    return {
        "psnr": _psnr(error),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "bias": float(error.mean()),
        "psnr_wire": _psnr(error[wires]) if wires.any() else None,
    }


def _psnr(error: NDArray[np.float64]) -> float | None:
    mean = float(np.mean(error**2))
    return None if mean == 0 else float(20 * np.log10(RANGE / np.sqrt(mean)))


def _wires(spec: CaseSpec) -> NDArray[np.bool_]:
    return np.asarray(_scene(spec).parts >= Part.CATHETER)


def _scene(spec: CaseSpec) -> Dynamic:
    recipe = spec.recipe
    return dynamic_phantom(recipe["frames"], recipe["size"], RATE, recipe["pixel"], spec.seed, motion=recipe["motion"])


def _drawn(spec: CaseSpec) -> dict[str, Voxels]:
    run = acquire(_scene(spec).image, Exposure(spec.recipe["quanta"]), spec.seed)
    return {"clean": run.clean.voxels, "noisy": run.noisy.voxels}
