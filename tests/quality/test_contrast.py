import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.quality.contrast import Disc, by_size_and_contrast, contrast_recovery, disc_contrast


def plane_with(disc: Disc, background: float = 40.0, size: int = 96) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    inside = np.hypot(rows - disc.row, columns - disc.column) <= disc.radius
    return np.where(inside, background + disc.contrast, background).astype(np.float32)


def test_an_untouched_disc_keeps_its_contrast_and_a_faded_one_is_measured() -> None:
    disc = Disc(48, 44, 8, -12)
    assert disc_contrast(plane_with(disc), disc) == pytest.approx(-12, abs=1e-4)
    faded = plane_with(Disc(48, 44, 8, -9))
    (recovery,) = contrast_recovery(faded, [disc])
    assert recovery.share == pytest.approx(0.75, abs=1e-4)


def test_blur_costs_small_discs_more_contrast_than_large_ones() -> None:
    shares = []
    for radius in (3, 6, 12):
        disc = Disc(48, 48, radius, 20)
        shares.append(contrast_recovery(gaussian_filter(plane_with(disc), 2), [disc])[0].share)
    assert shares[0] < 0.75 < shares[1] < shares[2]


def test_a_ring_outside_the_slice_or_a_disc_without_contrast_is_refused() -> None:
    with pytest.raises(InputError, match="leaves the slice"):
        disc_contrast(np.zeros((40, 40)), Disc(5, 20, 8, 10))
    with pytest.raises(InputError, match="no contrast"):
        contrast_recovery(np.zeros((40, 40)), [Disc(20, 20, 5, 0)])


def test_blur_of_the_truth_does_not_count_as_loss() -> None:
    disc = Disc(48, 48, 4, 20)
    truth = gaussian_filter(plane_with(disc), 1.5)
    assert contrast_recovery(truth, [disc])[0].share < 0.95
    assert contrast_recovery(40 + 0.8 * (truth - 40), [disc], truth)[0].share == pytest.approx(0.8, abs=1e-4)


def test_recoveries_are_gathered_by_size_and_contrast() -> None:
    discs = [Disc(30, 30, 4, 20), Disc(66, 66, 4, 20), Disc(66, 30, 4, -10)]
    plane = sum(plane_with(d, 0) for d in discs)
    plane[60:72, 60:72] *= 0.5
    first, second = by_size_and_contrast(contrast_recovery(plane, discs), 0.5)
    assert (first.diameter, first.contrast, first.count) == (4, -10, 1)
    assert (second.diameter, second.contrast, second.count) == (4, 20, 2)
    assert second.share == pytest.approx(0.75, abs=1e-3)
    assert second.error == pytest.approx(0.25, abs=1e-3)
    with pytest.raises(InputError, match="no discs"):
        by_size_and_contrast([], 0.5)
    with pytest.raises(InputError, match="NaN"):
        contrast_recovery(plane * np.nan, discs)
