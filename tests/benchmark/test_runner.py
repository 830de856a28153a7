import json
import math
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from demottle.benchmark.engine import runner
from demottle.benchmark.engine.entrants import Entrant
from demottle.benchmark.engine.results import Results
from demottle.benchmark.engine.runner import Work, cells_of, run_cells, seconds_left, took_before
from demottle.benchmark.suites.cases import CaseSpec
from demottle.errors import InputError
from demottle.events import Progress

from .conftest import TWO, MakeRow


def test_every_entrant_is_measured_on_every_case_and_denoising_lowers_the_error(finished: Path) -> None:
    rows = Results(finished / "results.jsonl").rows
    assert {(row["entrant"], row["group"]) for row in rows} == {
        (name, group) for name in ("input", "spectral-wiener") for group in ("rho 0.12", "rho 0.45")
    }
    error = {(row["entrant"], row["group"]): row["quality"]["rmse"] for row in rows}
    for group in ("rho 0.12", "rho 0.45"):
        assert error["spectral-wiener", group] < error["input", group]
    assert all(row["cost"]["peak_mib"] > 30 and row["status"] == "done" for row in rows)
    assert all(row["cost"]["seconds"] > 0 for row in rows if row["entrant"] != "input")


def test_what_is_there_is_not_run_again(
    finished: Path, cache: Path, specs: tuple[CaseSpec, ...], tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes((finished / "results.jsonl").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "CELL", (sys.executable, "-c", "raise SystemExit(1)"))
        assert run_cells(cells_of(specs, TWO, 0.1, 1), Results(path), Work(cache=cache))
    assert path.read_bytes() == (finished / "results.jsonl").read_bytes()


def test_ctrl_c_keeps_what_is_done_and_the_same_call_goes_on(
    finished: Path, cache: Path, specs: tuple[CaseSpec, ...], tmp_path: Path
) -> None:
    path, cells = tmp_path / "results.jsonl", cells_of(specs[:1], TWO, 0.1, 1)

    def stop_after_one(event: Progress) -> None:
        if event.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="1 of 2 results"):
        run_cells(cells, Results(path), Work(threads=1, cache=cache), stop_after_one)
    first = path.read_text()
    assert len(first.splitlines()) == 1
    assert run_cells(cells, Results(path), Work(threads=1, cache=cache))
    assert path.read_text().startswith(first)
    assert [json.loads(line)["entrant"] for line in path.read_text().splitlines()] == ["input", "spectral-wiener"]


def test_the_clock_ends_the_work_without_half_a_result(
    cache: Path, specs: tuple[CaseSpec, ...], tmp_path: Path
) -> None:
    results = Results(tmp_path / "results.jsonl")
    assert not run_cells(cells_of(specs, TWO, 0.1, 1), results, Work(wall=0.05, cache=cache))
    assert results.rows == []


def test_a_method_that_refuses_becomes_a_row_with_its_reason(
    cache: Path, finished: Path, specs: tuple[CaseSpec, ...], tmp_path: Path
) -> None:
    results = Results(tmp_path / "results.jsonl")
    wrong = Entrant("wrong", "spectral-wiener", {"nonsense": 1})
    assert run_cells(cells_of(specs[:1], [wrong], 0.1, 1), results, Work(threads=1, cache=cache))
    (row,) = results.rows
    assert (row["status"], row["entrant"]) == ("failed", "wrong")
    assert "has no setting nonsense" in row["reason"]
    results.forget_failures()
    assert not results.has(cells_of(specs[:1], [wrong], 0.1, 1)[0])


def test_a_process_that_dies_becomes_a_row_that_says_how(
    cache: Path, specs: tuple[CaseSpec, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CELL", (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    results = Results(tmp_path / "results.jsonl")
    assert run_cells(cells_of(specs[:1], TWO[1:], 0.1, 1), results, Work(cache=cache))
    assert results.rows[0]["reason"] == "The process was ended by signal 9."


def test_minutes_limit_only_what_learns_and_the_usual_rivals_come_first(specs: tuple[CaseSpec, ...]) -> None:
    everybody = [*TWO, *(Entrant(name, name) for name in ("ns-n2n", "tv", "guided-bayes"))]
    cells = cells_of(specs, everybody, 0.5, 1)
    assert {cell.entrant.name for cell in cells if cell.minutes == 0.5} == {"ns-n2n", "guided-bayes"}
    assert [cell.entrant.name for cell in cells] == [
        *["input", "spectral-wiener", "guided-bayes"] * 2,
        *["ns-n2n", "tv"] * 2,
    ]


def test_what_would_not_end_in_time_is_not_begun(
    finished: Path, cache: Path, specs: tuple[CaseSpec, ...], tmp_path: Path, make_row: MakeRow
) -> None:
    results = Results(tmp_path / "results.jsonl")
    results.add(make_row("spectral-wiener", 99, seconds=1000.0))
    assert not run_cells(cells_of(specs[:1], TWO, 0.1, 1), results, Work(threads=1, wall=200, cache=cache))
    assert [row["entrant"] for row in results.rows if row["seed"] != 99] == ["input"]


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"threads": 0}, {"wall": 0.0}, {"wall": float("nan")}])
def test_work_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"at least one job|has to be positive"):
        Work(**wrong)  # type: ignore[arg-type]


def test_the_time_left_is_by_what_is_known_and_falls_as_cells_are_done(
    specs: tuple[CaseSpec, ...], tmp_path: Path, make_row: MakeRow
) -> None:
    everybody = [
        *TWO,
        Entrant("tv", "tv"),
        Entrant("ns-n2n", "ns-n2n"),
        Entrant("matched-neighbors", "matched-neighbors"),
    ]
    waiting = [(cell, 0.0) for cell in cells_of(specs, everybody, 0.5, 1)]
    seconds = {"input": 1.0, "spectral-wiener": 4.0, "tv": 6.0, "ns-n2n": 33.0, "matched-neighbors": 31.0}
    results, told = Results(tmp_path / "results.jsonl"), []
    while waiting:
        told.append(seconds_left(waiting, *took_before(results), 1))
        entrant = waiting.pop(0)[0].entrant
        results.add(make_row(entrant.name, len(waiting), seconds=seconds[entrant.name], learns=entrant.learns))
    assert all(after < left + 5 for left, after in pairwise(told)), told
    assert 120 < told[0] <= 240  # 150 s in truth; the input takes no time, what learns may take 30 s


def test_nothing_is_said_of_the_time_left_without_ground_for_it(specs: tuple[CaseSpec, ...]) -> None:
    cells = [(cell, 0.0) for cell in cells_of(specs[:1], [*TWO, Entrant("tv", "tv"), Entrant("nlm", "nlm")], 0.5, 1)]
    assert math.isnan(seconds_left(cells, {"input": 1.0}, math.nan, 1))
    one = [(cells[1][0], 3.0), *cells[2:]]
    assert seconds_left(one, {"spectral-wiener": 10.0, "tv": 5.0, "nlm": 1.0}, 5.0, 1) == pytest.approx(13)
    assert seconds_left(one, {"spectral-wiener": 10.0, "tv": 5.0, "nlm": 1.0}, 5.0, 2) == pytest.approx(7)


def test_ctrl_c_ends_what_a_cell_has_started_and_leaves_no_files(
    cache: Path, specs: tuple[CaseSpec, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    script = (
        "import pathlib, subprocess, sys, tempfile; child = subprocess.Popen(['sleep', '60']); "
        f"pathlib.Path({str(told)!r}).write_text(f'{{child.pid}} {{tempfile.mkdtemp()}}'); sys.stdin.read(); child.wait()"
    )
    monkeypatch.setattr(runner, "CELL", (sys.executable, "-c", script))

    def stop(event: Progress) -> None:
        if told.exists() and told.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cells(cells_of(specs[:1], TWO[:1], 0.1, 1), Results(tmp_path / "r.jsonl"), Work(cache=cache), stop)
    child, folder = told.read_text().split()
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child still runs")
    assert not Path(folder).exists()
