"""Every way to falsify a result that we know of fails the gate, and the honest results do not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.benchmark.suites.lies.forgeries import LIES, Lesion, Shown
from demottle.image import Image
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.scenes import Grid
from demottle.pipeline.run import denoise
from demottle.quality.check.consistency.whole import consistency
from demottle.quality.check.spots.spots import spot_map
from demottle.quality.check.whole import Check, check
from demottle.quality.gate import Gate, gate
from demottle.quality.truth.whole import against_truth

NOISE_HU = 20.0
PLACE = Lesion((5.0, 60.0, 56.0), 10.0, 35.0)
"""In the liver."""


@cache
def scan() -> tuple[Image, np.ndarray]:
    """Truth and noise of an abdomen: 11 slices of 128 x 128."""
    truth = region_phantom("abdomen", Grid(11, 128, (3.0, 2.0, 2.0)), 18)
    tissue = (truth.voxels > 0) & (truth.voxels < 100)
    return truth, simulate_noise(truth, NOISE_HU, 0.12, "standard", 18, region=tissue)


@cache
def honest() -> Shown:
    """As a good denoiser leaves it: a tenth of the fine noise, a third of the coarse, edges kept; air stays as it is."""
    truth, noise = scan()
    coarse = gaussian_filter(noise, (0, 1.5, 1.5))
    left = np.where(truth.voxels < -900, noise, 0.1 * noise + 0.25 * coarse)
    return Shown(truth.with_voxels(truth.voxels + noise), truth.with_voxels(truth.voxels + left), truth)


@cache
def checked() -> Check:
    return check(honest().before, honest().after)


def held(shown: Shown) -> Gate:
    """The gate with the part of the check that tells lies; the rest is that of the honest result."""
    found = replace(
        checked(), spots=spot_map(shown.before, shown.after), consistency=consistency(shown.before, shown.after)
    )
    return gate(found)


def test_the_honest_result_passes() -> None:
    shown = honest()
    verdict = gate(checked(), truth=against_truth(shown.before, shown.after, shown.truth, shown.truth.voxels > -500))
    assert verdict.passed, verdict.reasons


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_fails_the_gate(lie: str) -> None:
    verdict = held(LIES[lie](honest(), PLACE, 1))
    assert not verdict.passed


@pytest.mark.parametrize(
    "lie", ["lesion erased, 10 mm, 35 HU", "lesion invented, 10 mm, -35 HU", "neighboring slices exchanged"]
)
def test_with_a_truth_the_worst_patch_fails_where_the_mean_over_the_body_does_not(lie: str) -> None:
    shown = LIES[lie](honest(), PLACE, 1)
    compared = against_truth(shown.before, shown.after, shown.truth, shown.truth.voxels > -500)
    failed = {one.name for one in gate(checked(), truth=compared).failed}
    assert "truth_patch" in failed and "truth_rmse" not in failed


_MISSED = pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="a moved lesion and a dark one are just missed: see decision 54"
)


@pytest.mark.slow
@pytest.mark.parametrize("method", [None, "nl-bayes", pytest.param("matched-neighbors", marks=_MISSED)])
def test_lies_about_what_our_methods_make_fail_and_what_they_make_passes(method: str | None) -> None:
    truth, noise = scan()
    before = truth.with_voxels(np.rint(truth.voxels + noise))
    after = denoise(before, method=method, steps=60 if method == "matched-neighbors" else None).image
    shown = Shown(before, after, truth)
    made = gate(check(before, after))
    assert made.passed, made.reasons
    missed = [lie for lie, forge in LIES.items() if gate(_checked(forge(shown, PLACE, 1))).passed]
    assert not missed


def _checked(shown: Shown) -> Check:
    return check(shown.before, shown.after)
