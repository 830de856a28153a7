"""Single slices and thin stacks with uneven noise: real anatomy made noise-free, noise drawn in the projections.

Which slice is for tuning and which for judging was written down before anything was tried: all settings are chosen on slices of
the abdomen, and judged on slices of the chest, from the heart to the shoulders, where noise is most uneven.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path

import numpy as np

from benchmarks.cases import CACHE, RECIPES, Case, image_of, read_real
from benchmarks.truth import make_truth, own_noise
from demottle.benchmark.suites.judging import body_mask
from demottle.image import Image
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices
from demottle.physics.ct.projection import Kernel

SIDE = 256
"""Rows and columns of the part of a slice that is used, around the middle of the body."""
RHO = 0.25
"""Noise correlation of neighboring slices, in stacks."""


@dataclass(frozen=True)
class Recipe:
    """One case.

    Attributes:
        anatomy: "abdomen" or "chest".
        slice: the middle one.
        sigma: noise in HU: in the middle of an abdomen, in all soft tissue of a chest.
        kernel: of the reconstruction.
        seed: of the noise.
    """

    anatomy: str
    slice: int
    sigma: float
    kernel: Kernel
    seed: int


TUNING: Mapping[str, Recipe] = {
    "abdomen-8": Recipe("abdomen", 8, 20.0, "soft", 700),
    "abdomen-20": Recipe("abdomen", 20, 40.0, "soft", 701),
    "abdomen-32": Recipe("abdomen", 32, 60.0, "standard", 702),
    "abdomen-44": Recipe("abdomen", 44, 30.0, "sharp", 703),
    "abdomen-56": Recipe("abdomen", 56, 40.0, "standard", 704),
}
JUDGING: Mapping[str, Recipe] = {
    "chest-3": Recipe("chest", 3, 20.0, "soft", 710),
    "chest-9": Recipe("chest", 9, 40.0, "standard", 711),
    "chest-15": Recipe("chest", 15, 30.0, "sharp", 712),
    "chest-21": Recipe("chest", 21, 60.0, "soft", 713),
    "chest-27": Recipe("chest", 27, 40.0, "soft", 714),
    "chest-33": Recipe("chest", 33, 20.0, "standard", 715),
    "chest-40": Recipe("chest", 40, 40.0, "standard", 716),
    "chest-47": Recipe("chest", 47, 30.0, "soft", 717),
    "chest-54": Recipe("chest", 54, 40.0, "sharp", 718),
    "chest-60": Recipe("chest", 60, 60.0, "standard", 719),
}


def load(name: str, slices: int = 1, cache: Path = CACHE) -> Case:
    """Build or load a case of 1, 2 or 3 slices, the middle one among them. Needs the public scans; minutes the first time."""
    recipe = {**TUNING, **JUDGING}[name]
    path = Path(cache) / f"single-{name}-{1 if slices == 1 else 3}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **_built(recipe, (0,) if slices == 1 else (-1, 0, 1)))
        part.replace(path)
    parts = np.load(path)
    part = slice(0, slices)
    truth, noisy = (Image(parts[key][part], tuple(parts["spacing"].tolist()), "CT", "HU") for key in ("truth", "noisy"))
    text = f"{name}: {recipe.sigma:g} HU, {recipe.kernel} kernel, noise seed {recipe.seed}, {slices} of its slices"
    return Case(truth, noisy, body_mask(truth), text)


def _built(recipe: Recipe, steps: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Cut truth and noisy slices out of the middle of the body; the noise is drawn in projections of whole slices."""
    voxels, spacing = read_real(recipe.anatomy)
    how = RECIPES[recipe.anatomy]
    slices = [recipe.slice + step for step in steps]
    whole = image_of(voxels[slices], spacing)  # its own noise hardly shows in line integrals
    bodies = body_mask(whole)
    soft = (whole.voxels > -150) & (whole.voxels < 200) & bodies
    region = soft if recipe.anatomy == "chest" else None
    noise = independent_noise(whole, recipe.sigma, Scanner(kernel=recipe.kernel), recipe.seed, region=region)
    rows, columns = (
        slice(max(0, int(middle) - SIDE // 2), max(0, int(middle) - SIDE // 2) + SIDE)
        for middle in (part.mean() for part in np.nonzero(bodies[len(steps) // 2]))
    )
    measured = _own_noise(recipe.anatomy)
    part = (rows, columns)
    truth = make_truth(voxels, how.own_rho, how.patch, workers=1, wanted=slices, part=part, measured=measured)
    noisy = np.rint(truth + mix_slices(noise, RHO)[:, rows, columns])
    return {"truth": truth.astype(np.float32), "noisy": noisy.astype(np.float32), "spacing": np.array(spacing)}


@remembered
def _own_noise(anatomy: str) -> tuple[np.ndarray, np.ndarray]:
    how = RECIPES[anatomy]
    return own_noise(read_real(anatomy)[0], how.own_rho, how.patch)
