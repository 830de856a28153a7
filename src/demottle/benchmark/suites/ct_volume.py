"""Suite ct-volume: low-dose CT volumes whose neighboring slices share more or less of their noise.

Analytic bodies, 24 slices of 256 x 256, 1.5 mm pixels, 3 mm slices, quantum noise of 40 HU drawn in the projections. Every case
is another patient with other noise, so that cases are independent of each other, those of different correlation too.
"""

from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, numbered
from demottle.benchmark.suites.discs import place_discs, put_in
from demottle.benchmark.suites.judging import body_mask
from demottle.benchmark.suites.real import drawn, real_specs
from demottle.benchmark.suites.store import kept
from demottle.image import Image, Voxels
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.phantoms.phantom import body_phantom

CORRELATIONS = (0.12, 0.45, 0.0, 0.25)
"""Correlations of the noise of adjacent slices; in this order, so that what is there first spans the range."""
SEEDS, QUICK_SEEDS = 3, 1
FIRST_SEED = 1000
"""No setting of any method was chosen on patients from here on."""
FULL = {"slices": 24, "size": 256, "spacing": [3.0, 1.5, 1.5], "sigma": 40.0}
QUICK = {"slices": 12, "size": 160, "spacing": [3.0, 2.4, 2.4], "sigma": 40.0}


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the cases, the first of every correlation first, then those of real scans.

    Raises:
        InputError: where the folder of real scans holds none.
    """
    correlations = CORRELATIONS[:2] if choices.quick else CORRELATIONS
    count = choices.seeds or (QUICK_SEEDS if choices.quick else SEEDS)
    groups = {f"rho {rho:g}": {"rho": rho} for rho in correlations}
    simulated = numbered("ct-volume", groups, QUICK if choices.quick else FULL, count, FIRST_SEED)
    return simulated if choices.real is None else (*simulated, *real_specs(choices.real, count))


def build(spec: CaseSpec, cache: Path) -> Case:
    """Make a case, or take it from the cache."""
    parts = kept(cache, spec, lambda: drawn(spec) if "real" in spec.recipe else _drawn(spec))
    z, y, x = (float(step) for step in parts["spacing"])
    plain = Image(parts["plain"], (z, y, x), "CT", "HU", slice_thickness=z)
    placed = place_discs(plain, spec.seed)
    truth = put_in(plain, placed)
    noisy = truth.with_voxels(np.rint(truth.voxels + parts["noise"]))
    return Case(spec, noisy, truth, plain, body_mask(truth), placed)


def _drawn(spec: CaseSpec) -> dict[str, Voxels]:
    recipe = spec.recipe
    plain = body_phantom(recipe["slices"], recipe["size"], tuple(recipe["spacing"]), spec.seed)
    noise = simulate_noise(plain, recipe["sigma"], recipe["rho"], seed=spec.seed)
    return {"plain": plain.voxels, "noise": noise, "spacing": np.array(plain.spacing, np.float32)}
