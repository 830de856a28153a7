"""`demottle benchmark` on a suite that takes seconds."""

import json
import re
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle

from demottle.benchmark.engine import runner
from demottle.benchmark.suites import ct_volume
from demottle.benchmark.suites.catalog import SUITES
from demottle.cli.benchmark.arguments import SUITE_HELP
from demottle.methods import card

TINY = {"slices": 6, "size": 96, "spacing": [3.0, 4.0, 4.0], "sigma": 40.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of two entrants on two cases."""
    from typer.testing import CliRunner

    from demottle.cli import app

    folder = tmp_path_factory.mktemp("benchmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ct_volume, "QUICK", TINY)
        asked = ["benchmark", "--quick", "-o", folder, "--method", "spectral-wiener", "--threads", "1", "--jobs", "2"]
        result = CliRunner().invoke(app, [str(word) for word in asked])
    assert result.exit_code == 0, result.output
    assert "spectral-wiener" in result.output and "rho 0.45" in result.output
    return folder


def test_rows_and_a_page_that_needs_nothing_else_are_there(finished: Path) -> None:
    rows = [json.loads(line) for line in (finished / "results.jsonl").read_text().splitlines()]
    run, *cells = rows
    assert run["machine"]["processor"] and run["versions"]["numpy"] and run["asked"]["jobs"] == 2
    assert len(cells) == 4 and {row["run"] for row in cells} == {run["run"]}
    page = (finished / "benchmark.html").read_text()
    assert not re.search(r"(src|href)=.?https?:", page) and page.count("data:image/png") == 6  # truth, input, result
    assert run["machine"]["processor"] in page and "spectral-wiener" in page


def test_tables_are_made_again_without_running_anything(
    finished: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CELL", (sys.executable, "-c", "raise SystemExit(1)"))
    before = (finished / "results.jsonl").read_bytes()
    result = demottle("benchmark", "--report", "-o", finished, "--rival", "spectral-wiener", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["rival"] == "spectral-wiener" and told["failed"] == []
    assert {"psnr", "seconds", "peak_mib"} <= {one["figure"] for one in told["means"]}
    assert (finished / "results.jsonl").read_bytes() == before


def test_a_rival_without_results_is_refused(finished: Path, demottle: Demottle) -> None:
    result = demottle("benchmark", "--report", "-o", finished, "--rival", "nlm")
    assert result.exit_code == 2
    assert "nlm has no results to compare with; there are: input, spectral-wiener." in " ".join(result.output.split())


def test_ctrl_c_says_what_is_there(tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner.time, "sleep", stop)
    monkeypatch.setattr(runner, "CELL", (sys.executable, "-c", "import sys; sys.stdin.read(); input()"))
    result = demottle("benchmark", "--quick", "-o", tmp_path / "out", "--method", "nlm")
    assert result.exit_code == 130
    assert "0 of 4 results" in result.output and "continues from there" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--suite", "pet"], 'There is no suite "pet". The suites are: ct-volume'),
        (["--method", "magic"], "There is no magic in this suite; there are: input"),
        (["--method", "nlm", "--rival", "magic"], "There is no magic to compare with, neither in this run"),
        (["--minutes", "-1"], "not a time to learn in"),
        (["--minutes", "nan"], "not a time to learn in"),
        (["--wall", "0", "--quick"], "has to be positive"),
        (["--seeds", "0"], "greater than or equal to 1"),
        (["--real", "nowhere"], "There is no file or folder nowhere"),
        (["--real", ".", "--suite", "mr"], "mr takes no real scans"),
        (["--report"], "no results of ct-volume"),
        (["--case", "rho 7*", "--suite", "speed"], "No case of speed is called 'rho 7*'; its kinds are: denoise, 500"),
        (["--cohort"], "ct-volume learns from no cohort"),
        (["--method", "tv:nothing=1"], "tv has no setting nothing"),
        (["--method", "tv:iterations"], "is not of the form key=value"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_leaves_nothing(
    options: list[str], says: str, demottle: Demottle, tmp_path: Path
) -> None:
    result = demottle("benchmark", "-o", tmp_path / "out", *options)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.output.replace("│", " ").split())
    assert "Traceback" not in result.output and not (tmp_path / "out").exists()


def test_a_suite_of_the_public_scans_says_how_to_name_them_and_shows_results_without(
    demottle: Demottle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEMOTTLE_REAL_DATA", raising=False)
    result = demottle("benchmark", "--suite", "ct-real", "-o", tmp_path / "out")
    assert result.exit_code == 2 and "--real or DEMOTTLE_REAL_DATA" in " ".join(result.output.split())
    result = demottle("benchmark", "--suite", "ct-real", "--report", "-o", tmp_path / "out")
    assert "no results of ct-real" in " ".join(result.output.split())


@pytest.mark.slow
def test_a_suite_that_judges_a_decision_shows_its_figures_like_the_others(demottle: Demottle, tmp_path: Path) -> None:
    asked = ["benchmark", "--suite", "fluoroscopy-wires", "--quick", "--method", "nvca", "-o", tmp_path / "out"]
    result = demottle(*asked)
    assert result.exit_code == 0, result.output
    assert "fluoroscopy-wires, judge" in result.output and "nvca" in result.output
    assert "detectability, wires of 4" in (tmp_path / "out" / "benchmark.html").read_text()
    again = demottle(*asked)
    assert "4 of 4 results are in" in " ".join(again.output.split())


def test_what_lacks_its_package_says_how_to_get_it(
    tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "find_spec", lambda name: None)
    for name in ("bm4d", "bm4d-white", "bm4d-true-spectrum"):
        result = demottle("benchmark", "-o", tmp_path / "out", "--method", name)
        assert result.exit_code == 2, result.output
        assert "the package bm4d, which is not installed; pip install" in " ".join(result.stderr.split())
    result = demottle("benchmark", "-o", tmp_path / "out", "--suite", "fluoroscopy", "--method", "bm4d")
    assert "There is no bm4d in this suite" in " ".join(result.stderr.split())


@pytest.mark.parametrize("option", ["--cache", "--out"])
def test_a_file_where_a_folder_is_needed_is_found_before_anything_runs(
    option: str, tmp_path: Path, demottle: Demottle
) -> None:
    (tmp_path / "file").write_text("content")
    result = demottle("benchmark", "--quick", "-o", tmp_path / "out", "--method", "nlm", option, tmp_path / "file")
    assert result.exit_code == 2, result.output
    assert "file is a file, but a folder is needed there" in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_run_of_which_nothing_came_ends_with_code_1(
    tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CELL", (sys.executable, "-c", "import sys; sys.stdin.read(); raise SystemExit(1)"))
    asked = ("benchmark", "--quick", "-o", tmp_path, "--method", "nlm", "--threads", "1")
    result = demottle(*asked)
    assert result.exit_code == 1, result.output
    assert "Everything that ran failed" in " ".join(result.stderr.split())
    assert demottle(*asked).exit_code == 0  # nothing was run


def test_lines_that_are_no_results_are_counted_and_left_out(finished: Path, tmp_path: Path, demottle: Demottle) -> None:
    good = (finished / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").write_bytes(good + b'{"key": 1}\n\xff\xfe\n[]\n{"half')
    result = demottle("benchmark", "--report", "-o", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    assert "Warning: 4 lines of" in result.stderr and "could not be read as results" in " ".join(result.stderr.split())
    assert len(json.loads(result.stdout)["means"]) > 0


def test_a_results_file_that_is_not_text_is_one_sentence(tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "results.jsonl").write_bytes(bytes(range(256)))
    result = demottle("benchmark", "--report", "-o", tmp_path)
    assert result.exit_code == 2
    assert "results.jsonl is not text" in " ".join(result.stderr.split()) and "bug" not in result.stderr


def test_the_help_names_every_suite_once() -> None:
    named = re.findall(r"[a-z-]+(?=[,;.])", SUITE_HELP.removeprefix("Suite."))
    assert sorted(named) == sorted(SUITES)
