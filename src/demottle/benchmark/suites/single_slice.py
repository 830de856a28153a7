"""Suite single-slice: single slices and thin stacks of real anatomy with uneven noise.

256 x 256 pixels of the public scans made noise-free (`truth`), with noise drawn in the projections of whole slices. Which is for
tuning and which for judging was written down before anything was tried: all settings are chosen on slices of the abdomen, and
judged on slices of the chest, from the heart to the shoulders, where noise is most uneven. The cases of a group share nothing but
the patient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices
from demottle.benchmark.suites.discs import Placed
from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.real_scans import folder_of, image_of, needed, noise_of, read_real
from demottle.benchmark.suites.store import kept_as
from demottle.benchmark.suites.truth import make_truth
from demottle.image import Voxels
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices
from demottle.physics.ct.projection import Kernel

SIDE = 256
"""Rows and columns of the part of a slice that is used, around the middle of the body."""
RHO = 0.25
"""Noise correlation of neighboring slices, in stacks."""


@dataclass(frozen=True)
class SliceRecipe:
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


TUNING: Mapping[str, SliceRecipe] = {
    "abdomen-8": SliceRecipe("abdomen", 8, 20.0, "soft", 700),
    "abdomen-20": SliceRecipe("abdomen", 20, 40.0, "soft", 701),
    "abdomen-32": SliceRecipe("abdomen", 32, 60.0, "standard", 702),
    "abdomen-44": SliceRecipe("abdomen", 44, 30.0, "sharp", 703),
    "abdomen-56": SliceRecipe("abdomen", 56, 40.0, "standard", 704),
}
JUDGING: Mapping[str, SliceRecipe] = {
    "chest-3": SliceRecipe("chest", 3, 20.0, "soft", 710),
    "chest-9": SliceRecipe("chest", 9, 40.0, "standard", 711),
    "chest-15": SliceRecipe("chest", 15, 30.0, "sharp", 712),
    "chest-21": SliceRecipe("chest", 21, 60.0, "soft", 713),
    "chest-27": SliceRecipe("chest", 27, 40.0, "soft", 714),
    "chest-33": SliceRecipe("chest", 33, 20.0, "standard", 715),
    "chest-40": SliceRecipe("chest", 40, 40.0, "standard", 716),
    "chest-47": SliceRecipe("chest", 47, 30.0, "soft", 717),
    "chest-54": SliceRecipe("chest", 54, 40.0, "sharp", 718),
    "chest-60": SliceRecipe("chest", 60, 60.0, "standard", 719),
}


STACKS = (1, 2, 3)


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the judged cases as 1, 2 and 3 slices, then those for tuning as one; `--seeds` takes the first of each.

    Raises:
        InputError: without the folder of the public scans.
    """
    count = choices.seeds or (1 if choices.quick else None)
    path = str(needed(choices.real))
    groups = [(f"judge, {n} slice{'s' if n > 1 else ''}", n, JUDGING) for n in STACKS] + [("tune, 1 slice", 1, TUNING)]
    return tuple(
        CaseSpec("single-slice", group, 100 * n + recipe.seed, {"name": name, "slices": n, "path": path}, place == 0)
        for group, n, recipes in groups
        for place, (name, recipe) in enumerate(list(recipes.items())[:count])
    )


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a case, or take it from the cache; where it has one slice that is the middle one, else those from below it on."""
    name, slices = spec.recipe["name"], int(spec.recipe["slices"])
    recipe = {**TUNING, **JUDGING}[name]
    steps = (0,) if slices == 1 else (-1, 0, 1)
    parts = kept_as(cache, f"single-{name}-{len(steps)}", lambda: _drawn(recipe, steps, folder_of(spec), cache))
    z, y, x = (float(step) for step in parts["spacing"])
    truth, noisy = (image_of(parts[key][:slices], (z, y, x)) for key in ("truth", "noisy"))
    return Case(spec, noisy, truth, truth, body_mask(truth), Placed())


def _drawn(recipe: SliceRecipe, steps: tuple[int, ...], folder: Path | None, cache: Path) -> dict[str, Voxels]:
    """Cut truth and noisy slices out of the middle of the body; the noise is drawn in projections of whole slices."""
    voxels, spacing = read_real(recipe.anatomy, folder)
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
    truth = make_truth(voxels, noise_of(recipe.anatomy, voxels, cache), slices, (rows, columns))
    noisy = np.rint(truth + mix_slices(noise, RHO)[:, rows, columns])
    return {"truth": truth, "noisy": noisy.astype(np.float32), "spacing": np.array(spacing, np.float32)}
