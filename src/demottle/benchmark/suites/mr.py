"""Suite mr: heads in MR whose magnitude images have Rician noise of 5, 7 or 9 % of the largest signal.

The analytic brain, T1-weighted, 24 slices of 192 x 192, 1.15 mm pixels, 2 mm slices. Errors are in percent of the truth's largest
signal, which is also PSNR's range (a property of the phantom, the same for everybody), inside the head.
"""

from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import Placed
from demottle.benchmark.suites.judging import Figures, body_mask
from demottle.benchmark.suites.store import kept
from demottle.image import Image, Voxels
from demottle.physics.mr.noise import rician_scan
from demottle.physics.phantoms.brain import brain_phantom
from demottle.quality.truth.errors import bias, rmse, ssim

NOISE = (5.0, 9.0, 7.0)
"""Percent of the largest signal, in each part of the complex signal."""
SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 2000
FULL = {"slices": 24, "size": 192, "spacing": [2.0, 1.15, 1.15]}
QUICK = {"slices": 10, "size": 128, "spacing": [2.0, 1.8, 1.8]}
_HEAD = 0.1  # of the largest signal
_DARK = 0.3


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases, the first of every level first."""
    levels = NOISE[:2] if choices.quick else NOISE
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    groups = {f"{level:g} %": {"percent": level} for level in levels}
    return numbered("mr", groups, QUICK if choices.quick else FULL, count, FIRST_SEED)


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a case, or take it from the cache."""
    parts = kept(cache, spec, lambda: _drawn(spec))
    spacing = tuple(spec.recipe["spacing"])
    truth, noisy = (
        Image(parts[name], spacing, "MR", "a.u.", slice_thickness=spacing[0]) for name in ("truth", "noisy")
    )
    head = body_mask(truth, shrink=2, threshold=_HEAD * float(truth.voxels.max()))
    return Case(spec, noisy, truth, truth, head, Placed())


def judge(case: Case, image: Image) -> Figures:
    """Measure one result: `psnr` in dB, `rmse` and `bias` in percent of the largest signal, `ssim` from 0 to that signal.

    `bias_dark`: mean error where the truth is below 30 % of the largest signal, in percent: what is left of Rician noise's bias.
    """
    truth, head, got = case.truth.voxels, case.body, image.voxels
    largest = float(truth.max())
    error = rmse(got, truth, head)
    dark = head & (truth < _DARK * largest)
    return {
        "psnr": None if error == 0 else float(20 * np.log10(largest / error)),
        "rmse": 100 * error / largest,
        "bias": 100 * bias(got, truth, head) / largest,
        "bias_dark": 100 * bias(got, truth, dark) / largest if dark.any() else None,
        "ssim": ssim(got, truth, head, (0.0, largest)),
    }


def _drawn(spec: CaseSpec) -> dict[str, Voxels]:
    recipe = spec.recipe
    truth = brain_phantom(recipe["slices"], recipe["size"], tuple(recipe["spacing"]), spec.seed).image
    return {"truth": truth.voxels, "noisy": rician_scan(truth, recipe["percent"], spec.seed).voxels}
