"""Suite ct-anatomies: regions, kernels, thicknesses and overlaps that CT has beside chest and abdomen.

Thirteen kinds of scan, 12 slices of at most 248 x 192 pixels each, cut from simulated patients (`physics.phantoms.regions`:
their tissues
have grain, their marrow trabeculae); quantum and electronic noise is drawn in projections of the whole patient. The kinds fall
into two halves BY NAME, which was written down before anything was tried on either: settings may be chosen on "tune: ..." only;
"judge: ..." says what they are worth. No patient is in both halves, and no kind in one has kernel, thickness, overlap and noise
of one in the other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import place_discs, put_in
from demottle.benchmark.suites.judging import Figures, body_mask, judge_ct
from demottle.benchmark.suites.store import kept
from demottle.image import Image, Voxels
from demottle.physics.ct.ct_noise import central_body, simulate_noise
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.regions.pelvis import METAL_HU
from demottle.physics.phantoms.scenes import Grid
from demottle.quality.truth.errors import rmse

SEEDS, QUICK_SEEDS = 1, 1
FIRST_SEED = 5000
SLICES, QUICK_SLICES = 12, 6


def _kind(
    region: str,
    spacing: tuple[float, float],
    size: int,
    cut: tuple[int, int, int, int],
    kernel: str,
    sigma: float,
    rho: float,
    from_mm: float = 0.0,
    shrink: float = 1.0,
) -> Mapping[str, Any]:
    """A recipe: slices and pixels in mm, pixels of the whole slice, first and last row and column of the part, noise in HU."""
    return {
        "region": region, "spacing": [spacing[0], spacing[1], spacing[1]], "size": size, "cut": list(cut),
        "kernel": kernel, "sigma": sigma, "rho": rho, "from_mm": from_mm, "shrink": shrink,
    }  # fmt: skip


TUNING: Mapping[str, Mapping[str, Any]] = {
    "tune: head, 3 mm": _kind("head", (3.0, 0.7), 304, (0, 192, 56, 248), "standard", 28, 0.45),
    "tune: chest, sharp, 1.25 mm": _kind("chest", (1.25, 0.95), 384, (96, 288, 180, 372), "sharp", 70, 0.3),
    "tune: child's abdomen, 2 mm": _kind("abdomen", (2.0, 1.1), 200, (4, 196, 4, 196), "soft", 25, 0.2, shrink=0.6),
    "tune: pelvis, 3 mm": _kind("pelvis", (3.0, 1.7), 232, (20, 212, 20, 212), "standard", 40, 0.1, 30),
    "tune: spine, 1 mm": _kind("abdomen", (1.0, 0.8), 444, (176, 368, 126, 318), "standard", 45, 0.5),
}
JUDGING: Mapping[str, Mapping[str, Any]] = {
    "judge: head, 0.6 mm": _kind("head", (0.6, 0.75), 296, (104, 296, 0, 192), "standard", 45, 0.6, 20),
    "judge: head, 5 mm": _kind("head", (5.0, 0.9), 246, (27, 219, 27, 219), "soft", 12, 0.0, -10),
    "judge: neck and shoulders, 2 mm": _kind("shoulders", (2.0, 1.9), 248, (60, 188, 0, 248), "standard", 70, 0.3),
    "judge: lung, sharp, 0.8 mm": _kind("chest", (0.8, 0.85), 436, (122, 314, 30, 222), "sharp", 100, 0.5, 40),
    "judge: child's chest, 1.5 mm": _kind(
        "chest", (1.5, 1.05), 194, (1, 193, 1, 193), "standard", 30, 0.2, shrink=0.55
    ),
    "judge: metal hip, 2.5 mm": _kind("metal hip", (2.5, 1.75), 224, (16, 208, 16, 208), "soft", 40, 0.12, -45),
    "judge: pelvis, 5 mm": _kind("pelvis", (5.0, 1.5), 260, (34, 226, 34, 226), "soft", 20, 0.0, -30),
    "judge: hip joint, 1.25 mm": _kind("pelvis", (1.25, 0.9), 434, (121, 313, 230, 422), "standard", 60, 0.4, -45),
}
DENSE_HU = 500.0
_FAT = (-130.0, -70.0)
_FEWEST_VOXELS = 200
_QUICK = ("tune: child's abdomen, 2 mm", "judge: child's chest, 1.5 mm")


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases, the tuning half first; a quick run has one of either half, with fewer slices."""
    every = {**TUNING, **JUDGING}
    groups = {name: every[name] for name in _QUICK} if choices.quick else every
    common = {"slices": QUICK_SLICES if choices.quick else SLICES}
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    return numbered("ct-anatomies", groups, common, count, FIRST_SEED)


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a case, or take it from the cache."""
    parts = kept(cache, spec, lambda: drawn(spec))
    z, y, x = (float(step) for step in spec.recipe["spacing"])
    plain = Image(parts["plain"], (z, y, x), "CT", "HU", slice_thickness=z)
    placed = place_discs(plain, spec.seed)
    truth = put_in(plain, placed)
    noisy = truth.with_voxels(np.rint(truth.voxels + parts["noise"]))
    return Case(spec, noisy, truth, plain, parts["body"] > 0, placed)


def judge(case: Case, image: Image) -> Figures:
    """Measure one result: as `judge_ct`, and what is special here.

    `shift_all_fat`: mean of output minus input in all fat of the body, thin layers at skin and skull included, which `shift_fat`
    leaves out; HU. `rmse_bone`: where the truth is above 500 HU; HU.
    """
    truth, body = case.truth.voxels, case.body
    fat = body & (truth > _FAT[0]) & (truth < _FAT[1])
    dense = body & (truth > DENSE_HU) & (truth < METAL_HU)
    moved = image.voxels - case.noisy.voxels
    return {
        **judge_ct(case, image),
        "shift_all_fat": float(moved[fat].mean(dtype=np.float64)) if fat.sum() > _FEWEST_VOXELS else None,
        "rmse_bone": rmse(image.voxels, truth, dense) if dense.sum() > _FEWEST_VOXELS else None,
    }


def drawn(spec: CaseSpec) -> dict[str, Voxels]:
    """Paint the patient, draw the noise of the whole, and cut the part out of both."""
    recipe = spec.recipe
    z, y, x = (float(step) for step in recipe["spacing"])
    grid = Grid(int(recipe["slices"]), int(recipe["size"]), (z, y, x))
    whole = region_phantom(recipe["region"], grid, spec.seed, recipe["shrink"], recipe["from_mm"])
    top, bottom, left, right = recipe["cut"]
    part = (slice(None), slice(top, bottom), slice(left, right))
    region = np.zeros(whole.shape, np.bool_)
    region[part] = central_body(whole)[part]
    if not region.any():  # the part lies beside the middle of the body
        region[part] = (whole.voxels[part] > -150) & (whole.voxels[part] < 200)
    noise = simulate_noise(whole, recipe["sigma"], recipe["rho"], recipe["kernel"], spec.seed, region=region)
    return {"plain": whole.voxels[part], "noise": noise[part], "body": body_mask(whole)[part].astype(np.float32)}
