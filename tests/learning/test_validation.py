"""The criterion without pairs: 1 for doing nothing, 0 for taking out just the noise that was added."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.methods.small_sets import small_sets

from demottle.learning.pictures import before_and_after
from demottle.learning.validation import SimulatedValidation


def test_it_knows_good_from_bad(tmp_path: Path) -> None:
    validation = SimulatedValidation(small_sets(tmp_path), count=2)
    assert validation.level == pytest.approx((40**2 - 10**2) ** 0.5, rel=0.15)
    clean = {id(noisy): clean for noisy, clean in zip(validation.noisy, validation.clean, strict=True)}
    assert validation.score(lambda plane: plane) == pytest.approx(1, abs=0.1)
    assert validation.score(lambda plane: clean[id(plane)]) == 0
    assert validation.score(lambda plane: (plane + clean[id(plane)]) / 2) == pytest.approx(0.5, abs=0.05)
    blurred = [
        validation.score(lambda plane, width=width: cv2.GaussianBlur(plane, (0, 0), width)) for width in (0.5, 8)
    ]
    assert blurred[0] < 1 < blurred[1]  # a little of it helps, too much takes the organs with it


def test_the_same_seed_asks_the_same(tmp_path: Path) -> None:
    sets = small_sets(tmp_path)
    first, again, other = (SimulatedValidation(sets, count=1, seed=seed).noisy[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_pictures_lie_beside_each_other() -> None:
    plane = np.full((8, 9), 40.0, np.float32)
    (picture,) = before_and_after([plane], lambda x: x - 100).values()
    assert picture.shape == (8, 27)
    assert picture[0, 0] == pytest.approx(0.5) and picture[0, 10] == pytest.approx(0.25) and picture[0, 20] == 1
