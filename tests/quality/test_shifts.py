import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError
from demottle.quality.check.shifts import TissueShift, tissue_shifts


def by_name(shifts: list[TissueShift]) -> dict[str, TissueShift]:
    return {s.name: s for s in shifts}


def test_a_perfect_denoiser_moves_nothing_and_is_shown_to_be_equivalent() -> None:
    truth = body(16)
    shifts = by_name(tissue_shifts(ct(truth + noise(truth.shape)), ct(truth)))
    for name in ("air", "fat", "fluid", "soft tissue"):
        assert abs(shifts[name].shift) < 1.2, name
        assert shifts[name].equivalent, name


def test_a_shift_of_one_tissue_is_found_there_and_only_there() -> None:
    truth = body(16)
    changed = truth.copy()
    changed[np.abs(truth + 100) < 5] += 6  # fat
    shifts = by_name(tissue_shifts(ct(truth + noise(truth.shape)), ct(changed)))
    assert shifts["fat"].shift == pytest.approx(6, abs=0.7)
    assert shifts["fat"].ci_low < 6 < shifts["fat"].ci_high
    assert not shifts["fat"].equivalent
    assert shifts["soft tissue"].equivalent


def test_the_interval_holds_zero_about_nine_times_in_ten_though_noise_is_correlated() -> None:
    """Intervals from single voxels would hold it far less often: noise of neighboring voxels is alike."""
    shape = (6, 192, 192)
    held = 0
    for seed in range(60):
        before = noise(shape, 25, blur=2.5, seed=seed) + 60
        (shift,) = (s for s in tissue_shifts(ct(before), ct(np.full(shape, 60.0))) if s.name == "soft tissue")
        held += shift.ci_low <= 0 <= shift.ci_high
    assert 46 <= held <= 60


def test_smoothing_noise_does_not_look_like_a_shift() -> None:
    """Before and after share noise here, and tissue lies at the limit of its range."""
    truth = np.full((16, 192, 192), 115.0, np.float32)
    before = truth + noise(truth.shape, 25)
    after = gaussian_filter(before, (0, 2, 2))
    shifts = by_name(tissue_shifts(ct(before), ct(after)))
    assert abs(shifts["soft tissue"].shift) < 0.3


def test_a_noise_free_reference_decides_where_it_is_given() -> None:
    truth = body(3)
    shifts = by_name(tissue_shifts(ct(truth + noise(truth.shape)), ct(truth + 3), ct(truth)))
    assert shifts["soft tissue"].shift == pytest.approx(3, abs=0.7)
    assert shifts["soft tissue"].mean_after == pytest.approx(63, abs=0.5)


def test_images_of_different_shape_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        tissue_shifts(ct(body(4)), ct(body(5)))
