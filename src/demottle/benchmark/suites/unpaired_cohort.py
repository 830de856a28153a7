"""The larger cohort of suite ct-unpaired (`--cohort`): body phantoms of 4 slices of 320 x 320, and parts of the public scans.

Phantoms 0 to 4 are learned from at low dose, 5 to 9 at full dose; 12 to 14 are judged in turn. Settings were chosen on 10 and 11,
which are in no case. With the public scans, parts of four slices of 256 x 256 pixels, at least four slices (12 mm) apart, join in
on both sides and one of each scan is judged: other anatomy, but of the same two people. What is learned from is the same in all
cases; noise of the judged patient, split and learning follow from the case's seed. In the group "full dose + 20 HU" that is added
to every full-dose scan: the CT numbers of the result must not follow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import place_discs, put_in
from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.real_scans import RECIPES, image_of, noise_of, read_real
from demottle.benchmark.suites.store import kept, kept_as
from demottle.benchmark.suites.truth import make_truth
from demottle.image import Image, Voxels
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices, simulate_noise
from demottle.physics.phantoms.phantom import body_phantom

SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 7000
SLICES = 4
FULL = {
    "slices": SLICES,
    "size": 320,
    "spacing": [3.0, 1.1, 1.1],
    "low": 40.0,
    "full": 12.0,
    "rho": 0.2,
    "cohort": True,
}
QUICK = {**FULL, "size": 96, "spacing": [3.0, 3.7, 3.7]}
SHIFT_HU = 20.0
PHANTOMS = {"low": range(5), "full": range(5, 10)}
JUDGED = range(12, 15)
PARTS = {"low": (0, 3), "full": (1, 4)}
JUDGED_PART = 2
PART_SIDE, _PITCH, _MARGIN = 256, 8, 24
_SMOOTH = 1.0
_FIRST_PHANTOM = 100  # seed of phantom 0


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases; those of the public scans only where there is a folder of them."""
    groups: dict[str, dict[str, Any]] = {"phantom": {}, "full dose + 20 HU": {"shift": SHIFT_HU}}
    groups |= parts_of_scans(choices)
    common = recipe_of(choices)
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    return numbered("ct-unpaired", groups, common, count, FIRST_SEED)


def recipe_of(choices: Choices) -> dict[str, Any]:
    """What all cases of the cohort have in common."""
    sizes = QUICK if choices.quick else FULL
    return {**sizes, "real": False} if choices.real is None else {**sizes, "real": True, "path": str(choices.real)}


def parts_of_scans(choices: Choices) -> dict[str, dict[str, Any]]:
    """What is judged beside phantoms, by name: a part of each public scan, where there is a folder of them."""
    return {} if choices.real is None else {f"{name} part": {"judged": name} for name in RECIPES}


def judged_in(choices: Choices, group: str) -> list[tuple[str, dict[str, Any]]]:
    """A group of phantoms and, where there is a folder of scans, one of a part of each: names, and what each asks for."""
    return [(group, {}), *((f"{group}, {part}", judged) for part, judged in parts_of_scans(choices).items())]


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make the cohort and the judged patient, or take them from the cache."""
    parts = kept(cache, spec, lambda: _judged(spec, cache))
    z, y, x = (float(step) for step in parts["spacing"])
    plain = image_of(parts["plain"], (z, y, x))
    placed = place_discs(plain, spec.seed)
    truth = put_in(plain, placed)
    noisy = truth.with_voxels(np.rint(truth.voxels + parts["noise"]))

    def sets(paired: bool) -> Any:
        from demottle.learning.data.dataset import Choices as Split
        from demottle.learning.data.dataset import entries_of, sets_of

        low, full = entries_of(_side(spec, "low", cache)), entries_of(_side(spec, "same" if paired else "full", cache))
        where = cache / f"sets-{spec.key}-{'pairs' if paired else 'apart'}"
        return sets_of(low, full, where, Split(seed=spec.seed, paired=paired))

    return Case(spec, noisy, truth, plain, body_mask(truth, shrink=2), placed, sets)


def full_dose(spec: CaseSpec, cache: Path) -> Any:
    """Return the full-dose scans of a cohort alone, for who learns from nothing else."""
    from demottle.learning.data.dataset import Choices as Split
    from demottle.learning.data.dataset import entries_of, sets_of

    return sets_of(
        None, entries_of(_side(spec, "full", cache)), cache / f"sets-full-dose{mark_of(spec.recipe)}", Split()
    )


def mark_of(recipe: Mapping[str, Any]) -> str:
    """What a name in the cache has at its end where parts of real scans are learned from, too."""
    return "-real" if recipe.get("real") else ""


def _judged(spec: CaseSpec, cache: Path) -> dict[str, Voxels]:
    recipe = spec.recipe
    name = recipe.get("judged")
    number = JUDGED_PART if name else JUDGED[(spec.seed - FIRST_SEED) % len(JUDGED)]
    taller = {**recipe, "slices": recipe.get("judged_slices", recipe["slices"])}  # room for discs
    plain = _truth(taller, name, number, cache)
    noise = _noise(recipe, name, number, plain, recipe["low"], spec.seed, cache)
    return {"plain": plain.voxels, "noise": noise, "spacing": np.array(plain.spacing, np.float32)}


def _side(spec: CaseSpec, side: str, cache: Path) -> list[tuple[str, Image]]:
    """The scans of a side by name: "low", "full", or "same", the low-dose patients without noise."""
    recipe = spec.recipe
    who = "low" if side == "same" else side
    members: list[tuple[str | None, int]] = [(None, number) for number in PHANTOMS[who]]
    if recipe["real"]:
        members += [(name, number) for number in PARTS[who] for name in RECIPES]
    shift = np.float32(recipe.get("shift", 0.0) if side == "full" else 0.0)
    found = []
    for name, number in members:
        image = _truth(recipe, name, number, cache)
        if side != "same":
            image = _scan(recipe, name, number, image, side, cache)
        found.append((f"{name or 'phantom'}{number}", image.with_voxels(image.voxels + shift)))
    return found


def _truth(recipe: Mapping[str, Any], name: str | None, number: int, cache: Path) -> Image:
    """A patient without noise, whole HU: a phantom, or a part of the scan of that name."""
    if name is None:
        spacing = (recipe["spacing"][0], recipe["spacing"][1], recipe["spacing"][2])
        made = body_phantom(recipe["slices"], recipe["size"], spacing, seed=_FIRST_PHANTOM + number)
        return made.with_voxels(np.rint(made.voxels))
    voxels, spacing = read_real(name, _folder(recipe))
    box = _part_box(voxels, number)

    def made_of_scan() -> dict[str, Voxels]:
        starts = [max(0, side.start - _MARGIN) for side in box]
        wide = (slice(starts[0], box[0].stop + _MARGIN), slice(starts[1], box[1].stop + _MARGIN))
        truth = make_truth(voxels, noise_of(name, voxels, cache), _part_slices(number), wide)
        down, right = (slice(side.start - start, side.stop - start) for side, start in zip(box, starts, strict=True))
        return {"truth": np.rint(truth[:, down, right])}

    return image_of(kept_as(cache, f"truth-{name}-part{number}", made_of_scan)["truth"], spacing)


def _scan(recipe: Mapping[str, Any], name: str | None, number: int, truth: Image, side: str, cache: Path) -> Image:
    """A patient as a scan of that side shows it, whole HU; kept for all cases."""
    sigma = recipe[side]

    def made() -> dict[str, Voxels]:
        return {"scan": np.rint(truth.voxels + _noise(recipe, name, number, truth, sigma, number, cache))}

    size = f"{truth.shape[0]}x{truth.shape[1]}"
    return truth.with_voxels(kept_as(cache, f"cohort-{name or 'phantom'}{number}-{size}-{sigma:g}", made)["scan"])


def _noise(
    recipe: Mapping[str, Any], name: str | None, number: int, truth: Image, sigma: float, seed: int, cache: Path
) -> Voxels:
    """Noise in HU; of a part it is drawn in projections of the whole slices of the scan itself, smoothed."""
    if name is None:
        return simulate_noise(truth, sigma, recipe["rho"], seed=seed)
    voxels, spacing = read_real(name, _folder(recipe))
    chosen = voxels[_part_slices(number).start : _part_slices(number).stop]
    whole = image_of(np.stack([gaussian_filter(plane, _SMOOTH) for plane in chosen]), spacing)
    tissue = (whole.voxels > -150) & (whole.voxels < 200) & body_mask(whole)
    region = None if name == "abdomen" else tissue
    unmixed = independent_noise(whole, sigma, Scanner(kernel=RECIPES[name].kernel), seed, region=region)
    return mix_slices(unmixed, recipe["rho"])[(slice(None), *_part_box(voxels, number))]


def _part_slices(number: int) -> range:
    first = _PITCH * number + (_PITCH - SLICES) // 2
    return range(first, first + SLICES)


def _part_box(voxels: Voxels, number: int) -> tuple[slice, slice]:
    """Rows and columns of a part, around the middle of the body."""
    chosen = _part_slices(number)
    _, *inside = np.nonzero(voxels[chosen.start : chosen.stop] > -300)
    down, right = (
        int(np.clip(n.mean() - PART_SIDE / 2, 0, side - PART_SIDE))
        for n, side in zip(inside, voxels.shape[1:], strict=True)
    )
    return slice(down, down + PART_SIDE), slice(right, right + PART_SIDE)


def _folder(recipe: Mapping[str, Any]) -> Path | None:
    return Path(recipe["path"]) if "path" in recipe else None
