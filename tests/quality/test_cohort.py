"""Means over cases, and tests between methods that count how often one looked."""

import numpy as np
import pytest
from scipy import stats

from demottle.quality.cohort import Case, holm, pairings, summaries
from demottle.quality.figures import Figure


def cohort(effect: float, count: int = 8, seed: int = 0, figures: int = 1) -> list[Case]:
    """Two methods on the same cases, which differ much from each other; `second` is better by `effect`."""
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(count):
        ease = rng.normal(0, 20)
        for method, shift in (("first", 0.0), ("second", -effect)):
            made = tuple(
                Figure(f"error {i}", "HU", 50 + ease, 30 + ease + shift + rng.normal()) for i in range(figures)
            )
            cases.append(Case(f"case {number}", method, made))
    return cases


def test_mean_and_spread_of_input_and_methods() -> None:
    cases = cohort(5)
    found = {row.method: row for row in summaries(cases)}
    assert list(found) == ["input", "first", "second"]
    values = [c.figures[0].after for c in cases if c.method == "first"]
    assert found["first"].mean == pytest.approx(np.mean(values))
    assert found["first"].deviation == pytest.approx(np.std(values, ddof=1))
    assert found["input"].cases == 8


def test_pairs_find_what_the_spread_of_cases_hides() -> None:
    (row,) = pairings(cohort(5))
    assert row.difference == pytest.approx(5, abs=1.5)
    assert row.ci_low < 5 < row.ci_high
    assert row.p_t_holm < 0.01
    assert row.p_wilcoxon_holm < 0.02


def test_the_tests_are_those_of_scipy() -> None:
    cases = cohort(1)
    (row,) = pairings(cases)
    first, second = ([c.figures[0].after for c in cases if c.method == m] for m in ("first", "second"))
    assert row.p_t == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert row.p_wilcoxon == pytest.approx(stats.wilcoxon(first, second).pvalue)


def test_holm_multiplies_the_smallest_by_their_number_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, float("nan"), 0.6])[0] == 1.0
    assert np.isnan(holm([0.9, float("nan"), 0.6])[1])


@pytest.mark.slow
def test_many_figures_without_an_effect_find_one_in_at_most_one_table_of_twenty() -> None:
    found = sum(any(row.p_t_holm < 0.05 for row in pairings(cohort(0, seed=s, figures=10))) for s in range(200))
    assert found <= 0.05 * 200 + 2.6 * np.sqrt(200 * 0.05 * 0.95)


def test_too_few_cases_are_not_tested_and_what_is_missing_is_left_out() -> None:
    assert pairings(cohort(5, count=2)) == []
    (row,) = pairings(cohort(5, count=5))
    assert np.isnan(row.p_wilcoxon)
    cases = cohort(5)
    broken = [
        Case(c.case, c.method, (Figure("error 0", "HU", 1.0, float("nan")),)) if i == 0 else c
        for i, c in enumerate(cases)
    ]
    (row,) = pairings(broken)
    assert row.cases == 7
