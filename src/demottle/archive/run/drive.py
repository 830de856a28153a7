"""The program of a run: gives out series, takes in what became of them, and keeps the state. It holds no series in memory."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from demottle.archive.run.engines.engine import Ended, Engine
from demottle.archive.run.order import Job, Order
from demottle.archive.run.pace import Pace
from demottle.archive.run.results import write_results
from demottle.archive.run.rows import FAILED, Row, begun
from demottle.archive.run.state import RUNNING, WAITING, State
from demottle.archive.run.tasks.network import network_of
from demottle.archive.run.work import finished, forget, tried
from demottle.methods.registry import method

ATTEMPTS = 3
"""How often a series is begun that ends the process which is at work on it."""
BY_THE_USER = "It was stopped."
_LOOK = 1.0  # seconds
_ROWS, _HOUR = 1000, 3600.0  # a file of the data set is written after so many rows, or so many seconds
_FITS = 3
"""Series of a group that may try to fit its network."""
_RESERVE = 256 << 20  # bytes that stay free on the disk of the results


@dataclass
class Told:
    """How far a run is; whoever shows it looks at it now and then.

    Attributes:
        state: of the run.
        pace: how fast it is.
        why: why it was stopped, as a sentence; empty while it is not.
        stopping: no more series are begun.
        latest: the row of the last series that ended.
    """

    state: State
    pace: Pace
    why: str = ""
    stopping: bool = False
    latest: Row = field(default_factory=dict)

    def left(self) -> tuple[float, float] | None:
        """Seconds that are left, least and most; None where too little is known."""
        return self.pace.left(self.state.expected(WAITING)[0], self.state.expected(RUNNING)[0])


def take_back(order: Order, state: State) -> int:
    """Put in order what a killed program left: what had ended counts, all else waits again; return how many had ended."""
    ended = 0
    for job in state.running():
        row = finished(order, job)
        if row is None:
            state.waits_again(job, tried(order, job))
        else:
            state.ended(job, row)
            ended += 1
    for name in ("rows", "tries"):  # of no use once the state has the row
        for path in (order.folder / name).glob("[!.]*"):
            if state.has_ended(path.stem):
                path.unlink(missing_ok=True)
    return ended


def drive(order: Order, state: State, engine: Engine, stop: Callable[[], bool], show: Callable[[Told], None]) -> Told:
    """Run everything that waits.

    Args:
        order: what is the same for all series.
        state: of the run; what a killed program left was taken back.
        engine: runs the tasks.
        stop: True once nothing more is to be begun; what is at work is then waited for.
        show: hears how far it is, about every second.

    Returns:
        How it ended: `why` is empty where nothing is left to do.

    Raises:
        OutputError: the state cannot be written.
        KeyboardInterrupt: by what waits; what is at work waits again, and nothing of it was written.
    """
    told = Told(state, Pace(engine.workers))
    flying, written = 0, monotonic()
    now = True
    try:
        while True:
            if not told.stopping and stop():
                told.stopping, told.why = True, BY_THE_USER
            if not told.stopping:
                flying += _given_out(order, state, engine, told)
            if not flying:
                break
            show(told)
            for ended in engine.wait(_LOOK):
                flying -= 1
                _taken_in(order, state, told, ended)
            told.pace.workers = engine.workers
            if state.unwritten() >= _ROWS or monotonic() - written > _HOUR:
                write_results(order.folder, state)
                written = monotonic()
        now = False
    finally:
        engine.close(now)
        take_back(order, state)
    write_results(order.folder, state)
    show(told)
    return told


def _given_out(order: Order, state: State, engine: Engine, told: Told) -> int:
    """Give as many series to the engine as it takes; return how many."""
    count = 0
    for _ in range(engine.room):
        if why := _full(order, state):
            told.stopping, told.why = True, why
            break
        job = state.next()
        if job is None:
            break
        engine.submit(_with_network(order, state, job))
        count += 1
    return count


def _with_network(order: Order, state: State, job: Job) -> Job:
    """The first of a group fits its network; until it has, the others are not begun."""
    place = network_of(order, job)
    if not job.group or job.model or job.verb != "denoise" or place is None or place.is_file():
        return job
    state.fitting(job)
    return Job(**{**vars(job), "fits": True})


def _taken_in(order: Order, state: State, told: Told, ended: Ended) -> None:
    """Keep what became of a series."""
    job, row = ended.job, ended.row
    if row is None and ended.full:
        told.stopping, told.why = True, ended.full
        state.waits_again(job, tried(order, job), ended.full)
        return
    if row is None:
        attempts, deaths = tried(order, job), state.died(job)
        often = f", {deaths} times" if deaths > 1 else ""
        reason = f"The process that was at work on it {ended.died}{often}."
        if ended.again and deaths < ATTEMPTS:
            state.waits_again(job, attempts, reason)
            return
        row = finished(order, job) or {**begun(job), "state": FAILED, "reason": reason, "attempts": attempts}
    told.pace.ended(state.expected_of(job), float(row.get("seconds") or 0.0))
    told.latest = row
    state.ended(job, row)
    if job.fits:
        _loosen(order, state, job, row)
    forget(order, job)


def _loosen(order: Order, state: State, job: Job, row: Row) -> None:
    """A group that gets no network must not wait for one: a filter has none, and some series give none that passes the gate."""
    place = network_of(order, job)
    if place is not None and not place.is_file():
        used = row.get("method") or ""
        state.loosen(job.group, 1 if used and method(used).learns_from == "nothing" else _FITS)


def _full(order: Order, state: State) -> str:
    """Why nothing more is begun where a disk is nearly full; empty where there is room."""
    for folder in (order.output, order.folder):
        there = next((one for one in (folder, *folder.parents) if one.is_dir()), None) if folder else None
        if there is None:
            continue
        free = shutil.disk_usage(there).free
        if free < _RESERVE:
            return (
                f"The disk of {there} is nearly full ({free >> 20} MiB are free, {_RESERVE >> 20} have to stay free)."
            )
    return ""
