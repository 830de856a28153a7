"""Suite ct-real: the public scans of abdomen and chest made noise-free, with the noise of a low dose drawn in the projections.

24 slices of 512 x 512 of each, 3 mm apart; 40 HU in the middle of the abdomen, 40 HU on average in the soft tissue of the chest.
The truths are made once (`truth`) and kept in the cache, which takes minutes; the cases of one scan differ by their noise and
how much of it adjacent slices share, not by the patient: their intervals say what another scan of the same patient would change.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import place_discs, put_in
from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.real_scans import RECIPES, folder_of, image_of, needed, noise_of, read_real
from demottle.benchmark.suites.store import kept, kept_as
from demottle.benchmark.suites.truth import make_truth
from demottle.image import Image, Voxels
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices

FIRST, LAST = 20, 44
QUICK_LAST = 26
SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 6000
GROUPS: Mapping[str, Mapping[str, Any]] = {
    "abdomen, rho 0.12": {"scan": "abdomen", "rho": 0.12},
    "chest, rho 0.28": {"scan": "chest", "rho": 0.28},
    "abdomen, rho 0.45": {"scan": "abdomen", "rho": 0.45},
    "chest, rho 0.45": {"scan": "chest", "rho": 0.45},
}


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases, the first of every scan and correlation first.

    Raises:
        InputError: without the folder of the public scans.
    """
    groups = dict(list(GROUPS.items())[:2]) if choices.quick else GROUPS
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    common = {"first": FIRST, "last": QUICK_LAST if choices.quick else LAST, "path": str(needed(choices.real))}
    return numbered("ct-real", groups, common, count, FIRST_SEED)


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a case, or take it from the cache."""
    parts = kept(cache, spec, lambda: _drawn(spec, cache))
    z, y, x = (float(step) for step in parts["spacing"])
    plain = image_of(parts["plain"], (z, y, x))
    placed = place_discs(plain, spec.seed)
    truth = put_in(plain, placed)
    noisy = truth.with_voxels(np.rint(truth.voxels + parts["noise"]))
    return Case(spec, noisy, truth, plain, body_mask(truth), placed)


def _drawn(spec: CaseSpec, cache: Path) -> dict[str, Voxels]:
    recipe = spec.recipe
    scan = RECIPES[recipe["scan"]]
    truth = truth_of(recipe["scan"], recipe["first"], recipe["last"], folder_of(spec), cache)
    region = None
    if recipe["scan"] == "chest":
        region = body_mask(truth) & (truth.voxels > -150) & (truth.voxels < 200)
    unmixed = independent_noise(truth, scan.sigma, Scanner(kernel=scan.kernel), spec.seed, region=region)
    noise = mix_slices(unmixed, recipe["rho"])
    return {"plain": truth.voxels, "noise": noise, "spacing": np.array(truth.spacing, np.float32)}


def truth_of(name: str, first: int, last: int, folder: Path | None, cache: Path) -> Image:
    """The slices `first` to `last` (not included) of a public scan without noise, made now or before."""
    voxels, spacing = read_real(name, folder)

    def made() -> dict[str, Voxels]:
        return {"truth": make_truth(voxels, noise_of(name, voxels, cache), range(first, last))}

    return image_of(kept_as(cache, f"truth-{name}-{first}-{last}", made)["truth"], spacing)
