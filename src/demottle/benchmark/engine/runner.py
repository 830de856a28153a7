"""All cells of a benchmark, several at a time, each in its own process; what is there is not done again.

Rows are written as soon as a cell ends, by this process alone. Ctrl-C and the limit of the clock end the running cells, which
leave nothing; the same command continues from there.
"""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from demottle.benchmark.engine.entrants import DEFAULT_RIVALS, INPUT, Entrant
from demottle.benchmark.engine.results import FAILED, Cell, Results, Row
from demottle.benchmark.suites.cases import CaseSpec
from demottle.benchmark.suites.store import place_of
from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent

CELL = (sys.executable, "-m", "demottle.benchmark.engine.cell")
_LOOK = 0.05  # seconds between two looks at the processes
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Work:
    """How to run cells.

    Attributes:
        jobs: cells at a time.
        threads: threads of the processor for each.
        wall: seconds after which no cell runs any more; None: until all are done.
        cache: folder for cases.
        method_file: a method of others that takes part, as a Python file; every cell runs it.
    """

    jobs: int = 1
    threads: int = 2
    wall: float | None = None
    cache: Path = Path("benchmark-cases")
    method_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.jobs < 1 or self.threads < 1:
            raise InputError("A benchmark needs at least one job and one thread.")
        if self.wall is not None and not self.wall > 0:
            raise InputError(f"The limit of {self.wall:g} s has to be positive.")


@dataclass
class _Running:
    cell: Cell
    slot: int
    process: subprocess.Popen[bytes]
    answer: Path
    errors: Path
    begun: float = field(default_factory=time.monotonic)


def cells_of(
    specs: Sequence[CaseSpec], everybody: Sequence[Entrant], minutes: float | None, threads: int
) -> list[Cell]:
    """Return every cell in the order of work: demottle's defaults and the usual rivals on all cases, then the others on each."""
    early = [one for one in everybody if _first(one)]
    late = [one for one in everybody if not _first(one)]
    return [
        Cell(spec, one, minutes if one.learns else None, threads)
        for part in (early, late)
        for spec in specs
        for one in part
    ]


def run_cells(cells: Sequence[Cell], results: Results, work: Work, listener: Listener = silent) -> bool:
    """Run what is not there yet; return False where the limit of the clock came first.

    Raises:
        KeyboardInterrupt: with a sentence that says what is there.
    """
    waiting = [cell for cell in cells if not results.has(cell)]
    told = _Told(len(waiting), len(cells), results, listener, work.jobs)
    ends = None if work.wall is None else time.monotonic() + work.wall
    running: list[_Running] = []
    with tempfile.TemporaryDirectory(prefix="demottle-benchmark-", ignore_cleanup_errors=True) as folder:
        try:
            while waiting or running:
                if ends is not None and time.monotonic() > ends:
                    return False
                left = math.inf if ends is None else ends - time.monotonic()
                _start(waiting, running, work, Path(folder), partial(_fits, results, left))
                if not running:
                    return False  # the clock leaves no room for what is missing
                told.say(waiting, running)
                time.sleep(_LOOK)
                for one in [one for one in running if one.process.poll() is not None]:
                    running.remove(one)
                    row = _row_of(one)
                    results.add(row)
                    told.done(row)
            return True
        except KeyboardInterrupt:
            there = sum(results.has(cell) for cell in cells)
            raise KeyboardInterrupt(
                f"Stopped; {there} of {len(cells)} results are in {results.path}, and the same command continues from there."
            ) from None
        finally:
            for one in running:
                _kill(one.process)
            for one in running:
                one.process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a cell and all that it has started; each has a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _first(entrant: Entrant) -> bool:
    """So that what matters most is there on every case however early the clock ends it."""
    from demottle.pipeline.plan import DEFAULT, FOR_MR
    from demottle.pipeline.plan_sequence import DEFAULT_SEQUENCE

    return entrant.name in (INPUT, DEFAULT, FOR_MR, DEFAULT_SEQUENCE, *DEFAULT_RIVALS)


def _fits(results: Results, left: float, cell: Cell) -> bool:
    """False where the time that is left is less than this entrant took so far."""
    return (results.seconds_of(cell.entrant.name) or 0.0) < left


def _start(
    waiting: list[Cell], running: list[_Running], work: Work, folder: Path, fits: Callable[[Cell], bool]
) -> None:
    """Fill the free slots; of a case that is not simulated yet only one cell begins, which does that."""
    free = sorted(set(range(work.jobs)) - {one.slot for one in running})
    for slot in free:
        busy = {one.cell.case.key for one in running}
        ready = (
            cell
            for cell in waiting
            if (place_of(work.cache, cell.case).exists() or cell.case.key not in busy) and fits(cell)
        )
        cell = next(ready, None)
        if cell is None:
            return
        waiting.remove(cell)
        running.append(_begun(cell, slot, work, folder))


def _begun(cell: Cell, slot: int, work: Work, folder: Path) -> _Running:
    answer, errors = folder / f"{cell.key}.json", folder / f"{cell.key}.txt"
    request = {
        "cell": cell.to_dict(),
        "cache": str(work.cache.absolute()),
        "alone": work.jobs == 1,
        "answer": str(answer),
        "method_file": None if work.method_file is None else str(work.method_file.absolute()),
    }
    with errors.open("wb") as said:
        process = subprocess.Popen(
            CELL,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={
                **os.environ,
                **dict.fromkeys(_THREADS, str(work.threads)),
                "TMPDIR": str(folder),
            },  # so that it is emptied
            start_new_session=True,  # Ctrl-C is for this process, which ends the others
            preexec_fn=_pin(slot, work),
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as asked:  # one that is dead already becomes a row that says so
        asked.write(json.dumps(request).encode())
    return _Running(cell, slot, process, answer, errors)


def _pin(slot: int, work: Work) -> Callable[[], None] | None:
    """Keep a cell on processors of its own where there are enough, so that times are not each other's."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    if work.jobs * work.threads > len(cores):
        return None
    own = set(cores[slot * work.threads : (slot + 1) * work.threads])
    return lambda: os.sched_setaffinity(0, own)


def _row_of(one: _Running) -> Row:
    """What a process left; one that died left why."""
    if one.answer.exists():
        row: Row = json.loads(one.answer.read_text(encoding="utf-8"))
        return row
    said = one.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    code = one.process.returncode
    why = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    reason = f"The process {why}{': ' + said[-1][:300] if said else ''}."
    wall = round(time.monotonic() - one.begun, 2)
    return {**one.cell.facts(), "status": FAILED, "reason": reason, "wall": wall}


class _Told:
    """Says how far it is, and about how long it takes still."""

    def __init__(self, missing: int, every: int, results: Results, listener: Listener, jobs: int) -> None:
        self._missing, self._every, self._results, self._listener, self._jobs = missing, every, results, listener, jobs
        self._done, self._last = 0, ""
        self._took, self._usual = took_before(results)

    def done(self, row: Row) -> None:
        """Count a cell."""
        self._done += 1
        failed = row["status"] == FAILED
        self._last = f"{row['entrant']} failed" if failed else f"{row['entrant']} {row['wall']:.0f} s"
        self._took, self._usual = took_before(self._results)

    def say(self, waiting: Sequence[Cell], running: Sequence[_Running]) -> None:
        """Report; a listener may raise to stop."""
        there = self._every - self._missing + self._done
        note = f"{there} of {self._every}{', ' + self._last if self._last else ''}"
        now = time.monotonic()
        begun = [(one.cell, now - one.begun) for one in running]
        left = seconds_left([*begun, *((cell, 0.0) for cell in waiting)], self._took, self._usual, self._jobs)
        self._listener(Progress(Stage.BENCHMARK, there, self._every, note, left))


def took_before(results: Results) -> tuple[dict[str, float], float]:
    """Mean seconds of each entrant that has results, and of those that learn nothing the mean, without the input; NaN: none."""
    found = {name: results.seconds_of(name) for name in {row["entrant"] for row in results.rows}}
    took = {name: seconds for name, seconds in found.items() if seconds is not None}
    learning = {row["entrant"] for row in results.rows if row.get("learns")}
    plain = [seconds for name, seconds in took.items() if name != INPUT and name not in learning]
    return took, sum(plain) / len(plain) if plain else math.nan


def seconds_left(cells: Sequence[tuple[Cell, float]], took: Mapping[str, float], usual: float, jobs: int) -> float:
    """Return about how many seconds cells still need, or NaN where that is known of less than half of them.

    What learns and never ran counts as the minutes that it may learn for, what never ran and learns nothing as `usual`, and
    the input, which does nothing, as no time.

    Args:
        cells: those that are not done, with the seconds for which each has run.
        took, usual: as `took_before` gives them; without a usual time that of the known cells counts, rather too long than short.
        jobs: cells at a time.
    """
    expected = [_expected(cell, took) for cell, _ in cells]
    working = [seconds for seconds, (cell, _) in zip(expected, cells, strict=True) if cell.entrant.name != INPUT]
    known = [seconds for seconds in working if seconds is not None]
    if not known or 2 * len(known) < len(working):
        return math.nan
    usual = usual if math.isfinite(usual) else sum(known) / len(known)
    missing = [max((usual if s is None else s) - run, 0.0) for s, (_, run) in zip(expected, cells, strict=True)]
    return max(sum(missing) / min(jobs, len(cells)), max(missing))  # no cell is shared between jobs


def _expected(cell: Cell, took: Mapping[str, float]) -> float | None:
    """By what the entrant took before, else by what it may take; None where nobody knows."""
    if cell.entrant.name in took:
        return took[cell.entrant.name]
    if cell.minutes is not None:
        return 60 * cell.minutes
    return 0.0 if cell.entrant.name == INPUT else None
