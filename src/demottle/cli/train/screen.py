"""A running training for people: a live table of losses on a terminal, a plain line now and then elsewhere."""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import err, say
from demottle.cli.screen.progress import SECONDS_BETWEEN_LINES, clock
from demottle.cli.screen.spark import bar, sparkline

if TYPE_CHECKING:
    from demottle.learning.observing import Report

_KEPT = 400  # reports that the small curves show


class TrainingScreen:
    """An observer that draws the last report, and how the losses went, until its context ends."""

    def __init__(self, live: bool | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """Draw live on a terminal, else say lines; `now` is the clock, in seconds."""
        self._now, self._said = now, now()
        self._curves: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._report: Report | None = None
        self._live = Live(console=err, get_renderable=self.picture, refresh_per_second=4, transient=False)
        self._drawn = err.is_terminal if live is None else live

    def __enter__(self) -> Self:
        if self._drawn:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._live.stop()
        elif kind is None and self._report is not None:
            say(f"Training: {self._report.step} steps in {clock(self._report.seconds)}")

    def __call__(self, report: "Report") -> None:
        """Take one report."""
        if self._report is not None and report.part != self._report.part:
            self._curves.clear()  # losses of another part are not comparable, even of the same name
        self._report = report
        for name, value in report.losses.items():
            self._curves[name].append(value)
        if report.validation is not None:
            self._curves["criterion"].append(report.validation)
        if not self._drawn and self._now() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = self._now()
            say(self.line())

    def line(self) -> str:
        """Where the training is, in one line."""
        if self._report is None:
            return "Training begins"
        report = self._report
        losses = ", ".join(f"{name.split('/')[-1]} {value:.4f}" for name, value in report.losses.items())
        left = f"about {clock(report.seconds_left)} left{_of_this(report)}"
        return f"{_named(report)}: step {report.step} of {report.steps}, {left}; {losses}"

    def picture(self) -> RenderableType:
        """The table as it stands."""
        report = self._report
        if report is None:
            return Text("Training begins ...", style="dim")
        share = report.step / max(1, report.steps)
        head = Text.assemble(
            ("• ", "cyan"),
            f"{_named(report)}  {bar(share, 28)}  step {report.step} of {report.steps}  ",
            (f"{clock(report.seconds_left)} left{_of_this(report)}", "cyan"),
            (f"  rate {report.rate:.2f}", "dim"),
        )
        table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
        table.add_column("loss", no_wrap=True)
        table.add_column("now", justify="right", min_width=10)
        table.add_column("so far")
        for name, curve in self._curves.items():
            lowest = min(curve)
            table.add_row(name, f"{curve[-1]:.5f}", sparkline(value - lowest for value in curve))
        return Group(head, table)


def _named(report: "Report") -> str:
    return f"Training, {report.part}" if report.part else "Training"


def _of_this(report: "Report") -> str:
    """Say that the time left is not that of everything, where more comes after."""
    return " for this part" if report.part else ""
