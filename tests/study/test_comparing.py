"""Tests between arms, held against enumeration and other programs."""

from itertools import product
from math import comb, isnan, nan

import numpy as np
import pytest
from scipy.stats import rankdata

from demottle.study.comparing import (
    BETTER,
    INFERIOR,
    MAJORITY,
    NON_INFERIOR,
    NOT_SHOWN,
    SLIGHTLY_WORSE,
    TOO_FEW,
    WORSE,
    Mean,
    fewest_scans,
    gains_of,
    mcnemar,
    mean_of,
    signed_ranks,
    verdict_of,
    yes_no_of,
)


def enumerated(differences: list[float]) -> float:
    """Wilcoxon's test by its definition: the share of all signs whose rank sum is at least as far from the middle."""
    d = np.array([value for value in differences if value != 0])
    ranks = rankdata(np.abs(d))
    seen = abs(float(ranks @ np.sign(d)))
    far = [abs(float(ranks @ np.array(signs))) >= seen - 1e-9 for signs in product((-1, 1), repeat=len(d))]
    return float(np.mean(far))


@pytest.mark.parametrize("differences", [[1, 2, 3, -1.5, 2.5, 0.5, 4], [1, 1, 1, -1, 2, 2, 0, 0.5, 0.5]])
def test_signed_ranks_are_those_of_an_enumeration_also_with_ties_and_zeros(differences: list[float]) -> None:
    table = np.array(differences, float)[:, None]
    assert signed_ranks(table) == pytest.approx(enumerated(differences), abs=1e-9)


def test_signed_ranks_average_readers_and_count_cases_only() -> None:
    """The same reader twice adds nothing to what is known."""
    column = np.array([1.0, 2, 3, -1.5, 2.5, 0.5, 4])[:, None]
    assert signed_ranks(np.repeat(column, 2, axis=1)) == signed_ranks(column)
    thirds = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0.0]])
    assert signed_ranks(thirds) == pytest.approx(2 / 2**6)  # six equal means are ties


def test_signed_ranks_of_too_few_or_no_differences() -> None:
    assert isnan(signed_ranks(np.ones((5, 3))))
    assert signed_ranks(np.zeros((8, 3))) == 1


@pytest.mark.parametrize("tests", [1, 5, 10, 20])
def test_fewer_scans_than_needed_can_never_show_anything(tests: int) -> None:
    needed = fewest_scans(tests)
    assert tests * signed_ranks(np.ones((needed, 1)) + np.arange(needed)[:, None]) < 0.05
    fewer = tests * signed_ranks(np.ones((needed - 1, 1)) + np.arange(needed - 1)[:, None])
    assert not fewer < 0.05  # NaN for fewer than six


@pytest.mark.parametrize(
    ("only_arm", "only_reference", "p"),
    [(9, 2, 0.0654296875), (1, 7, 0.0703125), (4, 4, 1.0), (0, 0, 1.0)],  # statsmodels 0.15, mcnemar(exact=True)
)
def test_mcnemar_is_that_of_another_program(only_arm: int, only_reference: int, p: float) -> None:
    yes = np.array([1] * only_arm + [0] * only_reference + [1] * 10 + [0] * 3, float)
    other = np.array([0] * only_arm + [1] * only_reference + [1] * 10 + [0] * 3, float)
    found = mcnemar("clean", "original", "r1", yes, other)
    assert (found.only_arm, found.only_reference) == (only_arm, only_reference)
    assert found.p == pytest.approx(p)


def test_the_majority_of_readers_decides_and_ties_are_left_out() -> None:
    yes = np.array([[1, 1, 0], [1, nan, 0], [1, 1, 1]])
    other = np.zeros((3, 3))
    found = yes_no_of([("clean", yes, other)], "original", ("r1", "r2", "r3"))
    assert (found[0].reader, found[0].cases, found[0].only_arm) == (MAJORITY, 2, 2)
    assert [one.reader for one in found[1:]] == ["r1", "r2", "r3"]
    assert found[2].cases == 2


def test_the_interval_is_that_of_the_mean_for_one_reader() -> None:
    """Readers apart, the bootstrap of a mean is known: its variance is that of the data over n."""
    values = np.random.default_rng(0).normal(1, 1, (100, 1))
    found = mean_of(values, 20000, 0)
    half = 1.96 * values.std() / 10
    assert found.value == pytest.approx(values.mean())
    assert (found.ci_low, found.ci_high) == pytest.approx((found.value - half, found.value + half), abs=0.02)


def test_the_interval_knows_that_readers_differ() -> None:
    """Two hundred scans, all alike, and readers at -1, 0 and 1: other readers might be anywhere there."""
    found = mean_of(np.tile([-1.0, 0.0, 1.0], (200, 1)), 4000, 0)
    assert found.value == 0
    assert found.ci_high > 0.6
    assert found.ci_low < -0.6


def test_missing_ratings_count_for_nothing() -> None:
    table = np.array([[1.0, nan], [3.0, 3.0], [nan, nan]])
    assert mean_of(table, 500, 0).value == pytest.approx(7 / 3)
    assert isnan(mean_of(np.full((3, 2), nan), 500, 0).value)
    assert isnan(mean_of(np.ones((1, 2)), 500, 0).ci_low)


@pytest.mark.parametrize(
    ("interval", "p", "scans", "verdict"),
    [
        ((0.2, 1.0), 0.01, 20, BETTER),
        ((0.2, 1.0), 0.20, 20, NON_INFERIOR),
        ((-0.4, 0.3), 0.80, 20, NON_INFERIOR),
        ((-0.6, 0.3), 0.80, 20, NOT_SHOWN),
        ((-0.4, -0.1), 0.01, 20, SLIGHTLY_WORSE),
        ((-0.9, -0.1), 0.01, 20, WORSE),
        ((-0.9, -0.6), 0.01, 20, INFERIOR),
        ((0.2, 1.0), nan, 5, TOO_FEW),
    ],
)
def test_the_verdict_follows_from_interval_and_test(
    interval: tuple[float, float], p: float, scans: int, verdict: str
) -> None:
    assert verdict_of(Mean(sum(interval) / 2, *interval), p, 0.5, scans) == verdict


def test_p_values_are_corrected_over_all_items_and_arms() -> None:
    rng = np.random.default_rng(1)
    tables = [(item, arm, rng.normal(0.3, 1, (12, 2))) for arm in ("a", "b") for item in ("noise", "texture")]
    found = gains_of(tables, "original", 0.5, 500, 0)
    smallest = min(found, key=lambda gain: gain.p)
    assert smallest.p_holm == pytest.approx(min(1, 4 * smallest.p))
    assert all(gain.p_holm >= gain.p for gain in found)


@pytest.mark.slow
def test_intervals_cover_the_truth_and_chance_is_not_called_better() -> None:
    """Readers and scans drawn anew each time, with gains that differ between both; the docstring's figures."""
    covered = {0.0: 0, 0.4: 0}
    for spread in covered:
        for seed in range(300):
            rng = np.random.default_rng(seed)
            table = rng.normal(0, 0.5, (20, 1)) + rng.normal(0, spread, (1, 3)) + rng.normal(0, 0.6, (20, 3))
            found = mean_of(table, 600, seed)
            covered[spread] += found.ci_low <= 0 <= found.ci_high
    chance = 4 * np.sqrt(0.95 * 0.05 / 300)
    assert covered[0.0] / 300 > 0.95 - chance
    assert 0.8 < covered[0.4] / 300 < 0.97


def test_enumeration_itself_is_right() -> None:
    """All of seven differences positive: two of all signs are as extreme."""
    assert enumerated([1, 2, 3, 4, 5, 6, 7]) == 2 / sum(comb(7, k) for k in range(8))
