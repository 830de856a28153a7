"""The suite lies: halves apart, lesions as asked for, found where they are."""

import numpy as np
from tests.quality.phantoms import body, ct, noise
from tools.lies_page import curve, threshold

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.lies.forgeries import LIES, Lesion, Shown
from demottle.benchmark.suites.lies.suite import JUDGING, SMALL_MM, SMALL_TIMES, TUNING, judged, lesions_for, specs

TRUTH = body(8, 160)
GRAIN = noise(TRUTH.shape, 20)
SHOWN = Shown(ct(TRUTH + GRAIN), ct(TRUTH + 0.2 * GRAIN), ct(TRUTH))
TISSUE = (TRUTH > 0) & (TRUTH < 100)


def test_halves_share_no_seed_and_have_every_dose_with_every_correlation() -> None:
    every = specs(Choices())
    halves = [[spec for spec in every if spec.recipe["half"] == half] for half in (TUNING, JUDGING)]
    seeds = [{spec.seed for spec in half} for half in halves]
    assert not seeds[0] & seeds[1]
    for half in halves:
        assert len({(spec.recipe["sigma"], spec.recipe["rho"]) for spec in half}) == 20


def test_lesions_follow_from_the_seed_and_lie_in_soft_tissue() -> None:
    drawn = lesions_for(SHOWN.truth, TISSUE, 4.0, 7)
    assert drawn == lesions_for(SHOWN.truth, TISSUE, 4.0, 7) != lesions_for(SHOWN.truth, TISSUE, 4.0, 8)
    assert all(TISSUE[tuple(int(at) for at in one.place)] for one in drawn)
    assert [(one.diameter, abs(one.contrast)) for one in drawn[:3]] == [(SMALL_MM, SMALL_TIMES * 4.0)] * 3
    assert all(4 <= one.diameter <= 20 and 15 <= abs(one.contrast) <= 100 for one in drawn[3:])


def test_an_honest_result_scores_low_and_strong_lesions_high() -> None:
    found = judged(SHOWN, 3)
    assert found.said["honest"] < 1 and found.said["lost"] is False
    strong = [one["score"] for one in found.said["lesions"] if one["diameter"] > 9 and abs(one["contrast"]) > 40]
    assert strong and min(strong) > 1
    assert found.quality["lesions_caught"] is not None and 0 < found.quality["lesions_caught"] <= 1


def test_what_is_erased_is_taken_from_the_result_alone_and_a_lie_changes_nothing_else() -> None:
    lesion = Lesion((4.0, 84.0, 62.0), 8.0, 50.0)
    forged = LIES["lesion erased, 10 mm, 35 HU"](SHOWN, lesion, 0)
    assert np.array_equal(forged.after.voxels, SHOWN.after.voxels)
    assert np.isclose(np.abs(forged.before.voxels - SHOWN.before.voxels).max(), 35, rtol=1e-3)
    painted = lesion.painted(SHOWN.before)
    assert np.isclose(painted.max(), 50, rtol=1e-3) and painted[4, 84, 62] > 49 and not painted[0].any()


def test_a_threshold_lets_one_of_twenty_pass_and_a_curve_rises() -> None:
    assert threshold(np.arange(20.0)) == 18
    alarms, hits = curve(np.array([2.0, 3.0]), np.array([0.5, 1.0, 2.5]))
    assert (np.diff(alarms) >= 0).all() and (np.diff(hits) >= 0).all()
    assert hits[alarms == 0].max() == 0.5
