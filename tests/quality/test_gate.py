"""The gate lets good results pass, and names what is wrong with others."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, uniform_filter1d
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image, ProcessingStep
from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.whole import Check, check
from demottle.quality.gate import Gate, gate
from demottle.quality.limits import Limits, limits_from
from demottle.quality.truth.whole import against_truth
from demottle.quality.verdict import FAILED, NOT_ASKED, NOT_SHOWN, PASSED, UNKNOWN, Verdict
from demottle.quality.verdict import verdict as judged

TRUTH = body(12, 192)
GRAIN = noise(TRUTH.shape, 20)
BEFORE = ct(TRUTH + GRAIN)


def ours(voxels: np.ndarray) -> Image:
    """What says that demottle made it."""
    return replace(ct(voxels), history=(ProcessingStep("spectral-wiener", "1"),))


def held(after: np.ndarray, **limits: float | bool) -> Gate:
    return gate(check(BEFORE, ours(after)), limits_from(limits))


def kept_air(after: np.ndarray) -> np.ndarray:
    """As every method does: the air around the body stays as it is."""
    return np.where(TRUTH < -990, BEFORE.voxels, after)


def test_half_the_noise_removed_and_nothing_else_passes() -> None:
    found = held(kept_air(TRUTH + 0.5 * GRAIN))
    assert found.passed, found.reasons
    assert {v.status for v in found.verdicts} <= {PASSED, UNKNOWN}


def test_a_rise_of_what_slices_share_is_no_failure_where_hardly_any_noise_is_left() -> None:
    found = held(kept_air(TRUTH + 0.1 * uniform_filter1d(GRAIN, 3, axis=0)))
    (verdict,) = (v for v in found.verdicts if v.name == "slice_leak")
    assert verdict.value > verdict.limit and verdict.status == "not asked" and "too little" in verdict.why


def test_a_gate_has_three_states_and_says_what_they_rest_on() -> None:
    good = held(kept_air(TRUTH + 0.5 * GRAIN))
    assert good.state == "passed" and "warning" not in good.summary
    coarser = held(kept_air(TRUTH + 0.8 * gaussian_filter(GRAIN, (0, 0.6, 0.6))))
    assert (coarser.passed, coarser.state) == (True, "passed with warnings"), coarser.reasons
    assert "1 warning" in coarser.summary and coarser.to_dict()["state"] == coarser.state
    worse = held(kept_air(TRUTH + 1.1 * GRAIN))
    assert worse.state == "failed" and "2 failed" in worse.summary


@pytest.mark.parametrize(
    ("after", "name"),
    [
        (kept_air(TRUTH + 0.5 * GRAIN + 2), "ct_number_uniform"),
        (kept_air(np.where(np.abs(TRUTH - 220) < 20, TRUTH + 8, TRUTH) + 0.5 * GRAIN), "ct_number_other"),
        (TRUTH + 0.5 * GRAIN, "air"),
        (kept_air(TRUTH + 1.1 * GRAIN), "noise"),
        (kept_air(gaussian_filter(TRUTH + GRAIN, (0, 2.5, 2.5))), "edge_loss"),
        (kept_air(TRUTH + uniform_filter1d(GRAIN, 3, axis=0)), "slice_leak"),
    ],
)
def test_what_is_beyond_a_limit_fails_there_and_is_said_beside_its_limit(after: np.ndarray, name: str) -> None:
    found = held(after)
    assert not found.passed
    failed = {v.name: v for v in found.failed}
    assert name in failed
    verdict = failed[name]
    assert abs(verdict.value) > verdict.limit
    assert f"is {verdict.value:.3g}" in verdict.sentence and f"limit of {verdict.limit:g}" in verdict.sentence
    assert verdict.sentence in found.reasons
    others = held(after, **{name: False})
    assert name not in {v.name for v in others.verdicts}


def test_metal_that_was_touched_fails_and_where_there_is_none_nothing_is_said() -> None:
    (none,) = (v for v in held(TRUTH).verdicts if v.name == "metal")
    assert (none.status, none.why) == (UNKNOWN, "no metal in the scan")
    metal = TRUTH.copy()
    metal[:, 100:108, 100:108] = 3000
    before, after = ct(metal + GRAIN), ours(np.where(TRUTH < -990, metal + GRAIN, metal))
    verdict = next(v for v in gate(check(before, after)).verdicts if v.name == "metal")
    assert verdict.status == FAILED
    assert verdict.value == pytest.approx(20, rel=0.2)


def test_a_shift_that_chance_can_make_does_not_fail() -> None:
    """Beyond the limit, but in so little tissue that the interval reaches back over it."""
    found = check(BEFORE, ct(kept_air(TRUTH + 0.5 * GRAIN)))
    vessel = next(t for t in found.tissues if t.name == "enhanced vessel")
    assert vessel.ci_high - vessel.ci_low > 0
    limit = abs(vessel.shift) * 0.9
    assert gate(found, Limits(ct_number_other=limit, ct_number_uniform=None)).passed == (
        max(vessel.ci_low, -vessel.ci_high) <= limit
    )


SMALL = body(10, 128)
FINE = noise(SMALL.shape, 20)


def against_truth_of_small(before: np.ndarray, after: np.ndarray, **limits: float | bool) -> list[Gate]:
    """The verdict with limits, and with the defaults."""
    first, second = ct(before), ct(after)
    found, compared = check(first, second), against_truth(first, second, ct(SMALL), SMALL > -500)
    return [gate(found, limits_from(given), truth=compared) for given in (limits, {})]


def test_with_a_truth_a_result_farther_from_it_than_its_input_fails() -> None:
    """Half of the noise gone, but structure with it: what needs no truth sees less noise."""
    lost = SMALL + 0.5 * FINE + np.where(SMALL > 100, -300, 0).astype(np.float32)
    off, default = against_truth_of_small(SMALL + FINE, lost, truth_rmse=False)
    (verdict,) = (v for v in default.verdicts if v.name == "truth_rmse")
    assert verdict.status == FAILED and verdict.value > 1.5
    assert "truth_rmse" not in {v.name for v in off.verdicts}


def test_with_a_truth_the_error_of_a_tissue_counts_and_not_its_shift_alone() -> None:
    """The input is 3 HU off; a result that takes over its CT numbers has shifted nothing, and is off by as much."""
    inside = np.where(SMALL > -990, 3, 0)
    wide, default = against_truth_of_small(
        SMALL + inside + FINE, SMALL + inside + 0.5 * FINE, truth_uniform=4, truth_other=4, air=False
    )
    assert {v.name for v in default.failed} - {"air"} == {"truth_uniform", "truth_other"}
    assert wide.passed
    assert {v.status for v in wide.verdicts if v.name == "truth_rmse"} == {PASSED}


def test_without_hu_a_mean_is_held_against_the_range_of_values() -> None:
    before = Image(BEFORE.voxels + 1000, (3, 0.8, 0.8), "MR")
    span = float(np.ptp(np.percentile(before.voxels, [1, 99])))
    moved = gate(check(before, before.with_voxels(TRUTH + 1000 + 0.1 * span)))
    assert "mean_signal" in {v.name for v in moved.failed}
    assert not {"air", "metal", "ct_number_uniform"} & {v.name for v in moved.verdicts}


def test_the_dictionary_is_plain_json_and_holds_the_limits() -> None:
    told = json.loads(json.dumps(held(TRUTH + 3).to_dict(), allow_nan=False))
    assert told["passed"] is False
    assert told["limits"]["ct_number_uniform"] == 1
    assert {v["status"] for v in told["verdicts"]} <= {PASSED, NOT_SHOWN, FAILED, UNKNOWN}


def test_what_is_just_beyond_a_limit_is_told_apart_from_it() -> None:
    told = Verdict("noise", "noise after over noise before", 1.0004, 1.0, "", FAILED).sentence
    assert told == "the noise after over noise before is 1.0004, beyond the limit of 1"
    shift = Verdict("ct_number_uniform", "shift of the CT number, fat", -1.3, 1.0, "HU", FAILED).sentence
    assert "is -1.3 HU, beyond the limit of 1 HU" in shift


@pytest.mark.parametrize(
    ("shift", "low", "high", "status"),
    [
        (0.9, 0.2, 1.6, PASSED),
        (1.3, 0.6, 2.0, NOT_SHOWN),
        (-1.3, -2.0, -0.6, NOT_SHOWN),
        (1.3, 1.1, 1.5, FAILED),
        (-3.1, -4.6, -1.6, FAILED),
    ],
)
def test_a_mean_beyond_its_limit_fails_or_is_not_shown_but_never_passes(
    shift: float, low: float, high: float, status: str
) -> None:
    moved = TissueShift("fat", 9000, -100, -100 + shift, shift, low, high, equivalent=False)
    held = gate(replace(check(BEFORE, BEFORE), tissues=(moved,)))
    found = next(v for v in held.verdicts if "fat" in v.what)
    assert (found.status, found.interval) == (status, (low, high))
    assert (found in held.not_shown) == (status == NOT_SHOWN)
    assert held.passed == (status != FAILED)


@cache
def unchanged() -> Check:
    return check(BEFORE, BEFORE)


NUMBERS = st.floats(-50, 50)
WIDTHS = st.one_of(st.floats(0, 50), st.just(float("nan")), st.just(float("inf")))


@settings(deadline=None)
@given(shift=NUMBERS, below=WIDTHS, above=WIDTHS, limit=st.floats(0, 20), tissue=st.sampled_from(["fat", "bone"]))
def test_of_any_mean_and_interval_the_rule_holds(
    shift: float, below: float, above: float, limit: float, tissue: str
) -> None:
    """Within its limit it passes; beyond, it fails where all of its interval is, else it is not shown. It never passes there.

    Where an end of the interval is not known, nothing is shown.
    """
    low, high = shift - below, shift + above
    moved = TissueShift(tissue, 9000, 50 - shift, 50, shift, low, high, equivalent=False)
    held = gate(replace(unchanged(), tissues=(moved,)), Limits(ct_number_uniform=limit, ct_number_other=limit))
    (found,) = (v for v in held.verdicts if v.name.startswith("ct_number"))
    all_beyond = not np.isnan((low, high)).any() and (low > limit or high < -limit)
    assert (found.status == PASSED) == (abs(shift) <= limit)
    assert (found.status == FAILED) == (abs(shift) > limit and all_beyond)
    assert (found.status == NOT_SHOWN) == (abs(shift) > limit and not all_beyond)
    assert held.passed == (found.status != FAILED) and (found in held.not_shown) == (found.status == NOT_SHOWN)


@settings(deadline=None)
@given(value=NUMBERS, limit=st.floats(0, 20), sure=st.one_of(st.none(), st.floats(0, 1)))
def test_of_any_figure_what_is_beyond_its_limit_never_passes(value: float, limit: float, sure: float | None) -> None:
    """`sure` is the share of the figure's size that cannot be chance: the nearest that its interval comes to 0."""
    least = None if sure is None else sure * abs(value)
    (found,) = judged("noise", "a figure", value, limit, "", least)
    assert (found.status == PASSED) == (abs(value) <= limit)
    if abs(value) > limit:
        assert found.status == (FAILED if least is None or least > limit else NOT_SHOWN)


def test_air_of_another_programs_output_is_measured_and_not_asked_to_stay() -> None:
    after = TRUTH + 0.5 * GRAIN
    foreign = gate(check(BEFORE, ct(after)))
    assert foreign.passed, foreign.reasons
    air = next(v for v in foreign.verdicts if v.name == "air")
    assert air.status == NOT_ASKED and air.value > 5 and "demottle" in air.why
    assert not held(after).passed
