from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import ct

from demottle.errors import InputError
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.structures import Structure
from demottle.quality.objects.contrast import Disc, Recovered, by_size_and_contrast, disc_contrast, recovered

SPACING = (3.0, 0.5, 0.5)


def plane_with(disc: Disc, background: float = 40.0, size: int = 96) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    inside = np.hypot(rows - disc.row, columns - disc.column) <= disc.radius
    return np.where(inside, background + disc.contrast, background).astype(np.float32)


def found(plane: np.ndarray, disc: Disc, truth: np.ndarray | None = None) -> Recovered:
    """What is left of one disc through three equal slices."""
    insert = Insert((1.0, disc.row, disc.column), disc.radius * SPACING[1], disc.contrast, np.inf)
    images = [None if p is None else ct(np.repeat(p[None], 3, axis=0), SPACING) for p in (plane, truth)]
    assert images[0] is not None
    (one,), refused = recovered(images[0], images[0], [Structure("disc", insert, 40.0, "edge")], images[1])
    assert refused == []
    return one


def test_an_untouched_disc_keeps_its_contrast_and_a_faded_one_is_measured() -> None:
    disc = Disc(48, 44, 8, -12)
    assert disc_contrast(plane_with(disc), disc) == pytest.approx(-12, abs=1e-4)
    assert found(plane_with(Disc(48, 44, 8, -9)), disc).share == pytest.approx(0.75, abs=1e-4)


def test_blur_costs_small_discs_more_contrast_than_large_ones() -> None:
    discs = [Disc(48, 48, radius, 20) for radius in (3, 6, 12)]
    shares = [found(gaussian_filter(plane_with(disc), 2), disc).share for disc in discs]
    assert shares[0] < 0.75 < shares[1] < shares[2]


def test_a_ring_outside_the_slice_or_a_slice_without_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="leaves the slice"):
        disc_contrast(np.zeros((40, 40)), Disc(5, 20, 8, 10))
    with pytest.raises(InputError, match="NaN"):
        disc_contrast(np.full((40, 40), np.nan), Disc(20, 20, 5, 10))
    far = Structure("far", Insert((0.0, 2.0, 20.0), 4.0, 10.0, np.inf), 40.0, "edge")
    image = ct(np.zeros((1, 40, 40)))
    measured, (sentence,) = recovered(image, image, [far])
    assert measured == [] and sentence.startswith("far: ") and "leaves the slice" in sentence


def test_blur_of_the_truth_does_not_count_as_loss() -> None:
    disc = Disc(48, 48, 4, 20)
    truth = gaussian_filter(plane_with(disc), 1.5)
    assert found(truth, disc).share < 0.95
    assert found(40 + 0.8 * (truth - 40), disc, truth).share == pytest.approx(0.8, abs=1e-4)


def test_structures_are_gathered_by_size_and_contrast() -> None:
    one = Recovered("a", 4.0, 20.0, 20.0, 20.0, float("nan"), 1.0)
    half, other = replace(one, name="b", after=10.0), replace(one, name="c", contrast=-10.0, after=-10.0)
    first, second = by_size_and_contrast([one, half, other])
    assert (first.diameter_mm, first.contrast, first.count) == (4, -10, 1)
    assert (second.share, second.error, second.count) == (pytest.approx(0.75), pytest.approx(0.25), 2)
    assert by_size_and_contrast([]) == []
