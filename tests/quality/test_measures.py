"""The rows of what is told of a result: named once, limits that the gate knows, a page in the documentation."""

import re
from dataclasses import fields
from math import inf
from pathlib import Path

import pytest

from demottle.benchmark.shown.figures import QUALITY
from demottle.cli.screen.tables import CAREFUL, GOOD, measured
from demottle.quality.limits import Limits
from demottle.quality.measures import MEASURES, SCORES, Measure, in_words, measure, rows_of
from demottle.quality.sequence.measures import SEQUENCE_MEASURES, error_rows

PAGES = Path(__file__).parents[2] / "docs" / "metrics"


@pytest.mark.parametrize("rows", [MEASURES, SEQUENCE_MEASURES], ids=["volumes", "runs"])
def test_no_two_measures_share_a_key_or_a_name_in_lists(rows: tuple[Measure, ...]) -> None:
    assert len({row.key for row in rows}) == len(rows)
    assert len({row.full_name("fat", "[0, 1]") for row in rows}) == len(rows)


@pytest.mark.parametrize("rows", [MEASURES, SEQUENCE_MEASURES], ids=["volumes", "runs"])
def test_rows_of_one_source_follow_each_other(rows: tuple[Measure, ...]) -> None:
    sources = [row.source for row in rows]
    assert sources == [source for source in dict.fromkeys(sources) for _ in range(sources.count(source))]


def test_every_limit_of_a_measure_is_one_of_the_gate() -> None:
    known = {field.name for field in fields(Limits)}
    named = {row.limit for row in (*MEASURES, *SEQUENCE_MEASURES) if row.limit}
    assert named <= known
    # The gate splits tissues into uniform and other ones, whose rows name the first of the two limits.
    assert known - named == {"ct_number_other", "truth_other"}


@pytest.mark.parametrize("row", SCORES, ids=lambda row: row.key)
def test_every_score_against_a_truth_is_explained_in_the_documentation(row: Measure) -> None:
    text = "\n".join(page.read_text() for page in PAGES.glob("*.md") if page.name != "index.md")
    called = {"bias": "bias", "frc": "Fourier ring correlation"}.get(row.key, row.title)
    assert re.search(rf"^# .*\b{called}\b", text, re.MULTILINE)


def test_the_benchmark_calls_and_rounds_them_as_evaluate_does() -> None:
    for kind in QUALITY:
        if kind.key in {row.key for row in SCORES}:
            row = measure(kind.key)
            assert (kind.title, kind.digits, kind.better) == (row.title, row.digits, row.better)


def test_which_way_is_better_is_shown_in_color() -> None:
    assert measured(measure("rmse"), 20.0, 5.0)[2].style == GOOD
    assert measured(measure("gmsd"), 0.1, 0.2)[2].style == CAREFUL
    assert measured(measure("psnr"), 30.0, 36.0)[2].style == GOOD
    assert measured(measure("psnr"), 30.0, 30.0)[2].style == CAREFUL
    assert measured(measure("bias"), 3.0, -0.5)[:2] == ("+3.00", "-0.50")


def test_an_infinite_psnr_is_not_a_frequency() -> None:
    assert measured(measure("psnr"), 30.0, inf)[:2] == ("30.00", "∞")
    assert measured(measure("frc"), 0.4, inf)[:2] == ("0.40", "to Nyquist")


def test_series_of_volumes_have_no_measures_of_motion() -> None:
    assert [row.key for row in error_rows("MR")] == ["psnr", "ssim", "bias"]
    assert len(error_rows("XA")) == 9


def test_names_for_lists_tell_the_reference() -> None:
    assert measure("rmse").full_name() == "RMSE against the truth"
    assert measure("gmsd").full_name(window="[-160, 240] HU") == "GMSD in [-160, 240] HU"
    assert measure("shift").full_name("fat") == "shift of fat"
    assert [row.headed("HU") for row in rows_of("repeat")[:2]] == ["noise (HU)", "RMSE, truth unknown (HU)"]
    assert measure("gmsd").headed("HU") == "GMSD, whole slices"
    assert (in_words(["one"]), in_words(["one", "two", "three"])) == ("one", "one, two and three")


def test_names_in_csv_files_stay_because_scripts_read_them() -> None:
    told = [row.full_name("fat", "[-160, 240] HU") for row in MEASURES]
    assert told == [
        "noise in flat tissue", "noise removed", "noise spectrum, peak", "noise spectrum, mean",
        "noise spectrum, shift of the peak", "noise correlation of adjacent slices", "edges in what was removed, correlation",
        "edges in what was removed, share lost", "change in air around the body", "change in metal",
        "largest spot over what noise leaves", "grain that was not in the scan", "blur of strong edges",
        "largest shift of a slice", "slices not in their place", "mean of fat",
        "shift of fat", "RMSE against the truth", "mean error against the truth", "PSNR in [-160, 240] HU",
        "SSIM in [-160, 240] HU", "VIF in [-160, 240] HU", "GMSD in [-160, 240] HU",
        "detail that follows the truth, up to (FRC 0.5)", "largest spot of the errors over what the noise before leaves",
        "RMSE of the worst slice, after over before", "mean error of fat", "noise, from two realizations",
        "RMSE, from two realizations", "removed from both realizations alike", "correlation of what was removed from both",
        "contrast of fat", "share of contrast left of fat", "share of contrast left of fat, standard error", "f50 of fat",
        "f10 of fat", "d' NPW of fat", "d' NPWE of fat", "d' CHO of fat", "d' CHO of fat, 95 % low",
        "d' CHO of fat, 95 % high", "noise-only: noise", "noise-only: shift of the mean",
        "noise-only: largest rise of noise power", "noise-only: excess kurtosis", "noise-only: strongest false disc of fat",
    ]  # fmt: skip
    told = [row.full_name("dark", "[0, 100]") for row in SEQUENCE_MEASURES]
    assert told == [
        "PSNR in [0, 100]", "PSNR where nothing moves in [0, 100]", "PSNR where something moves in [0, 100]",
        "SSIM in [0, 100]", "mean error against the truth", "error over time against the truth",
        "error over space against the truth", "flicker of the error", "error of 8 x 8 means where something moves",
        "noise of a frame in still parts", "noise removed", "noise held over to the next frame", "flicker in still parts",
        "removed where it moves, over at rest", "share of edges removed", "mean of the dark parts",
        "shift of the dark parts, share of the noise",
    ]  # fmt: skip
