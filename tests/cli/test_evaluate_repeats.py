"""Repeats of a phantom, with and without its discs, on the command line."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle

from demottle.cli.evaluate.batch_cases import cases_of
from demottle.cli.evaluate.case import Given
from demottle.errors import InputError
from demottle.quality.measures import measure


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two low-contrast scans of ten slices, and two without discs; results are the scans themselves."""
    from typer.testing import CliRunner

    from demottle.cli import app

    folder = tmp_path_factory.mktemp("discs")
    arguments = ["--kind", "low-contrast", "--slices", "10", "--size", "128", "--repeats", "2", "--correlation", "0"]
    made = CliRunner().invoke(app, ["simulate", "phantom", "-o", str(folder), *arguments, "--sigma", "4"])
    assert made.exit_code == 0, made.output
    return folder


def arguments(folder: Path, absent: str = "absent/repeat-{repeat}") -> tuple[str, ...]:
    repeats = f"{folder}/repeat-{{repeat}}"
    without = f"{folder}/{absent}"
    return (
        "evaluate", repeats, "--input", repeats, "--structures", f"{folder}/truth.json",
        "--absent-input", without, "--absent-output", without,
    )  # fmt: skip


def test_all_repeats_are_shown_to_the_observer(phantom: Path, tmp_path: Path, demottle: Demottle) -> None:
    page, table = tmp_path / "page.html", tmp_path / "figures.csv"
    result = demottle(*arguments(phantom), "--html", page, "--csv", table)
    assert result.exit_code == 0, result.output
    for said in (
        "Is the disc seen?",
        "2 scans and 2 without objects",
        "Which of two discs is it?",
        "Out of pure noise",
    ):
        assert said in result.stdout
    assert "What an observer sees" in page.read_text() and "Out of pure noise" in page.read_text()
    assert "d' CHO of seeing disc 3 mm, 14 HU" in table.read_text()
    told = json.loads(demottle(*arguments(phantom), "--json").stdout)
    assert told["scans"] == {"with": 2, "without": 2}
    first = told["observers"][0]
    assert first["before"]["present"] >= 10 and first["before"]["dprime_low"] <= first["before"]["dprime"]
    assert (first["change"], told["noise_only"]["shift"]) == (0, 0)  # results are the scans themselves


ON_SCREEN = (
    *("noise", "slice_leak", "shift", "contrast_left"),
    *("flat_noise", "flat_shift", "flat_rise", "flat_kurtosis", "false_disc"),
)
ON_THE_PAGE = ("shift", "edge_correlation", "edge_loss", "contrast_left", *ON_SCREEN[4:])


def test_titles_of_measures_are_read_from_their_rows(
    phantom: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A title is changed in its row and nowhere else: tables and page follow."""
    page = tmp_path / "page.html"
    for key in {*ON_SCREEN, *ON_THE_PAGE}:
        monkeypatch.setitem(vars(measure(key)), "title", f"⟨{key}⟩")
    said = demottle(*arguments(phantom), "--html", page).stdout
    assert [key for key in ON_SCREEN if measure(key).title not in said] == []
    assert [key for key in ON_THE_PAGE if measure(key).title not in page.read_text()] == []


def test_names_that_do_not_fit_are_refused(phantom: Path, demottle: Demottle) -> None:
    nothing = demottle(*arguments(phantom, "none/repeat-{repeat}"))
    assert nothing.exit_code == 2 and "Nothing is called" in nothing.stderr
    known = ("--structures", phantom / "truth.json")
    half = demottle(
        "evaluate", phantom / "repeat-1", "--input", phantom / "repeat-1", "--absent-input", phantom, *known
    )
    assert half.exit_code == 2 and "--absent-output" in half.stderr
    pattern = phantom / "repeat-{repeat}"
    alone = demottle("evaluate", pattern, "--input", pattern)
    assert alone.exit_code == 2 and "--structures" in alone.stderr
    with pytest.raises(InputError, match="in neither"):
        Given(pattern, phantom / "repeat-1").repeats()


def test_ten_comes_after_two_and_repeats_of_a_batch_are_one_case(tmp_path: Path) -> None:
    for name in ("repeat-10", "repeat-2", "repeat-1"):
        (tmp_path / "a" / name).mkdir(parents=True)
    (case,) = cases_of(f"{tmp_path}/{{case}}/repeat-{{repeat}}", Given(None, tmp_path / "in" / "{case}-{repeat}"))
    assert case.case == "a"
    assert [str(one.scan) for one in case.given.repeats()] == [f"{tmp_path}/in/a-{n}" for n in (1, 2, 10)]
