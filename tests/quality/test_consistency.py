"""Whether a result belongs to its scan: grain, sharpness, place and order of its slices."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.quality.check.consistency.whole import UNTOLD, Consistency, consistency

TRUTH = body(8, 160)
GRAIN = noise(TRUTH.shape, 20)
BEFORE = ct(TRUTH + GRAIN)
HONEST = TRUTH + 0.2 * GRAIN


@pytest.fixture(scope="module")
def honest() -> Consistency:
    return consistency(BEFORE, ct(HONEST))


def of(after: np.ndarray) -> Consistency:
    return consistency(BEFORE, ct(after))


def test_an_honest_result_belongs_to_its_scan(honest: Consistency) -> None:
    assert honest.added_grain == 0
    assert abs(honest.blur) < 0.1
    assert honest.displacement_sure < 0.02
    assert honest.misplaced == ()


@pytest.mark.parametrize("pixels", [0.5, 0.8, 1.2])
def test_blur_is_told_in_pixels(pixels: float) -> None:
    assert of(gaussian_filter(HONEST, (0, pixels, pixels))).blur == pytest.approx(pixels, rel=0.15)


def test_sharpening_is_blur_below_zero() -> None:
    assert of(HONEST + (HONEST - gaussian_filter(HONEST, (0, 1, 1)))).blur < -0.4


@pytest.mark.parametrize("moved", [(0.0, 1.0), (-0.5, 0.0), (0.3, 0.4)])
def test_a_shift_is_told_in_pixels_and_for_which_slice(moved: tuple[float, float]) -> None:
    after = HONEST.copy()
    after[5] = shift(after[5], moved, order=3, mode="nearest")
    found = of(after)
    assert (
        0.75 * np.hypot(*moved) < found.displacement < 1.05 * np.hypot(*moved)
    )  # blocks hold what stays and what moves
    assert found.displaced_slice == 5
    assert 0.1 < found.displacement_sure <= found.displacement


def test_grain_of_another_source_is_told_and_grain_that_was_left_is_not(honest: Consistency) -> None:
    other = noise(TRUTH.shape, 10, seed=9)
    share = of(HONEST + other).added_grain
    assert share > 0.03
    assert of(TRUTH + 0.6 * GRAIN).added_grain == 0
    assert of(HONEST + 2 * other).added_grain > 2 * share


def test_slices_out_of_their_place_are_told_with_whose_grain_they_hold() -> None:
    exchanged, repeated = HONEST.copy(), HONEST.copy()
    exchanged[[2, 5]] = exchanged[[5, 2]]
    repeated[4] = repeated[3]
    assert of(exchanged).misplaced == ((2, 5), (5, 2))
    assert of(repeated).misplaced == ((4, 3),)
    assert of(repeated).misplaced_slices == 1


def test_what_cannot_be_measured_is_not_told() -> None:
    series = Image(TRUTH + 1000, (3, 0.8, 0.8), "MR")
    assert consistency(series, series) == UNTOLD
    alone = consistency(ct(BEFORE.voxels[:1]), ct(HONEST[:1]))
    assert np.isnan(alone.blur) and alone.misplaced is None and alone.displacement < 0.05
    air = ct(np.full((4, 64, 64), -1000.0))
    nothing = consistency(air, air)
    assert np.isnan(nothing.added_grain) and np.isnan(nothing.displacement) and nothing.misplaced == ()
