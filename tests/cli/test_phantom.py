"""`demottle phantom`: from a simulated scan to tables, page, CSV, JSON and history, as a user runs it."""

import csv
import json
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle
from typer.testing import CliRunner

from demottle.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "phantom-qa.md").read_text()
SMALLER = ["--size", "200", "--spacing", "4,1.15,1.15", "--sigma", "4"]


def _commands() -> list[list[str]]:
    """The commands on the documentation page that need no scanner."""
    block = next(block for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) if "simulate" in block)
    return [line.split()[1:] for line in block.strip().splitlines()]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scan that the documentation's command makes, smaller."""
    folder = tmp_path_factory.mktemp("qa")
    simulate, measure = _commands()
    assert simulate[:4] == ["simulate", "phantom", "-o", "qa"] and measure == ["phantom", "qa/scan"]
    done = CliRunner().invoke(app, [*simulate[:3], str(folder), *simulate[4:], *SMALLER])
    assert done.exit_code == 0, done.output
    return folder / "scan"


def test_the_commands_of_the_documentation_find_the_phantom_and_measure_it(scan: Path, demottle: Demottle) -> None:
    done = demottle("phantom", scan)
    assert done.exit_code == 0, done.output
    assert "Catphan 504  turned by 3.0 degrees, tilted by 2.2 degrees" in done.stdout
    assert re.search(r"Teflon \(HU\) +(99\d|100\d)\.\d +941 to 1060", done.stdout)
    assert re.search(r"mean of the ramps \(mm\) +(3\.[89]|4\.[01])\d +3 to 5", done.stdout)
    assert re.search(r"f50 of Teflon \(1/mm\) +0\.2[67]\d", done.stdout)  # a blur of 0.69 mm


def test_before_and_after_go_into_page_table_json_and_history(scan: Path, tmp_path: Path, demottle: Demottle) -> None:
    page, table, history = tmp_path / "page.html", tmp_path / "figures.csv", tmp_path / "history.csv"
    arguments = [
        "phantom",
        scan,
        "--after",
        scan.parent / "truth",
        "--html",
        page,
        "--csv",
        table,
        "--history",
        history,
    ]
    done = demottle(*arguments, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["kind"] == "catphan-504" and abs(told["pose"]["roll"] - 3) < 0.5
    noise = next(f for f in told["figures"] if f["name"] == "standard deviation")
    assert noise["before"] > 3 and noise["after"] < 0.5
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["figure"] for row in rows] == [figure["name"] for figure in told["figures"]]
    assert {"CT number", "uniformity", "noise", "sharpness", "low contrast", "slice thickness"} <= {
        r["group"] for r in rows
    }
    html = page.read_text()
    assert html.count("data:image/png") == 2 * 4 and "<script" not in html and not re.search(r"(src|href)=.http", html)
    assert "Sharpness of each rod (TTF)" in html and "within stated ranges" in html
    first = history.read_text()
    assert {row["image"] for row in csv.DictReader(first.splitlines())} == {"before", "after"}

    refused = demottle(*arguments)
    assert refused.exit_code == 2 and "exists already" in refused.stderr
    again = demottle(*arguments, "--overwrite")
    assert again.exit_code == 0, again.output
    assert history.read_text() == first  # the same scan is not counted twice


def test_a_page_that_fails_leaves_the_history_as_it_was(
    scan: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the next run would say of figures that nobody has seen that they are known."""
    page, history = tmp_path / "page.html", tmp_path / "new" / "history.csv"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", str(page))

    monkeypatch.setattr("demottle.report.phantom.page.write_phantom_page", fail)
    done = demottle("phantom", scan, "--html", page, "--history", history)
    assert done.exit_code == 2 and "The disk is full" in done.stderr and list(tmp_path.iterdir()) == []


def test_a_history_is_no_table_of_figures(scan: Path, tmp_path: Path, demottle: Demottle) -> None:
    done = demottle("phantom", scan, "--csv", tmp_path / "a.csv", "--history", tmp_path / "a.csv")
    assert done.exit_code == 2 and "Two results would be called" in done.stderr and list(tmp_path.iterdir()) == []


def test_what_cannot_be_is_refused_before_anything_is_written(scan: Path, tmp_path: Path, demottle: Demottle) -> None:
    page = tmp_path / "page.html"
    other = demottle("phantom", scan, "--kind", "catphan-700", "--html", page)
    assert other.exit_code == 2 and "The rods or discs of a Catphan 700 were not found" in other.stderr
    unknown = demottle("phantom", scan, "--kind", "catphan-404")
    assert unknown.exit_code == 2 and "no QA phantom 'catphan-404'" in unknown.stderr
    day = demottle("phantom", scan, "--history", tmp_path / "h.csv", "--date", "31.3.2026")
    assert day.exit_code == 2 and "'31.3.2026' does not name a day" in day.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_history_without_a_date_asks_for_it(scan: Path, tmp_path: Path, demottle: Demottle) -> None:
    from demottle import io

    nameless = tmp_path / "scan.nii.gz"
    io.write(io.read(scan), nameless)
    asked = demottle("phantom", nameless, "--modality", "CT", "--unit", "HU", "--history", tmp_path / "h.csv")
    assert asked.exit_code == 2 and "--date YYYY-MM-DD" in asked.stderr and not (tmp_path / "h.csv").exists()


def test_a_scan_without_a_phantom_is_refused_in_one_sentence(simulated: Path, demottle: Demottle) -> None:
    done = demottle("phantom", simulated / "scan")
    assert done.exit_code == 2
    assert len([line for line in done.stderr.splitlines() if "Error:" in line]) == 1
