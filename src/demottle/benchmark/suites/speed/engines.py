"""What engines add to a loop that does nothing else, and what a second worker is worth: in turns, on the same series.

A machine is now faster and now slower, by more than is asked for. So runs take turns, and what an engine adds is taken from
within its run: the time by the clock in which no series was at work, less that of the loop, and the processor time of all
processes but the one that does the series. What comes once a run (starting workers, or Ray) ends with the first series and is
told for itself. What two cores can do at all is measured in the same rounds: two plain loops at once, which have nothing in
common but the machine.
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from demottle.archive.layout import Archive
from demottle.archive.run.results import rows_of
from demottle.archive.run.state import State
from demottle.benchmark.suites.cases import Finding
from demottle.benchmark.suites.node.processes import held_by
from demottle.errors import DemottleError

FASTER, OVERHEAD, FEWEST = 1.8, 0.05, 10.0
"""The aims: two workers against one, and what an engine may add to the plain loop, for series of so many seconds or more."""
ENGINES = {"processes": ("--jobs", "1"), "ray": ("--ray",)}
_LOOK = 0.1  # seconds
_LOOKS, _OURS = 5, 10**9
_MARK = "DEMOTTLE_BENCHMARK_RUN"


@dataclass(frozen=True)
class Ran:
    """One run, from the end of its first series to that of its last.

    Attributes:
        first: seconds from when the program was begun to the end of the first series.
        whole: seconds from when the first series was given out to the end of the last.
        clock, processor: seconds for each series after the first; the latter of all processes together.
        idle: of `clock`, those in which no series was at work.
        beside: of `processor`, those of all processes but the one that used most.
        at_work: share of all seconds of all workers in which a series was at work, from the first to the last.
    """

    first: float
    whole: float
    clock: float
    processor: float
    idle: float
    beside: float
    at_work: float


def workers(archive: Archive, series: int, rounds: int) -> Finding:
    """One worker and two in turns, and two loops at once; the figures are medians over the rounds."""
    found: dict[int, list[Ran]] = {1: [], 2: []}
    loops: list[float] = []
    for number in range(rounds):
        for jobs in (1, 2) if number % 2 == 0 else (2, 1):
            found[jobs].append(_command(archive, f"{number}-{jobs}", jobs, "--jobs", str(jobs)))
        loops.append(_at_once(archive, number))
    ratios = [one.whole / two.whole for one, two in zip(found[1], found[2], strict=True)]
    faster, two = median(ratios), median(one.whole for one in found[2])
    said: dict[str, Any] = {"series": series, "rounds": _plain(ratios), "aim": FASTER, "loops": _plain(loops)}
    for jobs, runs in found.items():
        said[f"with_{jobs}"] = {
            "seconds": _plain([one.whole for one in runs], 1),
            "processor_per_series": _plain([one.processor for one in runs], 2),
            "at_work": _plain([one.at_work for one in runs]),
        }
    if faster < FASTER:
        said["missed"] = f"{faster:.2f} times as fast, the aim is {FASTER:g}"
    quality = {
        "faster": round(faster, 3),
        "loops_faster": round(median(loops), 3),
        "series_per_hour": round(3600 * series / two, 1),
    }
    return Finding(quality, said, {"seconds": round(two, 2)})


def _at_once(archive: Archive, number: int) -> float:
    """How many times the series of one plain loop two of them do at once: no engine can do better on two cores."""
    alone = _loop(archive, f"{number}-alone")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda name: _loop(archive, f"{number}-{name}"), ("left", "right")))
    return 2 * alone.whole / max(one.whole for one in both)


def overhead(archive: Archive, series: int, rounds: int) -> Finding:
    """Loop and engines in turns: what each adds to a series, by the clock within its run and by processor time."""
    found: dict[str, list[Ran]] = {"loop": [], **{name: [] for name in ENGINES}}
    for number in range(rounds):
        for name in found if number % 2 == 0 else reversed(found):
            words = ENGINES.get(name)
            made = _loop(archive, f"{number}") if words is None else _command(archive, f"{number}-{name}", 1, *words)
            found[name].append(made)
    loop = found["loop"]
    clock = median(one.clock for one in loop)
    said: dict[str, Any] = {"series": series, "per_series": round(clock, 2), "aim": OVERHEAD, "rounds": rounds}
    quality: dict[str, float | None] = {}
    for name in ENGINES:
        pairs = list(zip(found[name], loop, strict=True))
        own, beside = _told(pairs, _own), _told(pairs, _beside)
        quality |= {f"{name}_own": own[0], f"{name}_processor": beside[0]}
        pair = {"processor": _told(pairs, _processor), "clock": _told(pairs, _clock)}
        said[name] = {"own": own, "beside": beside, **pair}  # median, least and most
        said[name]["first_later"] = round(median(one.first - plain.first for one, plain in pairs), 1)
    worst = max(value for value in quality.values() if value is not None)
    if worst > OVERHEAD and clock >= FEWEST:
        said["missed"] = f"{100 * worst:.1f} % more, the aim is {100 * OVERHEAD:g}"
    return Finding(
        quality, said, {"seconds": round(clock, 2), "cpu_seconds": round(median(one.processor for one in loop), 2)}
    )


def _own(one: Ran, loop: Ran) -> float:
    return (one.idle - loop.idle) / loop.clock


def _beside(one: Ran, loop: Ran) -> float | None:
    return one.beside / loop.processor if loop.processor else None


def _processor(one: Ran, loop: Ran) -> float | None:
    return one.processor / loop.processor - 1 if loop.processor else None


def _clock(one: Ran, loop: Ran) -> float:
    return one.clock / loop.clock - 1


def _told(pairs: Sequence[tuple[Ran, Ran]], of: Callable[[Ran, Ran], float | None]) -> Sequence[float | None]:
    """Median, least and most over the rounds; None where the system does not tell."""
    found = [value for one, loop in pairs if (value := of(one, loop)) is not None]
    return _plain([median(found), min(found), max(found)], 4) if found else [None] * 3


def _plain(values: Sequence[float], digits: int = 3) -> list[float]:
    return [round(value, digits) for value in values]


def _command(archive: Archive, name: str, jobs: int, *engine: str) -> Ran:
    """A run of the command line, cut to one core for each series."""
    words = ["archive", "run", str(archive.folder), "--name", name, "-o", str(archive.folder.parent / name)]
    command = [sys.executable, "-m", "demottle", *words, "--force", "--no-page", "--cpus", "1", *engine]
    return _ran(command, archive.runs / name, jobs)


def _loop(archive: Archive, name: str) -> Ran:
    """The series one after the other by the function that engines call, in a process of its own."""
    return _ran([sys.executable, "-c", _LOOP, str(archive.folder), f"{name}-loop"], archive.runs / f"{name}-loop")


def _ran(command: Sequence[str], run: Path, jobs: int = 1) -> Ran:
    begun, mark = time.time(), uuid.uuid4().hex
    with Account(mark) as account:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, _MARK: mark})
    if done.returncode:
        raise DemottleError(f"A run ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}.")
    state = State(run)
    given, _ = state.span()
    state.close()
    rows = sorted((row["ended_at"], row["seconds"]) for row in _rows(run, done.stdout))
    (first, _), (last, _) = rows[0], rows[-1]
    count = max(1, len(rows) - 1)
    clock = (last - first) / count
    idle = clock - sum(seconds for _, seconds in rows[1:]) / count
    used, beside = account.between(first, last)
    at_work = sum(seconds for _, seconds in rows) / (jobs * (last - given))
    return Ran(first - begun, last - given, clock, used / count, idle, beside / count, at_work)


def _rows(run: Path, said: str) -> list[dict[str, Any]]:
    """When each series ended, and how long it was at work: what the loop says, or the state of a run."""
    if run.name.endswith("-loop"):
        found: list[dict[str, Any]] = json.loads(said.splitlines()[-1])
        return found
    state = State(run)
    ended = state.ends()
    state.close()
    return [{"seconds": row["seconds"], "ended_at": ended[row["key"]]} for row in rows_of(run)]


class Account:
    """Adds up the processor time of all processes that carry a mark in their environment, whoever started them (Linux)."""

    def __init__(self, mark: str) -> None:
        """Know the mark."""
        self._mark = f"{_MARK}={mark}".encode()
        self._looked: dict[int, int] = {}
        self._used: dict[int, float] = {}
        self._seen: list[tuple[float, dict[int, float]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="account", daemon=True)

    def __enter__(self) -> "Account":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            for process in self._marked():
                held = held_by(process)
                if held is not None:
                    self._used[process] = held.processor
            self._seen.append((time.time(), dict(self._used)))

    def _marked(self) -> list[int]:
        found = []
        for process in (int(place.name) for place in Path("/proc").glob("[0-9]*")):
            looked = self._looked.get(process, 0)
            if looked < _LOOKS and self._mark in _environment(
                process
            ):  # once started it may take a moment to get its own
                self._looked[process] = looked = _OURS
            if looked == _OURS:
                found.append(process)
            else:
                self._looked[process] = looked + 1
        return found

    def between(self, first: float, last: float) -> tuple[float, float]:
        """Seconds that were used from one moment of the clock to another: by all, and by all but the one that used most.

        0 where the system does not tell.
        """
        before, after = self._at(first), self._at(last)
        used = sorted(seconds - before.get(process, 0.0) for process, seconds in after.items())
        return sum(used), sum(used[:-1])

    def _at(self, moment: float) -> dict[int, float]:
        return min(self._seen, key=lambda one: abs(one[0] - moment), default=(0.0, {}))[1]


def _environment(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return b""


_LOOP = """
import json, os, sys, time
os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
import cv2
cv2.setNumThreads(1)
from pathlib import Path
from demottle.archive.layout import Archive
from demottle.archive.run.entering import enter
from demottle.archive.run.order import Order
from demottle.archive.run.state import State
from demottle.archive.run.work import work
archive, name = Archive(Path(sys.argv[1])), sys.argv[2]
places = archive.runs / name, archive.folder.parent / name
order = Order(archive.folder, Path(archive.told().root), *places, force=True, pages=False, threads=1)
state = State(order.folder)
enter(archive, state, "denoise")
jobs = []
while job := state.next():
    jobs.append(job)
rows = []
for job in jobs:
    row = work(order, job)
    assert row["state"] == "done"
    rows.append({"seconds": row["seconds"], "ended_at": time.time()})
print(json.dumps(rows))
"""
