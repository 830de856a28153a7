"""Patches lie inside the slices, on what is wanted, and repeat with their seed."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.learning.data.patches import cut_patches, patch_places


def test_patches_lie_inside_and_repeat() -> None:
    wanted = np.zeros((3, 100, 90), np.bool_)
    wanted[1, 80:, :20] = True
    places = patch_places(wanted, 64)
    drawn = places.draw(200, np.random.default_rng(0))
    assert (drawn[:, 0] == 1).all()
    assert (drawn[:, 1:] >= 0).all() and (drawn[:, 1] <= 36).all() and (drawn[:, 2] <= 26).all()
    assert np.array_equal(drawn, places.draw(200, np.random.default_rng(0)))


def test_cut_is_what_lies_there() -> None:
    stack = np.arange(2 * 40 * 50, dtype=np.float32).reshape(2, 40, 50)
    patch = cut_patches(stack, np.array([[1, 3, 7]]), 16)
    assert patch.shape == (1, 1, 16, 16)
    assert np.array_equal(patch[0, 0].numpy(), stack[1, 3:19, 7:23])


def test_nothing_to_learn() -> None:
    with pytest.raises(InputError, match="no tissue"):
        patch_places(np.zeros((2, 64, 64), np.bool_), 32)
    with pytest.raises(InputError, match="at least 128"):
        patch_places(np.ones((2, 64, 64), np.bool_), 128)
