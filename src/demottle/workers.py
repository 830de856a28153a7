"""Jobs for several processes of this machine; one that dies costs only the job that it was at."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType, TracebackType
from typing import Any, Generic, Self, TypeVar

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE = 10.0  # seconds for a worker to end, in which it removes what is half written
_NOTHING: Any = object()
Job = TypeVar("Job")
Answer = TypeVar("Answer")
Begin = Callable[[], Callable[[Job], Answer]]


@dataclass(frozen=True)
class Ended(Generic[Job, Answer]):
    """What became of a job.

    Attributes:
        job: the job.
        answer: what came of it; None where its process died.
        died: how the process ended, such as "was killed (SIGKILL)"; empty where it did not.
    """

    job: Job
    answer: Answer | None
    died: str = ""


class Workers(Generic[Job, Answer]):
    """Processes that do one job after the other. Left by an exception, Ctrl-C among them, they are told to end at once.

    Attributes:
        late: jobs that had ended by then all the same.
    """

    def __init__(self, begin: Begin[Job, Answer], count: int, threads: int = 0) -> None:
        """Start the processes.

        Args:
            begin: runs in each of them first and returns what does a job; a function of a module, or a partial of one.
                What does a job answers for whatever goes wrong with it.
            count: how many processes.
            threads: how many threads each may use; 0: all.
        """
        self.late: list[Ended[Job, Answer]] = []
        self._begin, self._threads = begin, threads
        self._all = [_Worker(begin, threads) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._all:
            if worker.job is _NOTHING:
                worker.line.close()
            else:
                worker.process.terminate()
        for worker in self._all:
            if worker.job is not _NOTHING:
                with suppress(EOFError, OSError):
                    if worker.line.poll(_PATIENCE):
                        self.late.append(Ended(worker.job, worker.line.recv()))
            worker.end()

    def results(self, jobs: Iterable[Job]) -> Iterator[Ended[Job, Answer]]:
        """Give out the jobs, no more than there are processes at a time, and yield each as it ends, in any order."""
        source = iter(jobs)
        while True:
            while self.free and (job := next(source, _NOTHING)) is not _NOTHING:
                self.give(job)
            if self.free == len(self._all):
                return
            yield from self.heard()

    @property
    def free(self) -> int:
        """How many processes are at nothing."""
        return sum(one.job is _NOTHING for one in self._all)

    def give(self, job: Job) -> None:
        """Give a job to a process that is at nothing; there has to be one."""
        next(one for one in self._all if one.job is _NOTHING).give(job)

    def heard(self, seconds: float | None = None) -> list[Ended[Job, Answer]]:
        """Return what has ended, at the latest after so many seconds; None: when something has."""
        busy = {worker.line: number for number, worker in enumerate(self._all) if worker.job is not _NOTHING}
        return [self._heard(busy[line]) for line in wait(list(busy), seconds)]  # type: ignore[index]

    def _heard(self, number: int) -> Ended[Job, Answer]:
        worker = self._all[number]
        job, worker.job = worker.job, _NOTHING
        try:
            return Ended(job, worker.line.recv())
        except (EOFError, OSError):
            died = worker.end()
            self._all[number] = _Worker(self._begin, self._threads)
            return Ended(job, None, died)


class _Worker:
    """A process, the line to it, and what it is at."""

    def __init__(self, begin: Begin[Any, Any], threads: int) -> None:
        self.line, other = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_serve, args=(begin, threads, other), daemon=False)
        with _threads(threads), without_main():
            self.process.start()
        other.close()
        self.job: Any = _NOTHING

    def give(self, job: Any) -> None:
        self.job = job
        with suppress(OSError):  # it has died: whoever listens finds that
            self.line.send(job)

    def end(self) -> str:
        """Wait for the process, or end it; return how it ended."""
        self.line.close()
        self.process.join(_PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        self.process.close()
        return _how(code)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f"was killed ({name}{', perhaps for want of memory' if name == 'SIGKILL' else ''})"
    return f"ended with code {code}"


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let processes that start meanwhile use so many threads: several with all of them hold each other up."""
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


@contextmanager
def without_main() -> Iterator[None]:
    """Let processes that start meanwhile not import the user's script: one without a guard would begin everything anew there."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(begin: Begin[Any, Any], threads: int, line: Connection) -> None:
    """The worker: one job after the other, until the program that started it is done or gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's, which says what is to happen
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    threading.Thread(target=_end_with_the_program, daemon=True).start()
    if threads:
        import cv2

        cv2.setNumThreads(threads)
    do = begin()
    while True:
        try:
            job = line.recv()
        except (EOFError, OSError):
            return
        line.send(do(job))


def _end_with_the_program() -> None:
    parent: Any = multiprocessing.parent_process()
    wait([parent.sentinel])
    os._exit(1)
