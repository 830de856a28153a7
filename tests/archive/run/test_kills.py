"""Workers and the program are killed (SIGKILL) at random moments: every series is done once, and none is half-written."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.archive.run.small import digests, order_of, results_of, small_archive

from demottle.archive.layout import Archive
from demottle.archive.run.rows import DONE
from demottle.archive.run.state import FILE

SERIES = 150
LATEST = 1.0  # seconds from then to the kill


class Killer:
    """A run that is begun again and again, and killed."""

    def __init__(self, archive: Archive, engine: list[str], seed: int) -> None:
        self._random = random.Random(seed)
        self.archive, self.state = archive, archive.runs / "denoise" / FILE
        told = ["-m", "demottle", "archive", "run", str(archive.folder), "--force", "--no-page"]
        self.command = [sys.executable, *told, "-o", str(archive.folder.parent / "out"), *engine]
        self.places: dict[str, tuple[int, int]] = {}

    def counted(self, state: str, since: float = 0.0) -> int:
        asked = "SELECT COUNT(*) FROM series WHERE state = ? AND since >= ?"
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{self.state}?mode=ro", uri=True)) as db:
            return int(db.execute(asked, (state, since)).fetchone()[0])
        return 0

    def kill(self) -> str:
        """Begin, wait until a series is at work or up to two more are done, and kill the program or a worker somewhat later."""
        with subprocess.Popen(self.command, stderr=subprocess.DEVNULL, start_new_session=True) as program:
            begun = time.time()
            done, more = self.counted(DONE), self._random.randrange(3)
            while program.poll() is None and not (self.counted("running", begun) and self.counted(DONE) >= done + more):
                time.sleep(0.1)
            time.sleep(self._random.uniform(0, LATEST))
            workers = _below(program.pid)
            if self._random.random() < 0.5 or not workers:
                program.kill()
                return "program"
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(workers), signal.SIGKILL)
            time.sleep(self._random.uniform(0, 1))
            program.kill()
        return "worker"

    def look(self) -> None:
        """What was there is still the same folder; what is there is whole."""
        found = {}
        for folder in (self.archive.folder.parent / "out").glob("P*/S*/*"):
            if not folder.name.startswith("."):
                assert len(list(folder.iterdir())) == 2, folder
                found[str(folder)] = (folder.stat().st_ino, folder.stat().st_mtime_ns)
        assert self.places.items() <= found.items()
        self.places = found


def _below(parent: int) -> list[int]:
    """Processes that a process has begun, and those below them, but for what only watches."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            if int(stat[1]) == parent and b"resource_tracker" not in (folder / "cmdline").read_bytes():
                found += [int(folder.name), *_below(int(folder.name))]
    return found


def _killed_and_finished(tmp_path: Path, engine: list[str], kills: int, seed: int) -> None:
    archive = small_archive(tmp_path, SERIES, size=64, method="gaussian")
    before, killer = digests(tmp_path / "scans"), Killer(archive, engine, seed)
    ways = []
    for _ in range(kills):
        ways.append(killer.kill())
        if killer.counted(DONE) == SERIES:
            break
    assert len(ways) == kills or len(ways) > 10, "there were too few series for so many kills"
    left = SERIES - killer.counted(DONE)
    ended = subprocess.run(killer.command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    killer.look()
    rows = results_of(order_of(archive))
    assert [row["state"] for row in rows.values()] == ["done"] * SERIES and len(killer.places) == SERIES
    assert not [path for path in (tmp_path / "out").rglob(".*") if path.name.endswith(".partial")]
    assert digests(tmp_path / "scans") == before
    run = archive.runs / "denoise"
    assert not list((run / "rows").iterdir()) and not list((run / "tries").iterdir())
    print(f"{len(ways)} kills ({ways.count('worker')} of workers), {left} of {SERIES} were left for the last time")


@pytest.mark.slow
def test_workers_and_the_program_are_killed_up_to_twenty_times(tmp_path: Path) -> None:
    _killed_and_finished(tmp_path, ["--jobs", "2"], 20, seed=1)


@pytest.mark.slow
def test_a_run_of_ray_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    _killed_and_finished(tmp_path, ["--ray", "--jobs", "2"], 4, seed=2)
