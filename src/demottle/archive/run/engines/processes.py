"""Several worker processes on this machine; one that dies costs only the series that it was at."""

from collections.abc import Callable
from functools import partial

from demottle.archive.run.engines.engine import Ended
from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import Row
from demottle.workers import Workers

Answer = tuple[Row | None, str]
"""A row, or None and what the system said of a full disk."""


class Processes:
    """The workers."""

    def __init__(self, order: Order, jobs: int) -> None:
        """Start so many."""
        self.workers = jobs
        self._all: Workers[Job, Answer] = Workers(partial(_begin, order), jobs, order.threads)

    @property
    def room(self) -> int:
        """Workers that are at nothing."""
        return self._all.free

    def submit(self, job: Job) -> None:
        """Give a job to a worker that is at nothing."""
        self._all.give(job)

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended; a worker that died is replaced."""
        found = []
        for one in self._all.heard(seconds):
            row, full = one.answer or (None, "")
            found.append(Ended(one.job, row, one.died, full))
        return found

    def close(self, now: bool) -> None:
        """End the workers; those that are at something are told to, and remove what is half written."""
        self._all.__exit__(None, None, None)


def _begin(order: Order) -> Callable[[Job], Answer]:
    """What a worker does with a job."""
    from demottle.archive.run.work import DiskFullError, work

    def do(job: Job) -> Answer:
        try:
            return work(order, job), ""
        except DiskFullError as error:
            return None, str(error)

    return do
