"""One series from its files to its row: what every engine runs, on whatever machine. It ends with a row, done or failed.

Results and row appear together or not at all; the row is what says that a series is done. So a task that is killed at any moment
is begun anew, and one that had ended is not: whoever begins it again finds the row.
"""

import errno
import json
import os
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from demottle.archive.run.order import WRITING, Job, Order
from demottle.archive.run.rows import FAILED, Row, begun
from demottle.archive.sole import sole_task
from demottle.errors import DemottleError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class DiskFullError(DemottleError):
    """The disk takes no more: not a fault of the series, which is to be done again when there is room."""

    def __reduce__(self) -> tuple[Any, ...]:
        """As it travels between processes."""
        return type(self), (str(self),)


def work(order: Order, job: Job) -> Row:
    """Do what a job asks; return its row, which is also in `Job.record` until the program has taken it.

    Raises:
        DiskFullError: nothing of the series was written.
    """
    with sole_task(order.folder, job.number):
        found = finished(order, job)
        if found is None:
            attempts = _begin(order, job)
            found = _done(order, job, attempts)
        if order.destination is not None and job.outbox(order).is_dir():
            from demottle.archive.run.tasks.sending import send

            found = send(order, job, found)
        return found


def finished(order: Order, job: Job) -> Row | None:
    """The row of a series that has ended; None where it has not. What a killed task had half in place is taken back first."""
    from demottle.io.workplace import remove_leftovers

    record = job.record(order)
    for final in (record, *_finals(order, job)):
        if final.parent.is_dir():
            remove_leftovers(final)
    for told in (
        record,
        job.outbox(order) / "row.json",
    ):  # the latter where it could not be sent, and is to be tried again
        try:
            row: Row = json.loads(told.read_text(encoding="utf-8"))
            return row
        except FileNotFoundError:
            continue
    return None


def forget(order: Order, job: Job) -> None:
    """Remove what was only needed until the state of the run knows the row."""
    job.record(order).unlink(missing_ok=True)
    job.tries(order).unlink(missing_ok=True)


def tried(order: Order, job: Job) -> int:
    """How often a series was begun."""
    try:
        return job.tries(order).stat().st_size
    except OSError:
        return 0


def _finals(order: Order, job: Job) -> list[Path]:
    if job.verb not in WRITING or order.output is None:
        return []
    places = [job.result(order), job.outbox(order), job.beside(order, "-refused")]
    pages = [job.beside(order, ending) for ending in ("-report", "-refused-report")]
    return [*places, *(folder / name for folder in pages for name in ("report.html", "run.json"))]


def _begin(order: Order, job: Job) -> int:
    """Count the attempt; return how many there were."""
    try:
        job.tries(order).parent.mkdir(parents=True, exist_ok=True)
        with job.tries(order).open("ab") as file:
            file.write(b".")
    except OSError as error:
        if error.errno in _FULL:
            raise _full(order) from error
        raise
    return tried(order, job)


def _done(order: Order, job: Job, attempts: int) -> Row:
    """Run the verb. Whatever it raises becomes a row with the reason, but for a full disk."""
    started = time.monotonic()
    row: Row = {**begun(job), "attempts": attempts}
    try:
        task = import_module(f"demottle.archive.run.tasks.{job.verb}")
        return task.run(order, job, row, lambda: _closing(started))  # type: ignore[no-any-return]
    except Exception as error:
        if _is_full(error):
            raise _full(order) from error
        return _failed(order, job, {**row, **_closing(started), "state": FAILED, "reason": _sentence(error, order)})


def _closing(started: float) -> Row:
    """What is known at the end."""
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    return {"seconds": round(time.monotonic() - started, 2), "ended": moment}


def _failed(order: Order, job: Job, row: Row) -> Row:
    from demottle.io.output import staged

    try:
        with staged(job.record(order), overwrite=True) as place:
            place.write_text(json.dumps(row), encoding="utf-8")
    except DemottleError as error:
        if _is_full(error):
            raise _full(order) from error
        raise
    return row


def _full(order: Order) -> DiskFullError:
    places = " or ".join(str(place) for place in (order.output, order.folder) if place is not None)
    return DiskFullError(f"The disk is full, that of {places}; make room on it.")


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__
    return False


def _sentence(error: Exception, order: Order) -> str:
    """Why a series failed, without what its headers say and without places that are gone."""
    if isinstance(error, DemottleError):
        return _without_names(error).replace(f"{order.root}{os.sep}", "")
    if isinstance(error, OSError):
        return f"The operating system refused: {error.strerror or type(error).__name__}."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this series; give each worker more, or begin fewer of them."
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("demottle"):
        return f"This needs the package {error.name}, which is not installed on the machine that did it."
    return (
        f"This is a bug in demottle ({type(error).__name__}); denoise the series alone with --debug to see more of it."
    )


def _without_names(error: DemottleError) -> str:
    """Messages of pydicom may quote a broken element, which may hold a name; its kind of error stands in their place."""
    sentence, cause = str(error), error.__cause__
    if isinstance(cause, Exception) and str(cause) and not isinstance(cause, DemottleError):
        from demottle.io.dicom.files import in_short

        sentence = sentence.replace(in_short(cause), type(cause).__name__)
    return sentence
