import math

import numpy as np
import pytest
from scipy import stats

from demottle.benchmark.shown import tables
from demottle.benchmark.shown.figures import COST, QUALITY
from demottle.errors import InputError
from demottle.quality.cohort import holm

from .conftest import MakeRow

PSNR, RMSE = QUALITY[0], QUALITY[1]
SECONDS = next(kind for kind in COST if kind.key == "seconds")
NLM, BM3D = [30.1, 31.4, 29.2, 30.9], [31.0, 31.9, 30.3, 31.2]


def rows_of(make_row: MakeRow) -> list[tables.Row]:
    return [
        make_row(name, seed, psnr=value, seconds=cost)
        for name, values, cost in (("input", [22.0] * 4, 0.0), ("nlm", NLM, 2.0), ("bm3d", BM3D, 8.0))
        for seed, value in enumerate(values)
    ]


def test_a_mean_has_students_interval(make_row: MakeRow) -> None:
    mean = tables.over(rows_of(make_row), "nlm", PSNR)
    low, high = stats.t.interval(0.95, 3, np.mean(NLM), stats.sem(NLM))
    assert mean.mean == pytest.approx(np.mean(NLM)) and mean.cases == 4
    assert (mean.mean - mean.half, mean.mean + mean.half) == pytest.approx((low, high))
    assert math.isnan(tables.over(rows_of(make_row)[:5], "nlm", PSNR).half)


@pytest.mark.parametrize("shifts", [(0.4, 0.9, 0.6, 0.5), (1.2, 2.4, 1.7, 1.9), (-1.7, -1.8, -1.75, -1.8)])
def test_within_a_margin_is_what_two_one_sided_tests_show(make_row: MakeRow, shifts: tuple[float, ...]) -> None:
    mean = tables.over([make_row("nlm", seed, psnr=value) for seed, value in enumerate(shifts)], "nlm", PSNR)
    above = stats.ttest_1samp(shifts, -2.0, alternative="greater").pvalue
    below = stats.ttest_1samp(shifts, 2.0, alternative="less").pvalue
    assert tables.within(mean, 2.0) == (max(above, below) < 0.05)
    assert not tables.within(tables.over(rows_of(make_row)[:5], "nlm", PSNR), 100.0)  # one case shows nothing


def test_paired_tests_are_those_of_scipy_on_the_same_cases_whatever_their_order(make_row: MakeRow) -> None:
    rows = rows_of(make_row)
    found = tables.tests([*rows[8:], *reversed(rows[:8])], "bm3d")
    assert {(one.first, one.second) for one in found} == {("nlm", "bm3d")}
    (psnr,) = [one for one in found if one.figure == "PSNR"]
    assert psnr.difference == pytest.approx(np.mean(NLM) - np.mean(BM3D))
    assert psnr.p_t == pytest.approx(stats.ttest_rel(NLM, BM3D).pvalue)
    assert [one.p_t_holm for one in found] == pytest.approx(holm([one.p_t for one in found]))


def test_a_case_that_only_one_did_is_in_no_comparison(make_row: MakeRow) -> None:
    rows = [row for row in rows_of(make_row) if (row["entrant"], row["seed"]) != ("bm3d", 3)]
    (psnr,) = [one for one in tables.tests(rows, "bm3d") if one.figure == "PSNR"]
    assert psnr.cases == 3
    assert psnr.p_t == pytest.approx(stats.ttest_rel(NLM[:3], BM3D[:3]).pvalue)
    assert tables.ratio(rows, "nlm", "bm3d", SECONDS).cases == 3  # type: ignore[union-attr]


def test_times_are_compared_as_geometric_means_over_the_same_cases(make_row: MakeRow) -> None:
    rows = [make_row("nlm", seed, seconds=value) for seed, value in enumerate([1.0, 4.0, 2.0])]
    rows += [make_row("bm3d", seed, seconds=value) for seed, value in enumerate([8.0, 2.0, 4.0])]
    found = tables.ratio(rows, "nlm", "bm3d", SECONDS)
    assert found is not None and found.ratio == pytest.approx(0.5)  # the third root of 1/8 * 2 * 1/2
    assert found.low < found.ratio < found.high
    assert tables.ratio(rows, "tv", "bm3d", SECONDS) is None


def test_the_rival_is_the_one_asked_for_or_bm3d_or_nlm(make_row: MakeRow) -> None:
    rows = rows_of(make_row)
    assert tables.rival_of(rows, None) == "bm3d"
    assert tables.rival_of(rows[:8], None) == "nlm"
    assert tables.rival_of(rows[:4], None) is None
    assert tables.rival_of(rows, "nlm") == "nlm"
    with pytest.raises(InputError, match="tv has no results"):
        tables.rival_of(rows, "tv")


def test_the_input_is_first_then_the_best_and_bounds_are_last(make_row: MakeRow) -> None:
    rows = [*rows_of(make_row), make_row("clean-targets", 0, psnr=40.0, sees_truth=True)]
    assert tables.names(rows) == ["input", "bm3d", "nlm", "clean-targets"]


def test_failures_of_one_reason_are_told_once(make_row: MakeRow) -> None:
    rows = [make_row("zs", seed, status="failed", reason="No.") for seed in (0, 1)]
    assert tables.failures(rows, "ct-volume") == [("zs", "No.", ["rho 0, seed 0", "rho 0, seed 1"])]
    assert tables.done(rows, "ct-volume") == []


def test_what_was_not_measured_is_a_dash(make_row: MakeRow) -> None:
    assert tables.told(tables.over(rows_of(make_row), "nlm", QUALITY[4]), QUALITY[4]) == "–"
    assert tables.told(tables.Mean(30.123, 0.456, 3), PSNR) == "30.12 ± 0.46"
    assert tables.told_ratio(tables.Ratio(0.25, 0.2, 0.31, 4)) == "0.25 (0.20 to 0.31)"
