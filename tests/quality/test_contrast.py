import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.quality.contrast import Disc, contrast_recovery, disc_contrast


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
