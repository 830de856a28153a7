"""A run does every series once, says why one failed, and goes on where it ended, however it ended."""

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.archive.run.small import carried_out, digests, order_of, quickly, results_of, small_archive

from demottle.archive.layout import Archive
from demottle.archive.run.drive import ATTEMPTS, take_back
from demottle.archive.run.engines.engine import Ended
from demottle.archive.run.engines.plain import Plain
from demottle.archive.run.entering import enter
from demottle.archive.run.order import Job, Order
from demottle.archive.run.state import State
from demottle.archive.run.work import work
from demottle.archive.sole import sole_program
from demottle.errors import OutputError
from demottle.quality.limits import Limits

TASK = "demottle.archive.run.tasks.denoise.run"


def test_every_series_is_denoised_once_and_the_originals_stay(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 3)
    before, order = digests(tmp_path / "scans"), order_of(archive)
    told = carried_out(order)
    assert not told.why and told.state.counts() == {"waiting": 0, "running": 0, "done": 3, "failed": 0}
    rows = results_of(order)
    assert [row["state"] for row in rows.values()] == ["done"] * 3
    for row in rows.values():
        assert row["noise_after"] < row["noise_before"] and row["seconds"] > 0 and row["attempts"] == 1
        assert len(list(Path(row["output"]).iterdir())) == 2 and row["machine"] and row["demottle"]
        assert {one["name"] for one in json.loads(row["verdicts"])} >= {"noise", "edge_loss"}
    made = digests(tmp_path / "out")
    assert len(made) == 6 and digests(tmp_path / "scans") == before
    again = carried_out(order)
    assert again.pace.count == 0 and digests(tmp_path / "out") == made and results_of(order) == rows


def test_a_series_that_fails_has_a_reason_and_the_others_go_on(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 3)
    file = next((tmp_path / "scans/P0/S1").iterdir())
    whole = file.read_bytes()
    file.write_bytes(whole[:400])
    shutil.rmtree(tmp_path / "scans/P0/S2")
    order = order_of(archive)
    told = carried_out(order)
    assert told.state.counts()["done"] == 1 and told.state.counts()["failed"] == 2
    reasons = {key: row["reason"] for key, row in results_of(order).items() if row["state"] == "failed"}
    assert "changed" in reasons[f"{1:016x}"] and "missing" in reasons[f"{2:016x}"]
    assert str(tmp_path) not in " ".join(reasons.values())
    assert told.state.retry_failed() == 2
    told.state.close()
    file.write_bytes(whole)
    carried_out(order)
    assert [row["state"] for row in results_of(order).values()] == ["done", "done", "failed"]


def test_a_result_that_fails_the_gate_is_put_aside_and_counted_as_failed(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 1)
    order = order_of(archive, force=False, pages=True, limits=Limits(noise=0.0001))
    told = carried_out(order)
    (row,) = results_of(order).values()
    assert told.state.counts()["failed"] == 1 and row["gate"] == "failed" and "fails the gate" in row["reason"]
    assert not (tmp_path / "out").exists() and Path(row["output"]).is_relative_to(tmp_path / "out-refused")
    assert Path(row["page"]).is_file() and json.loads(Path(row["record"]).read_text())["gate"]["state"] == "failed"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TASK, quickly)


def _begun(order: Order) -> tuple[State, Job]:
    """A run whose program was killed when a series had been given out."""
    state = State(order.folder)
    enter(Archive(order.archive), state, "denoise")
    job = state.next()
    assert job is not None
    return state, job


def test_what_had_ended_when_the_program_was_killed_is_not_done_again(tmp_path: Path, quick: None) -> None:
    order = order_of(small_archive(tmp_path, 2))
    state, job = _begun(order)
    work(order, job)
    made = digests(tmp_path / "out")
    state.close()
    carried_out(order)
    assert made.items() <= digests(tmp_path / "out").items() and len(results_of(order)) == 2
    assert [row["attempts"] for row in results_of(order).values()] == [1, 1]
    assert not list((order.folder / "rows").iterdir()) and not list((order.folder / "tries").iterdir())


def test_what_had_not_ended_is_begun_anew_after_the_others(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_of(small_archive(tmp_path, 2))
    state, job = _begun(order)

    def ended_by_force(*given: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(TASK, ended_by_force)
        work(order, job)
    assert take_back(order, state) == 0
    nearest = state.next()
    assert nearest is not None and nearest.key != job.key
    state.close()
    carried_out(order)
    rows = results_of(order)
    assert rows[job.key]["attempts"] == 2 and rows[nearest.key]["attempts"] == 1


def test_rows_of_which_the_state_was_not_told_are_not_there_twice(tmp_path: Path, quick: None) -> None:
    order = order_of(small_archive(tmp_path, 2))
    told = carried_out(order)
    (part,) = (order.folder / "results").iterdir()
    with told.state.step() as db:  # killed between the file and the note of it
        db.execute("UPDATE series SET part = NULL")
    shutil.copy(part, part.with_name("part-000007.parquet"))
    told.state.close()
    carried_out(order)
    assert len(results_of(order)) == 2


class _Dying(Plain):
    """The worker dies at one series."""

    def __init__(self, order: Order, key: str) -> None:
        super().__init__(order)
        self._key, self._kept = key, order

    def wait(self, seconds: float) -> list[Ended]:
        job = self._job
        if job is None or job.key != self._key:
            return super().wait(seconds)
        self._job = None
        place = job.tries(self._kept)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(place.read_bytes() + b"." if place.exists() else b".")
        return [Ended(job, died="was killed (SIGKILL)")]


def test_a_series_that_kills_its_worker_is_given_up_and_costs_no_other(tmp_path: Path, quick: None) -> None:
    order = order_of(small_archive(tmp_path, 3))
    carried_out(order, _Dying(order, f"{0:016x}"))
    rows = results_of(order)
    assert rows[f"{0:016x}"]["state"] == "failed" and rows[f"{0:016x}"]["attempts"] == ATTEMPTS
    assert "SIGKILL" in rows[f"{0:016x}"]["reason"] and [rows[f"{n:016x}"]["state"] for n in (1, 2)] == ["done"] * 2


def test_a_disk_that_fills_stops_the_run_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = order_of(small_archive(tmp_path, 2))

    def full(*given: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "out"))

    with monkeypatch.context() as patched:
        patched.setattr(TASK, full)
        told = carried_out(order)
    monkeypatch.setattr(TASK, quickly)
    assert "full" in told.why and told.state.counts()["waiting"] == 2
    told.state.close()
    monkeypatch.setattr("demottle.archive.run.drive._RESERVE", 1 << 60)
    assert "nearly full" in carried_out(order).why
    monkeypatch.setattr("demottle.archive.run.drive._RESERVE", 0)
    assert carried_out(order).state.counts()["done"] == 2


def test_stopping_leaves_what_waits(tmp_path: Path, quick: None) -> None:
    order = order_of(small_archive(tmp_path, 3))
    seen: list[int] = []
    told = carried_out(order, stop=lambda: len(seen) > 0, show=lambda told: seen.append(1))
    assert told.why and told.state.counts()["done"] == 1 and told.state.counts()["waiting"] == 2


_HOLD = """
import pathlib, sys, time
from demottle.archive.sole import sole_program
with sole_program(pathlib.Path(sys.argv[1])):
    print(flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_lower_dose_of_a_body_that_is_cut_off_is_simulated_where_that_is_accepted(tmp_path: Path) -> None:
    archive = small_archive(tmp_path, 1, size=160, slices=8, cut=16)
    order = order_of(archive, "simulate", dose=0.5)
    told = carried_out(order, verb="simulate")
    assert told.state.counts()["failed"] == 1
    (reason,) = (reason for _, reason in told.state.failures(1))
    assert "beyond the field of view" in reason and "--accept-truncated" in reason
    again = order_of(archive, "accepted", dose=0.5, accept_truncated=True)
    assert carried_out(again, verb="simulate").state.counts()["done"] == 1
    (row,) = results_of(again).values()
    assert row["noise_after"] > 1.2 * row["noise_before"]


def test_two_programs_do_not_work_at_one_run(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        with pytest.raises(OutputError, match="Another program is at work"), sole_program(tmp_path):
            pass
        other.kill()
    with sole_program(tmp_path):
        pass
