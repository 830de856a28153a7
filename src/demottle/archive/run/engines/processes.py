"""Several worker processes on this machine; one that dies costs only the series that it was at."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from demottle.archive.run.engines.engine import Ended
from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import Row

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE = 5.0  # seconds for a worker to end


class _Worker:
    """A process, the line to it, and what it is at."""

    def __init__(self, order: Order) -> None:
        self.line, other = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_serve, args=(order, other), name="archive worker")
        with _threads(order.threads):
            self.process.start()
        other.close()
        self.job: Job | None = None


class Processes:
    """The workers."""

    def __init__(self, order: Order, jobs: int) -> None:
        """Start so many."""
        self._order, self.workers = order, jobs
        self._all = [_Worker(order) for _ in range(jobs)]

    @property
    def room(self) -> int:
        """Workers that are at nothing."""
        return sum(one.job is None for one in self._all)

    def submit(self, job: Job) -> None:
        """Give a job to a worker that is at nothing."""
        worker = next(one for one in self._all if one.job is None)
        worker.job = job
        with suppress(OSError):  # it has died: `wait` finds that
            worker.line.send(job)

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended; a worker that died is replaced."""
        busy = {one.line: number for number, one in enumerate(self._all) if one.job is not None}
        return [self._heard(busy[line]) for line in wait(list(busy), seconds)]  # type: ignore[index]

    def _heard(self, number: int) -> Ended:
        worker = self._all[number]
        job, worker.job = worker.job, None
        assert job is not None
        try:
            row, full = worker.line.recv()
            return Ended(job, row, full=full)
        except (EOFError, OSError):
            worker.process.join(_PATIENCE)
            died = _how(worker.process.exitcode)
            _end(worker)
            self._all[number] = _Worker(self._order)
            return Ended(job, died=died)

    def close(self, now: bool) -> None:
        """End the workers; those that are at something are told to, and remove what is half written."""
        for worker in self._all:
            if worker.job is None:
                worker.line.close()
            elif now:
                worker.process.terminate()
        for worker in self._all:
            _end(worker)


def _end(worker: _Worker) -> None:
    worker.line.close()
    worker.process.join(_PATIENCE)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.process.close()


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f"was killed ({name}{', perhaps for want of memory' if name == 'SIGKILL' else ''})"
    return f"ended with code {code}"


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Have processes that start now use so many threads: several workers with all of them hold each other up."""
    wanted = {"OMP_NUM_THREADS": str(count), "OMP_WAIT_POLICY": "PASSIVE"} if count else {}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _serve(order: Order, line: Connection) -> None:
    """The worker: one job after the other, until the program is gone."""
    from demottle.archive.run.work import DiskFullError, work

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's, which says what is to happen
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    threading.Thread(target=_end_with_the_program, daemon=True).start()
    if order.threads:
        import cv2

        cv2.setNumThreads(order.threads)
    while True:
        try:
            job = line.recv()
        except (EOFError, OSError):
            return
        answer: tuple[Row | None, str]
        try:
            answer = work(order, job), ""
        except DiskFullError as error:
            answer = None, str(error)
        line.send(answer)


def _end_with_the_program() -> None:
    parent: Any = multiprocessing.parent_process()
    wait([parent.sentinel])
    os._exit(1)
