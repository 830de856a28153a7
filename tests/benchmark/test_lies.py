"""The suite lies: halves apart, lesions as asked for, found where they are."""

from functools import cache

import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise
from tools.lies_page import curve, threshold

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.lies.forgeries import LIES, Lesion, Shown
from demottle.benchmark.suites.lies.ideal import observer_of, possible
from demottle.benchmark.suites.lies.losses import judged_spots, largest_false
from demottle.benchmark.suites.lies.suite import JUDGING, SMALL_MM, SMALL_TIMES, TUNING, judged, lesions_for, specs
from demottle.image import Image
from demottle.physics.ct.ct_noise import mix_slices, mixing_weights
from demottle.quality.check.spots.residue import residue_of
from demottle.quality.check.spots.spots import spot_map

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


@cache
def white() -> tuple[Image, Image]:
    """A body of 50 HU that fills the image, and 20 HU of white noise on it."""
    flat = np.full((9, 96, 96), 50.0, np.float32)
    grain = np.random.default_rng(5).standard_normal(flat.shape).astype(np.float32)
    return tuple(Image(flat + 20 * share * grain, (3, 1.2, 1.2), "CT", "HU") for share in (0.0, 1.0))  # type: ignore[return-value]


def test_an_ideal_observer_in_white_noise_sees_the_root_of_the_lesions_energy() -> None:
    truth, before = white()
    noise = residue_of(before, truth)
    assert noise is not None
    observer = observer_of(noise)
    for lesion in (Lesion((4.0, 48.0, 48.0), 6.0, 30.0), Lesion((4.0, 40.0, 55.0), 10.0, -15.0, "rod")):
        painted = lesion.painted(truth)
        expected = float(np.sqrt((painted.astype(np.float64) ** 2).sum())) / 20
        assert observer.separation(painted) == pytest.approx(expected, rel=0.1)
    assert 4 < observer.threshold(13.0) < observer.threshold(6.0) < 5.5


def test_noise_that_slices_share_hides_a_rod() -> None:
    """A rod of 20 mm over slices of 3 mm, whose noise is mixed (a, 1, a): its sum is noisier by 2 a + 1, at one variance."""
    truth, before = white()
    grain = np.random.default_rng(6).standard_normal((11, 96, 96)).astype(np.float32)
    mixed = before.with_voxels(50 + 20 * mix_slices(grain, 0.5))
    rod = Lesion((4.0, 48.0, 48.0), 8.0, 20.0, "rod").painted(truth)
    residues = (residue_of(image, truth) for image in (before, mixed))
    alone, shared = (observer_of(one).separation(rod) for one in residues if one is not None)
    side, middle, _ = mixing_weights(0.5)
    assert shared == pytest.approx(alone / (2 * side + middle), rel=0.15)


def test_the_chance_of_being_found_is_half_at_the_threshold_and_rises() -> None:
    assert possible(5.0, 5.0) == 0.5
    assert possible(2.0, 5.0) < 0.01 and possible(8.0, 5.0) > 0.99


def test_a_spot_is_real_where_the_result_lacks_what_is_in_truth_and_a_false_alarm_where_it_was_noise() -> None:
    blob = Lesion((4.0, 84.0, 62.0), 8.0, 70.0).painted(SHOWN.before)
    lost = Shown(ct(SHOWN.before.voxels + blob), SHOWN.after, ct(TRUTH + blob))
    noisy = Shown(ct(SHOWN.before.voxels + blob), SHOWN.after, SHOWN.truth)
    for shown, real in ((lost, True), (noisy, False)):
        found = spot_map(shown.before, shown.after)
        assert found is not None and found.spots
        spots = judged_spots(shown, found)
        assert spots[0]["real"] is real and spots[0]["told"] > 30
        assert (spots[0]["true"] > 30) is real
        assert (largest_false(found, spots) > 1) is not real


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
