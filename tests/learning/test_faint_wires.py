"""Wires to learn from are thin, faint, and of one sign; dark ones are the rule."""

import numpy as np
import pytest

from demottle.learning.data.faint_wires import DEEPEST, FAINTEST, faint_wires


def test_wires_are_thin_and_faint() -> None:
    drawn = faint_wires(60, 64, np.random.default_rng(1))
    assert drawn.shape == (60, 64, 64) and drawn.dtype == np.float32
    deepest = np.abs(drawn).max(axis=(1, 2))
    assert np.all((deepest > 0.7 * FAINTEST) & (deepest <= DEEPEST))
    assert np.mean(np.abs(drawn) > 0.5 * deepest[:, None, None]) < 0.1
    signs = np.sign(drawn.reshape(60, -1)[np.arange(60), np.abs(drawn).reshape(60, -1).argmax(1)])
    assert np.all(drawn * signs[:, None, None] >= 0)
    assert 0.6 < np.mean(signs < 0) < 0.95


def test_the_same_draws_give_the_same_wires() -> None:
    one, other, third = (faint_wires(2, 48, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, third)
    assert one.sum() != pytest.approx(third.sum())
