"""A run for people: a live table on a terminal, a plain line now and then elsewhere, with an honest estimate of what is left."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import err, is_quiet, say, shown
from demottle.cli.screen.progress import SECONDS_BETWEEN_LINES, clock
from demottle.cli.screen.tables import CAREFUL

if TYPE_CHECKING:
    from demottle.archive.run.drive import Told

_SHOWN = 8  # series at work
_FAILURES = 3


class RunScreen:
    """Shows how far a run is, until its context ends."""

    def __init__(
        self, stopping: Callable[[], bool], live: bool | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Draw live on a terminal, else say lines; `now` is the clock, in seconds."""
        self._now, self._said, self._stopping = now, now(), stopping
        self._drawn = (err.is_terminal if live is None else live) and not is_quiet()
        self._live = Live(console=err, auto_refresh=False, transient=True)
        self._told_to_wait = False

    def __enter__(self) -> Self:
        if self._drawn:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._live.stop()

    def __call__(self, told: "Told") -> None:
        """Show it."""
        if told.stopping and not self._told_to_wait:
            self._told_to_wait = True
            say(
                "The series that are at work are finished first; Ctrl-C once more leaves them, to be begun anew.",
                style="yellow",
            )
        if self._drawn:
            self._live.update(picture(told), refresh=True)
        elif self._now() - self._said >= SECONDS_BETWEEN_LINES and told.state.counts()["running"]:
            self._said = self._now()
            say(line(told))


def line(told: "Told") -> str:
    """How far a run is, in a line."""
    counts = told.state.counts()
    failed = f", {counts['failed']} failed" if counts["failed"] else ""
    return (
        f"{counts['done']} of {sum(counts.values())} series done{failed}, {_at_a_time(told)} at work, {left_of(told)}"
    )


def _at_a_time(told: "Told") -> int:
    """Series that are at work; Ray is given some more, which wait there."""
    return min(told.state.counts()["running"], told.pace.workers)


def left_of(told: "Told") -> str:
    """What is left, in words: a range, as series differ."""
    left = told.left()
    if left is None:
        return "time left not known yet"
    least, most = left
    if most < 60:
        return "less than a minute left"
    if most < 1.25 * least:
        return f"about {clock((least + most) / 2)} left"
    return f"{clock(least)} to {clock(most)} left"


def picture(told: "Told") -> RenderableType:
    """The live table."""
    counts = told.state.counts()
    total = sum(counts.values())
    head = Table.grid(padding=(0, 2))
    hour = 3600 * told.pace.count / max(time.monotonic() - told.pace.begun, 1e-9)
    head.add_row(
        Text(f"{counts['done']} of {total} series", style="bold"),
        ProgressBar(total=max(total, 1), completed=counts["done"] + counts["failed"], width=30, complete_style="cyan"),
        Text(left_of(told), style="cyan"),
        Text(f"{hour:.0f} an hour" if told.pace.count else "", style="dim"),
        Text(f"{counts['failed']} failed" if counts["failed"] else "", style=CAREFUL),
    )
    return Group(head, _at_work(told), *_failures(told))


def _at_work(told: "Told") -> Table:
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("at work", overflow="ellipsis", no_wrap=True)
    table.add_column("for", justify="right", no_wrap=True)
    at_work = told.state.at_work()[: _at_a_time(told)]
    for folder, since in at_work[:_SHOWN]:
        table.add_row(Text(shown(folder)), clock(max(time.time() - since, 0.0)))
    if len(at_work) > _SHOWN:
        table.add_row(Text(f"and {len(at_work) - _SHOWN} more", style="dim"), "")
    return table


def _failures(told: "Told") -> list[RenderableType]:
    found = told.state.failures(_FAILURES)
    return [
        Text(f"  failed: {shown(folder)}: {shown(reason)}", style="red", no_wrap=True, overflow="ellipsis")
        for folder, reason in found
    ]
