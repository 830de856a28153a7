"""Suite ct-unpaired: methods that are trained on low-dose scans and full-dose scans of other patients, and one new patient.

Body phantoms of 8 slices of 128 x 128: five patients at 40 HU, five others at 12 HU, and at 40 HU one of whom nothing was seen.
Methods that learn from the scan itself, and filters, see that one alone. Pairs (the bound) are the five at both doses.
"""

from pathlib import Path
from typing import Any

import numpy as np

from demottle.benchmark.suites import unpaired_cohort
from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import Placed
from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.store import kept
from demottle.image import Image, Voxels
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.phantoms.phantom import body_phantom

SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 4000
PATIENTS = 5
FULL = {"slices": 8, "size": 128, "spacing": [3.0, 2.8, 2.8], "low": 40.0, "full": 12.0, "rho": 0.2}
QUICK = {**FULL, "slices": 6, "size": 96, "spacing": [3.0, 3.7, 3.7]}
_APART = 100  # between the seeds of cohorts, so that no patient is in two


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cohorts, each with its new patient; with `cohort` those of `unpaired_cohort`."""
    if choices.cohort:
        return unpaired_cohort.specs(choices)
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    return numbered("ct-unpaired", {"40 HU": {}}, QUICK if choices.quick else FULL, count, FIRST_SEED, _APART)


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a cohort and its new patient, or take them from the cache."""
    if "cohort" in spec.recipe:
        return unpaired_cohort.build(spec, cache)
    parts = kept(cache, spec, lambda: _drawn(spec))
    truth, noisy = _image(spec, parts["truth"]), _image(spec, parts["noisy"])

    def sets(paired: bool) -> Any:
        from demottle.learning.data.dataset import Choices as Split
        from demottle.learning.data.dataset import entries_of, sets_of

        sides = ("low", "same") if paired else ("low", "full")
        names = [
            [(f"{'low' if paired else side}{n}", _image(spec, parts[f"{side}{n}"])) for n in range(PATIENTS)]
            for side in sides
        ]
        low, full = (entries_of(side) for side in names)
        where = cache / f"sets-{spec.key}-{'pairs' if paired else 'apart'}"
        return sets_of(low, full, where, Split(seed=spec.seed, paired=paired))

    return Case(spec, noisy, truth, truth, body_mask(truth, shrink=2), Placed(), sets)


def _image(spec: CaseSpec, voxels: Voxels) -> Image:
    spacing = tuple(spec.recipe["spacing"])
    return Image(voxels, spacing, "CT", "HU", slice_thickness=spacing[0])


def _drawn(spec: CaseSpec) -> dict[str, Voxels]:
    """Return `truth`, `noisy`: the new patient; `low0`...: low dose; `same0`...: these at full dose; `full0`...: the others."""
    recipe, seed = spec.recipe, spec.seed

    def scans(number: int, levels: dict[str, float]) -> dict[str, Voxels]:
        truth = body_phantom(recipe["slices"], recipe["size"], tuple(recipe["spacing"]), seed + number)
        noise = {
            name: simulate_noise(truth, sigma, recipe["rho"], seed=seed + number + 50 * place)
            for place, (name, sigma) in enumerate(levels.items())
        }
        return {"truth": truth.voxels, **{name: np.rint(truth.voxels + one) for name, one in noise.items()}}

    found = scans(0, {"noisy": recipe["low"]})
    for n in range(PATIENTS):
        one = scans(1 + n, {f"low{n}": recipe["low"], f"same{n}": recipe["full"]})
        other = scans(1 + PATIENTS + n, {f"full{n}": recipe["full"]})
        found |= {name: voxels for name, voxels in {**one, **other}.items() if name != "truth"}
    return found
