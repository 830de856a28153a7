"""One series after the other, in this process: needs nothing else, and is what other engines are compared with."""

from demottle.archive.run.engines.engine import Ended
from demottle.archive.run.order import Job, Order
from demottle.archive.run.work import DiskFullError, work


class Plain:
    """The loop."""

    workers = 1

    def __init__(self, order: Order) -> None:
        """Know what is the same for all."""
        self._order = order
        self._job: Job | None = None

    @property
    def room(self) -> int:
        """One job at a time."""
        return 0 if self._job else 1

    def submit(self, job: Job) -> None:
        """Keep the job until `wait`."""
        self._job = job

    def wait(self, seconds: float) -> list[Ended]:
        """Do the job."""
        job, self._job = self._job, None
        if job is None:
            return []
        try:
            return [Ended(job, work(self._order, job))]
        except DiskFullError as error:
            return [Ended(job, full=str(error))]

    def close(self, now: bool) -> None:
        """Nothing is left."""
