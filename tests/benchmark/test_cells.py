"""One cell of every suite, from its case to its row."""

from pathlib import Path
from typing import Any

import pytest

from demottle.benchmark.engine.cell import reason_of, run_cell
from demottle.benchmark.engine.entrants import BOUND, Entrant
from demottle.benchmark.engine.results import Cell, Row
from demottle.benchmark.suites.cases import CaseSpec
from demottle.errors import InputError

CT = {"slices": 6, "size": 96, "spacing": [3.0, 4.0, 4.0]}


def row_of(cache: Path, suite: str, recipe: dict[str, Any], name: str, minutes: float | None = None) -> Row:
    entrant = Entrant(name, "" if name == BOUND else name)
    return run_cell(Cell(CaseSpec(suite, "g", 5, recipe, shown=True), entrant, minutes, 1), cache, alone=True)


@pytest.mark.parametrize(
    ("suite", "recipe", "name"),
    [
        ("mr", {"slices": 4, "size": 96, "spacing": [2.0, 2.4, 2.4], "percent": 7.0}, "nlm"),
        ("fluoroscopy", {"size": 96, "frames": 14, "pixel": 0.4, "quanta": 24.0, "motion": "static"}, "recursive"),
    ],
)
def test_a_filter_lowers_the_error(suite: str, recipe: dict[str, Any], name: str, tmp_path: Path) -> None:
    before = run_cell(Cell(CaseSpec(suite, "g", 5, recipe), Entrant("input"), None, 1), tmp_path, alone=False)
    after = row_of(tmp_path, suite, recipe, name)
    assert after["status"] == "done", after
    assert after["quality"]["psnr"] > before["quality"]["psnr"] + 1
    assert after["picture"] and after["settings"] and "picture" not in before


@pytest.mark.slow
def test_an_unpaired_method_is_trained_on_the_cohort_and_judged_on_the_new_patient(tmp_path: Path) -> None:
    recipe = {**CT, "low": 40.0, "full": 12.0, "rho": 0.2}
    for name in ("pdml", "supervised"):
        row = row_of(tmp_path, "ct-unpaired", recipe, name, minutes=0.1)
        assert row["status"] == "done", row
        assert row["sees_truth"] is (name == "supervised") and row["cost"]["learning"] > 1


@pytest.mark.slow
def test_the_bound_learns_from_the_truth(tmp_path: Path) -> None:
    recipe = {**CT, "size": 128, "spacing": [3.0, 3.0, 3.0], "sigma": 40.0, "rho": 0.3}
    rows = {name: row_of(tmp_path, "ct-volume", recipe, name, minutes=0.5) for name in (BOUND, "spectral-wiener")}
    assert rows[BOUND]["status"] == "done", rows[BOUND]
    assert rows[BOUND]["quality"]["psnr"] > rows["spectral-wiener"]["quality"]["psnr"]
    assert rows[BOUND]["steps"] > 5


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "There was not enough memory."),
        (InputError("The scan is empty; give another."), "The scan is empty; give another."),
        (ValueError("a\n  b"), "ValueError: a b"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_cell_that_fails_says_why_in_one_line(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason
