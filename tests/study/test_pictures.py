"""Which slices are shown, and how their values are kept."""

from itertools import pairwise

import numpy as np
import pytest
from tests.study.conftest import scan

from demottle.errors import InputError
from demottle.image import Image
from demottle.study.pictures import codes_of, draw_stacks, filled, geometry_of, refuse_other_object, stacks_at


@pytest.mark.parametrize("seed", range(5))
def test_drawn_stacks_do_not_overlap_and_keep_off_the_ends(seed: int) -> None:
    stacks = draw_stacks(100, 9, 4, np.random.default_rng(seed), "It")
    assert all(stop - start == 9 for start, stop in stacks)
    assert all(first[1] <= second[0] for first, second in pairwise(stacks))
    assert stacks[0][0] >= 10
    assert stacks[-1][1] <= 90


def test_every_place_is_drawn_sooner_or_later() -> None:
    rng = np.random.default_rng(0)
    assert {draw_stacks(20, 5, 1, rng, "It")[0][0] for _ in range(300)} == set(range(2, 14))


def test_a_short_scan_is_shown_whole_but_not_twice() -> None:
    rng = np.random.default_rng(0)
    assert draw_stacks(5, 9, 1, rng, "It") == [(0, 5)]
    assert draw_stacks(10, 5, 2, rng, "It") == [(0, 5), (5, 10)]
    with pytest.raises(InputError, match="It has 9 slices, too few for 2 stacks of 5"):
        draw_stacks(9, 5, 2, rng, "It")


def test_given_slices_are_in_the_middle_counted_from_one() -> None:
    assert stacks_at(100, 9, (50, 1, 100), "It") == [(45, 54), (0, 9), (91, 100)]
    assert stacks_at(100, 1, (50,), "It") == [(49, 50)]
    assert stacks_at(4, 9, (2,), "It") == [(0, 4)]
    with pytest.raises(InputError, match="no slice 101"):
        stacks_at(100, 9, (101,), "It")


def test_ct_is_kept_in_whole_hu_and_never_wraps() -> None:
    image = Image(np.array([[[-1024.4, 40.6], [3071, 1e6]]], np.float32), (3, 1, 1), "CT", "HU")
    geometry = geometry_of(image, [image.voxels])
    assert (geometry.slope, geometry.intercept, geometry.windows[0][1:]) == (1, 0, (50, 400))
    assert codes_of(image.voxels[0], geometry).tolist() == [[-1024, 41], [3071, 32767]]


def test_mr_is_kept_finely_over_the_range_of_all_arms() -> None:
    first = Image(np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 8, 8), (3, 2, 1), "MR")
    second = 2 * first.voxels
    geometry = geometry_of(first, [first.voxels, second])
    for voxels in (first.voxels, second):
        back = geometry.intercept + geometry.slope * codes_of(voxels[0], geometry)
        assert np.abs(back - voxels[0]).max() < 2 / 60_000
    assert geometry.aspect == 0.5


def test_what_was_not_measured_looks_alike_in_all_arms() -> None:
    valid = np.ones((1, 4, 4), np.bool_)
    valid[0, 0] = False
    padded = [np.where(valid, 40, value).astype(np.float32) for value in (-2000, np.nan)]
    arms = [filled(Image(voxels, (3, 1, 1), "CT", "HU", valid), 0, 1) for voxels in padded]
    assert np.array_equal(*arms)
    assert (arms[0][0, 0] == -1000).all()


def test_strong_noise_is_no_other_object_but_another_slice_is() -> None:
    clean, noisy = scan(size=96), scan(size=96, noise=100)
    refuse_other_object(clean.voxels, noisy.voxels, "It")
    refuse_other_object(clean.voxels, np.zeros_like(clean.voxels), "It")  # nothing to compare
    with pytest.raises(InputError, match="It does not show"):
        refuse_other_object(clean.voxels, np.roll(clean.voxels, 40, axis=2), "It")


def test_an_arm_that_is_the_reference_itself_is_refused() -> None:
    """A path given twice by mistake would cost readers their time."""
    clean = scan(size=32)
    with pytest.raises(InputError, match="It is the reference arm"):
        refuse_other_object(clean.voxels, clean.voxels.copy(), "It")
