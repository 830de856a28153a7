"""Agreement, held against published tables and against other programs."""

from math import isnan

import numpy as np
import pytest

from demottle.study.agreement import between_readers, intraclass_correlation, weighted_kappa, with_oneself

# Shrout and Fleiss (1979), table 2: six targets, four judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def test_icc_is_that_of_shrout_and_fleiss() -> None:
    found = intraclass_correlation(SHROUT_FLEISS)
    assert found.value == pytest.approx(0.29, abs=0.005)  # as published
    # The interval that McGraw and Wong's formula gives for this table (also printed by R's psych::ICC).
    assert (found.ci_low, found.ci_high) == pytest.approx((0.019, 0.761), abs=0.001)


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [  # scikit-learn 1.9.1, cohen_kappa_score(weights="quadratic")
        ("544534521225513514135222425333", "544545521324514513124232535333", 0.9046793760831889),
        ("232251115452", "433234323244", 0.013698630136986356),
    ],
)
def test_kappa_is_that_of_another_program(first: str, second: str, kappa: float) -> None:
    assert weighted_kappa([int(c) for c in first], [int(c) for c in second]) == pytest.approx(kappa, abs=1e-12)


def test_kappa_of_perfect_chance_and_opposite_answers() -> None:
    assert weighted_kappa([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == 1
    assert weighted_kappa([1, 1, 5, 5], [1, 5, 1, 5]) == 0
    assert weighted_kappa([1, 5], [5, 1]) == -1
    assert isnan(weighted_kappa([3, 3, 3], [3, 3, 3]))
    assert isnan(weighted_kappa([], []))


def test_icc_of_readers_who_agree_fully_and_of_nothing_to_rate() -> None:
    assert intraclass_correlation(np.repeat([[1.0], [3.0], [4.0]], 3, axis=1)).value == 1
    assert isnan(intraclass_correlation(np.full((5, 3), 4.0)).value)
    assert isnan(intraclass_correlation(np.array([[1.0, 2.0]])).value)


def test_a_reader_who_is_always_stricter_lowers_the_absolute_agreement() -> None:
    quality = np.random.default_rng(0).normal(3, 1, (200, 1))
    alike = quality + np.random.default_rng(1).normal(0, 0.5, (200, 2))
    assert intraclass_correlation(alike).value == pytest.approx(1 / 1.25, abs=0.05)
    assert intraclass_correlation(alike + np.array([0.0, 2.0])).value < 0.4


def test_missing_ratings_are_left_out() -> None:
    table = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 4.0], [5.0, np.nan], [np.nan, np.nan]])
    found = between_readers("noise", table)
    assert found.things == 3
    assert found.same == pytest.approx(2 / 3)
    assert found.within_one == 1
    assert found.kappa == weighted_kappa([1, 2, 3], [1, 2, 4])


def test_agreement_with_oneself() -> None:
    found = with_oneself("r1", 2, [1, 2, 3, 4], [1, 3, 3, 2])
    assert (found.repeats, found.same, found.within_one, found.shift) == (2, 0.5, 0.75, -0.25)
