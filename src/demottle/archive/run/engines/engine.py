"""What a run asks of an engine: take jobs, and give back what became of them."""

from dataclasses import dataclass
from typing import Protocol

from demottle.archive.run.order import Job
from demottle.archive.run.rows import Row


@dataclass(frozen=True)
class Ended:
    """What became of a job.

    Attributes:
        job: the job.
        row: its row; None where it was not finished.
        died: how the process ended that was at work on it; empty where none did.
        full: what the system said of a full disk; empty where it is not.
        again: it may be tried again; False where the engine has done that already.
    """

    job: Job
    row: Row | None = None
    died: str = ""
    full: str = ""
    again: bool = True


class Engine(Protocol):
    """How tasks are run."""

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended, after so many seconds at the latest (an engine in this process: when a job has ended)."""

    def close(self, now: bool) -> None:
        """End; `now`: also what is at work, of which nothing is written."""
