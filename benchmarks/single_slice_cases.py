"""Single slices and thin stacks with uneven noise: real anatomy made noise-free, noise drawn in the projections.

Which slice is for tuning and which for judging was written down before anything was tried: all settings are chosen on slices of
the abdomen, and judged on slices of the chest, from the heart to the shoulders, where noise is most uneven.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cases import CACHE, RECIPES, Case, image_of, read_real, save
from benchmarks.truth import make_truth
from demottle.benchmark.judging import body_mask
from demottle.image import Image
from demottle.physics.ct_noise import Scanner, independent_noise, mix_slices
from demottle.physics.projection import Kernel

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
    """Build or load a case of 1, 2 or 3 slices around the middle one. Needs the public scans.

    The first case of an anatomy builds the truths of all of it, in minutes.
    """
    recipe = {**TUNING, **JUDGING}[name]
    truth = _truth(recipe, cache)
    path = Path(cache) / f"single-{name}-noise.npy"
    if not path.exists():
        soft = (truth.voxels > -150) & (truth.voxels < 200) & body_mask(truth)
        region = soft if recipe.anatomy == "chest" else None
        save(path, independent_noise(truth, recipe.sigma, Scanner(kernel=recipe.kernel), recipe.seed, region=region))
    noisy = np.rint(truth.voxels + mix_slices(np.load(path), RHO))
    part = {1: slice(1, 2), 2: slice(0, 2), 3: slice(0, 3)}[slices]
    picked, body = image_of(truth.voxels[part], truth.spacing), body_mask(truth)[part]
    text = f"{name}: {recipe.sigma:g} HU, {recipe.kernel} kernel, noise seed {recipe.seed}, {slices} of its slices"
    return Case(picked, image_of(noisy[part], truth.spacing), body, text)


def _truth(recipe: Recipe, cache: Path) -> Image:
    """Three slices without noise."""
    wanted = sorted(
        {one.slice + step for one in (*TUNING.values(), *JUDGING.values()) if one.anatomy == recipe.anatomy for step in (-1, 0, 1)}
    )
    path = Path(cache) / f"single-{recipe.anatomy}-truth.npy"
    voxels, spacing = read_real(recipe.anatomy)
    if not path.exists():
        how = RECIPES[recipe.anatomy]
        save(path, make_truth(voxels, how.own_rho, how.patch, wanted=wanted))
    first = wanted.index(recipe.slice - 1)
    return image_of(np.load(path, mmap_mode="r")[first : first + 3], spacing)
