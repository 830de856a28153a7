"""Several processes at once: one that dies costs what it was at, and Ctrl-C ends them with nothing half-written."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.cli.conftest import Start

from demottle.workers import Workers


def _begin(folder: Path) -> Callable[[int], tuple[int, str]]:
    """A worker that squares numbers, is killed by 3, and is long at numbers above 100."""

    def do(number: int) -> tuple[int, str]:
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if number > 100:
            half = folder / f"half-written-{number}"
            half.touch()
            try:
                time.sleep(60)
            finally:
                half.unlink()
        return number**2, os.environ["OMP_NUM_THREADS"]

    return do


@pytest.mark.slow
def test_a_process_that_dies_costs_the_job_that_it_was_at(tmp_path: Path) -> None:
    before = dict(os.environ)
    with Workers(partial(_begin, tmp_path), 2, threads=3) as workers:
        ended = {one.job: one for one in workers.results(range(6))}
    assert {number: one.answer for number, one in ended.items() if number != 3} == {
        number: (number**2, "3") for number in (0, 1, 2, 4, 5)
    }
    assert ended[3].answer is None and ended[3].died == "was killed (SIGKILL, perhaps for want of memory)"
    assert dict(os.environ) == before


@pytest.mark.slow
def test_workers_that_are_left_by_an_exception_remove_what_is_half_written(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Workers(partial(_begin, tmp_path), 2) as workers:
        for one in workers.results([1, 101, 102]):
            assert one.job == 1
            while not list(tmp_path.glob("half-*")):
                time.sleep(0.1)
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [] and time.monotonic() - begun < 50


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_nothing_else(simulated: Path, tmp_path: Path, start_demottle: Start) -> None:
    for name in "abcdef":
        shutil.copytree(simulated / "scan", tmp_path / "scans" / name)
    out = tmp_path / "out"
    process = start_demottle("denoise", tmp_path / "scans", "-o", out, "--method", "nl-bayes", "--jobs", "2")
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if re.match(r"\[\d/6\]", line):
            process.send_signal(signal.SIGINT)
            break
    said += process.stderr.read()
    assert process.wait(timeout=300) == 130, said
    finished = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    rows = (tmp_path / "out-report" / "results.csv").read_text().splitlines()[1:]
    assert 1 <= len(rows) < 6 and {row.split(",")[0] for row in rows} <= finished
    assert f"Stopped. {len(rows)} of 6 scans are finished and stay in" in " ".join(said.split())
    assert "Traceback" not in said
    assert not [path for path in tmp_path.rglob(".*") if path.name.startswith(".")]
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True).stdout
    assert left == ""
