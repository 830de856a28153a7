from pathlib import Path

from demottle.benchmark.engine.entrants import Entrant
from demottle.benchmark.engine.results import Cell, Results
from demottle.benchmark.suites.cases import CaseSpec

from .conftest import MakeRow


def test_a_line_cut_short_by_a_kill_is_left_out_and_does_not_spoil_the_next(tmp_path: Path, make_row: MakeRow) -> None:
    results = Results(tmp_path / "results.jsonl")
    results.add(make_row("nlm", 0))
    with results.path.open("a") as file:
        file.write('{"key": "half", "sui')
    again = Results(results.path)
    assert [row["entrant"] for row in again.rows] == ["nlm"]
    again.add(make_row("tv", 0))
    assert [row["entrant"] for row in Results(results.path).rows] == ["nlm", "tv"]


def test_the_last_row_of_a_key_counts(tmp_path: Path, make_row: MakeRow) -> None:
    results = Results(tmp_path / "results.jsonl")
    results.add(make_row("nlm", 0, status="failed", reason="x"))
    results.add(make_row("nlm", 0, psnr=31.0))
    (row,) = Results(results.path).rows
    assert row["status"] == "done" and row["quality"]["psnr"] == 31.0


def test_what_a_result_depends_on_is_in_its_key_and_threads_are_not() -> None:
    case = CaseSpec("ct-volume", "rho 0", 1, {"sigma": 40.0})
    cell = Cell(case, Entrant("nlm", "nlm"), 0.5, 2)
    others = [
        Cell(CaseSpec("ct-volume", "rho 0", 2, {"sigma": 40.0}), Entrant("nlm", "nlm"), 0.5, 2),
        Cell(CaseSpec("ct-volume", "rho 0", 1, {"sigma": 30.0}), Entrant("nlm", "nlm"), 0.5, 2),
        Cell(case, Entrant("nlm", "nlm", {"h": 1.0}), 0.5, 2),
        Cell(case, Entrant("nlm", "nlm"), 0.7, 2),
    ]
    assert cell.key not in {other.key for other in others}
    assert cell.key == Cell(case, Entrant("nlm", "nlm"), 0.5, 8).key
    assert Cell.from_dict(cell.to_dict()) == cell
