"""A folder of scans: one after the other or several at once, the network loaded once, failures named at the end."""

import functools
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from demottle.cli.denoise.attempt import Attempt, FolderOrder, attempted, begin_worker, with_model
from demottle.cli.denoise.outcome import Record
from demottle.cli.denoise.summary import show_batch
from demottle.cli.places import beside
from demottle.cli.screen.console import say, say_again, say_error, show_json
from demottle.cli.screen.guard import CANNOT
from demottle.cli.screen.progress import clock
from demottle.errors import counted
from demottle.threads import processors
from demottle.workers import Workers


@dataclass
class Folder:
    """What became of the scans of a folder so far: one record a volume, not the results themselves, whose images fill memory."""

    pages: Path | None
    scans: Sequence[Path] = ()
    attempts: dict[Path, Attempt] = field(default_factory=dict)

    @property
    def ended(self) -> list[Attempt]:
        """In the order of the scans, whichever ended first."""
        return [self.attempts[scan] for scan in self.scans if scan in self.attempts]

    @property
    def done(self) -> list[tuple[str, Record]]:
        """The records, by name."""
        return [record for one in self.ended for record in one.done]

    @property
    def failed(self) -> list[Attempt]:
        """Scans of which nothing came."""
        return [one for one in self.ended if one.reason]

    @property
    def finished(self) -> int:
        """Scans that this run has denoised."""
        return sum(not one.reason and not one.skipped for one in self.ended)

    @property
    def skipped(self) -> int:
        """Scans that an earlier run had finished."""
        return sum(one.skipped for one in self.ended)

    def write(self) -> None:
        """Write table and page of all scans so far, where pages are wanted: a run that is stopped leaves them, too."""
        if self.pages is None:
            return
        from demottle.report.folder.page import NOT_DONE, Row, row_of, write_folder_report

        rows = [row_of(name, record, self.pages) for name, record in self.done]
        write_folder_report([*rows, *(Row(one.name, NOT_DONE, reason=one.reason) for one in self.failed)], self.pages)


def denoise_folder(scans: Sequence[Path], order: FolderOrder, as_json: bool, jobs: int = 1) -> None:
    """Denoise every scan into OUT/NAME, its page into OUT-report/NAME; there a table and a page of all of them, too.

    Args:
        scans: what is denoised.
        order: what is asked for all of them; its model is loaded here.
        as_json: print records as JSON.
        jobs: how many scans at a time, each in a process of its own where there are several.

    Raises:
        typer.Exit: with code 2 where any scan failed; the others are kept.
        KeyboardInterrupt: with the sentence that says what is finished.
    """
    ready = replace(order, wishes=with_model(order.wishes))  # what cannot be loaded is refused before the first scan
    found = Folder((order.report or beside(order.output)) if order.page else None, scans)
    ended = _in_turn(ready, found) if jobs == 1 else _at_once(order, found, min(jobs, len(scans)))
    try:
        with closing(ended):  # whatever stops the work ends the processes
            for _ in ended:
                found.write()
    except KeyboardInterrupt:
        if found.attempts:
            found.write()  # it may have come while this was done
        raise KeyboardInterrupt(_what_stays(found.finished, len(scans), order.output)) from None
    found.write()
    _show(found, order.output, as_json)
    if found.failed:
        raise typer.Exit(CANNOT)


def _in_turn(order: FolderOrder, found: Folder) -> Generator[None]:
    """One scan after the other, in this process; what became of each is in `found` when it is yielded."""
    for number, scan in enumerate(found.scans, start=1):
        say(f"\n[{number}/{len(found.scans)}] {scan.relative_to(order.root)}", style="bold")
        found.attempts[scan] = attempted(order, scan)
        yield


def _at_once(order: FolderOrder, found: Folder, jobs: int) -> Generator[None]:
    """Several scans at a time, each told of when it has ended."""
    threads, total = max(1, processors() // jobs), len(found.scans)
    say(f"{total} scans, {jobs} at a time, each with {counted(threads, 'thread')}.")
    begun = time.monotonic()
    workers = Workers(functools.partial(begin_worker, order), jobs, threads)
    try:
        with workers:
            for number, ended in enumerate(workers.results(found.scans), start=1):
                name = str(ended.job.relative_to(order.root))
                attempt = ended.answer or Attempt(name, reason=_lost(ended.died))
                found.attempts[ended.job] = replace(attempt, said=())
                told = _left(time.monotonic() - begun, found, total)
                say(f"\n[{number}/{total}] {name}: {clock(attempt.seconds)}{told}", style="bold")
                say_again(attempt.said)
                if ended.answer is None:
                    say_error(attempt.reason)
                yield
    finally:
        found.attempts.update({one.job: one.answer for one in workers.late if one.answer is not None})


def _left(seconds: float, found: Folder, total: int) -> str:
    """What the rest will take, by those that this run has worked on; those that an earlier run had finished take no time."""
    ended = len(found.attempts)
    worked = ended - found.skipped
    return f", about {clock(seconds / worked * (total - ended))} left" if worked and ended < total else ""


def _lost(died: str) -> str:
    return f"The process that worked on it {died}; nothing of it was written. Fewer --jobs need less memory."


def _what_stays(done: int, total: int, output: Path) -> str:
    if not done:
        return "Stopped, nothing was written."
    return f"Stopped. {done} of {total} scans are finished and stay in {output}; nothing of the others was written."


def _show(found: Folder, output: Path, as_json: bool) -> None:
    if as_json:
        failures: list[dict[str, Any]] = [{"scan": one.name, "reason": one.reason} for one in found.failed]
        show_json({"done": [record for _, record in found.done], "failed": failures, "skipped": found.skipped})
        return
    show_batch(found.done, output, found.pages, count=len(found.ended) - len(found.failed))
    if found.pages is not None:
        say(f"All of them: {found.pages / 'index.html'}, as a table: {found.pages / 'results.csv'}")
    if found.failed:
        say("")
        total = counted(len(found.ended), "scan")
        say_error(f"{len(found.failed)} of {total} failed:")
        for one in found.failed:
            say(f"  {one.name}: {one.reason}", style="red")
