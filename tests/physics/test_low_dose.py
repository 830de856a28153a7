"""A scan at a lower dose: the right level, texture and correlation, and nothing else changed."""

from dataclasses import replace

import numpy as np
import pytest

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image
from demottle.noise.flat import flat_mask
from demottle.noise.level import local_deviation
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices
from demottle.physics.low_dose.scan import LowDose, LowDoseSettings

SIZE, PIXEL, SLICES = 128, 2.6, 16
SOFT = LowDoseSettings(kernel="soft", modulation=0.0)


def body(slices=SLICES, tissue=40.0):
    """An elliptic cylinder of soft tissue in air, noise-free."""
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    plane = np.where((at[:, None] / 95) ** 2 + (at[None] / 135) ** 2 < 1, tissue, -1000).astype(np.float32)
    return Image(np.stack([plane] * slices), (3, PIXEL, PIXEL), modality="CT", unit="HU", slice_thickness=3.0)


@pytest.fixture(scope="module")
def scan():
    """A scan with the noise of its dose; the tube works harder towards the end, as modulation along the axis does."""
    truth = body()
    noise = mix_slices(independent_noise(truth, 12.0, Scanner(angles=192), seed=1), 0.25)
    noise *= np.linspace(1.3, 0.8, SLICES, dtype=np.float32)[:, None, None]
    return truth.with_voxels(truth.voxels + noise)


@pytest.fixture(scope="module")
def quarter(scan):
    return LowDose(scan, 0.25, SOFT)


@pytest.fixture(scope="module")
def added(quarter):
    return quarter.noise(seed=3)


@pytest.fixture(scope="module")
def flat(scan):
    return flat_mask(scan)


def level(voxels, flat):
    return np.median(np.concatenate([local_deviation(plane)[where] for plane, where in zip(voxels, flat, strict=True)]))


@pytest.mark.parametrize(
    "dose", [0.25, pytest.param(0.5, marks=pytest.mark.slow), pytest.param(0.1, marks=pytest.mark.slow)]
)
def test_variance_becomes_that_of_the_scan_over_the_dose(scan, flat, dose):
    low = LowDose(scan, dose, replace(SOFT, electronic=0.0)).realization(seed=2)
    assert level(low.voxels, flat) == pytest.approx(level(scan.voxels, flat) / np.sqrt(dose), rel=0.03)


def test_electronic_noise_grows_faster_than_the_dose_falls(scan, flat):
    """With a share p of the scan's own variance, a tenth of the dose has 10 (1 - p) + 100 p times of it."""
    low = LowDose(scan, 0.1, replace(SOFT, electronic=20.0))
    share = low.calibration.electronic_share
    assert 0.01 < share < 0.3
    wanted = level(scan.voxels, flat) * np.sqrt(10 * (1 - share) + 100 * share)
    assert low.target == pytest.approx(wanted, rel=0.04)
    assert level(low.realization(seed=2).voxels, flat) == pytest.approx(wanted, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["soft", "standard", "match"])
@pytest.mark.parametrize("beam", ["parallel", "fan"])
def test_the_level_holds_for_any_kernel_and_beam(scan, flat, kernel, beam):
    low = LowDose(scan, 0.25, LowDoseSettings(kernel=kernel, beam=beam)).realization(seed=5)
    assert level(low.voxels, flat) == pytest.approx(2 * level(scan.voxels, flat), rel=0.03)


def test_every_part_of_the_scan_keeps_its_own_level(scan, added, flat):
    """Modulation along the axis is in the measured noise, so it needs no header."""
    for part in (slice(0, 5), slice(5, 11), slice(11, 16)):
        own = level(scan.voxels[part], flat[part])
        assert level(added[part], flat[part]) == pytest.approx(np.sqrt(3) * own, rel=0.06)


def test_noise_is_strong_where_the_rays_are_attenuated_most(scan, added):
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    middle = np.abs(at) < 20
    in_the_middle, low_down = added[:, middle][:, :, middle].std(), added[:, (at > 70) & (at < 90)][:, :, middle].std()
    own = scan.voxels - 40
    expected = own[:, middle][:, :, middle].std() / own[:, (at > 70) & (at < 90)][:, :, middle].std()
    assert in_the_middle / low_down == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize(
    "rho", [0.0, 0.45, pytest.param(0.12, marks=pytest.mark.slow), pytest.param(0.72, marks=pytest.mark.slow)]
)
def test_adjacent_slices_correlate_as_asked(scan, flat, rho):
    noise = LowDose(scan, 0.25, replace(SOFT, correlation=rho)).noise()
    both = flat[:-1] & flat[1:]
    assert np.corrcoef(noise[:-1][both], noise[1:][both])[0, 1] == pytest.approx(rho, abs=0.03)


def test_correlation_follows_from_thickness_and_increment(scan, quarter, added, flat):
    assert quarter.correlation.value == pytest.approx(0.25)
    overlapping = LowDose(replace(scan, slice_thickness=6.0), 0.25, SOFT)
    assert overlapping.correlation.value == pytest.approx(0.719, abs=0.001)
    assert any("measured" in warning for warning in overlapping.warnings)  # the scan's own noise says otherwise
    both = flat[:-1] & flat[1:]
    assert np.corrcoef(added[:-1][both], added[1:][both])[0, 1] == pytest.approx(0.25, abs=0.03)


def test_unknown_thickness_takes_the_scans_own_correlation(scan):
    simulation = LowDose(replace(scan, slice_thickness=None), 0.25, SOFT)
    assert simulation.correlation.value == pytest.approx(0.25, abs=0.05)
    assert "unknown" in simulation.correlation.why


def test_noise_has_no_mean(added, flat):
    assert abs(added[flat].mean()) < 0.2


def test_repeats_are_independent_and_a_seed_repeats_bit_for_bit(quarter, added):
    inside = np.abs(added) > 0
    other, again = quarter.noise(seed=3, repeat=1), LowDose(quarter.image, 0.25, SOFT, workers=1).noise(seed=3)
    assert abs(np.corrcoef(added[inside], other[inside])[0, 1]) < 0.02
    np.testing.assert_array_equal(added, again)


def test_a_quarter_in_two_steps_with_one_seed_is_a_quarter(scan, flat):
    half = LowDose(scan, 0.5, SOFT).realization(seed=3)
    quarter = LowDose(half, 0.5, SOFT).realization(seed=3)
    assert level(quarter.voxels, flat) == pytest.approx(2 * level(scan.voxels, flat), rel=0.03)


def test_dose_1_changes_nothing(scan):
    full = LowDose(scan, 1.0, SOFT).realization()
    np.testing.assert_array_equal(full.voxels, scan.voxels)


def test_padding_stays_and_is_not_seen_by_the_rays(scan, added):
    valid = np.ones(scan.shape, bool)
    valid[:, :10] = valid[:, :, :6] = False
    padded = replace(scan, voxels=np.where(valid, scan.voxels, np.float32(3000)), valid=valid)
    low = LowDose(padded, 0.25, SOFT).realization(seed=3)
    np.testing.assert_array_equal(low.voxels[~valid], 3000)
    np.testing.assert_allclose((low.voxels - padded.voxels)[valid], added[valid], atol=3.0)


def test_values_stay_above_the_scanners_lowest(scan):
    clamped = scan.with_voxels(np.maximum(scan.voxels, -1000))  # half of the air then holds it
    assert LowDose(clamped, 0.25, SOFT).realization().voxels.min() == -1000


def test_blank_corners_stay_blank(scan):
    """Outside the reconstruction circle some scanners fill up with -1024 and no padding value."""
    at = np.arange(SIZE) - (SIZE - 1) / 2
    outside = np.hypot(at[:, None], at[None]) > SIZE * 0.56
    voxels = np.where(outside, np.float32(-1024), np.maximum(scan.voxels, -1024))
    low = LowDose(scan.with_voxels(voxels), 0.25, SOFT).realization().voxels
    assert (low[:, :16, :16][:, outside[:16, :16]] == -1024).mean() > 0.9
    assert low.min() == -1024


def test_metal_gives_streaks_and_not_nonsense(scan):
    voxels = scan.voxels.copy()
    voxels[:, 60:68, 20:28] = voxels[:, 60:68, 100:108] = 30000
    noise = LowDose(scan.with_voxels(voxels), 0.1, SOFT).noise()
    assert np.isfinite(noise).all()
    assert noise[:, 62:66, 40:90].std() > 1.5 * noise[:, 40:44, 40:90].std()


def test_what_was_done_travels_along(quarter):
    step = quarter.step(seed=3, repeat=2)
    assert step.method == "simulate-low-dose"
    assert step.settings["dose"] == 0.25 and step.settings["repeat"] == 2 and step.seed == 3
    record = quarter.to_dict()
    share = record["electronic_share"]  # of it there is 16 times as much, of the rest 4 times
    wanted = record["noise_level_hu"] * np.sqrt(4 * (1 - share) + 16 * share)
    assert record["target_level_hu"] == pytest.approx(wanted, rel=0.02)
    assert set(record["tube"]["fitted"]) == {
        "electronic",
        "bow_tie",
        "hardening",
        "rim",
    }  # the modulation was asked for
    assert record["acquisition"]["kvp"] == {"value": 120.0, "from": "default"}


@pytest.mark.parametrize("dose", [0.0, -1.0, 1.01, float("nan")])
def test_an_impossible_dose_is_refused(scan, dose):
    with pytest.raises(InputError, match="fraction"):
        LowDose(scan, dose)


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        ({"modality": "MR", "unit": "a.u."}, {}, "MR"),
        ({"unit": "a.u."}, {}, "HU"),
        ({"spacing": (3, 1, 2)}, {}, "square"),
        ({}, {"kernel": "bone"}, "bone"),
        ({}, {"beam": "cone"}, "cone"),
        ({}, {"projector": "magic"}, "magic"),
        ({}, {"correlation": 1.0}, "0.95"),
        ({}, {"electronic": -1.0}, "electronic"),
        ({}, {"bow_tie": 2.0}, "bow-tie"),
        ({"evenly_spaced": False}, {"correlation": 0.3}, "evenly"),
    ],
)
def test_what_cannot_be_simulated_is_refused(scan, change, settings, words):
    with pytest.raises(InputError, match=words):
        LowDose(replace(scan, **change), 0.25, LowDoseSettings(**settings))


def test_a_single_slice_has_no_neighbor_to_correlate_with(scan):
    single = replace(scan, voxels=scan.voxels[:1])
    with pytest.raises(InputError, match="single slice"):
        LowDose(single, 0.5, replace(SOFT, correlation=0.3))
    assert LowDose(single, 0.5, SOFT).noise().std() > 0


def test_noise_that_cannot_be_measured_is_refused():
    with pytest.raises(UnsuitableError, match="cannot be measured"):
        LowDose(body(4), 0.25, SOFT)
    air = Image(np.full((4, 64, 64), -1000, np.float32), (3, 2, 2), modality="CT", unit="HU")
    with pytest.raises(UnsuitableError, match="cannot be measured"):
        LowDose(air, 0.25, SOFT)


def test_a_body_beyond_the_field_of_view_is_refused_unless_accepted(scan):
    cut = replace(scan, voxels=scan.voxels[:, 35:95, 25:105])
    with pytest.raises(InputError, match="beyond the field of view"):
        LowDose(cut, 0.25, SOFT)
    simulation = LowDose(cut, 0.25, replace(SOFT, accept_truncated=True))
    assert any("field of view" in warning for warning in simulation.warnings)
    assert simulation.level_of(simulation.realization()) == pytest.approx(simulation.target, rel=0.05)


def test_stopped_by_the_listener(quarter):
    def stop(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quarter.noise(listener=stop)


def test_a_level_near_the_one_wanted_passes_farther_off_it_is_a_warning_and_far_off_refused(quarter):
    assert quarter.check([1.02 * quarter.target]) == ()
    (warning,) = quarter.check([0.94 * quarter.target])
    assert "-6 % from" in warning
    for factor in (0.64, 1.2, np.nan):
        with pytest.raises(InputError, match=r"HU wanted.*higher dose"):
            quarter.check([factor * quarter.target])
