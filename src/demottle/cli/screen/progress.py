"""Progress for people: bars with the time left on a terminal, a plain line now and then elsewhere.

Both are listeners (see `demottle.events`): any stage the library reports gets its bar, in the order of first appearance.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from types import TracebackType
from typing import Any, Self

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from demottle import events
from demottle.cli.screen.console import err, is_quiet, log, say
from demottle.cli.screen.whole_job import WholeJob

SECONDS_BETWEEN_LINES = 20.0


def words_of(stage: events.Stage) -> str:
    """What a user is told about a stage within a sentence: "keeping CT numbers"."""
    words = stage.words
    return words[:1].lower() + words[1:]


def clock(seconds: float) -> str:
    """Seconds as a person reads them: 0.4 s, 12 s, 3:05 min, 1:02:40 h; never broken at a line's end."""
    if seconds < 9.95:
        return f"{seconds:.1f}\u00a0s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\u00a0s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}\u00a0min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}\u00a0h"


class Stages:
    """A listener that times each stage; the base of the two that show something.

    No time is left out: a stage lasts from the end of the one before it to its own, so that all add up to the clock's time.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start with no stage known; `now` is the clock, in seconds."""
        self._now = now
        self._spent: dict[events.Stage, float] = {}
        self._counted = now()  # until when time has been given to a stage
        self._current: events.Stage | None = None
        self._voxels = 0
        self._job: WholeJob | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._current is not None:
            self._count(self._current)
            self._ended(self._current)

    def __call__(self, event: events.Progress) -> None:
        """Take one report: a stage that appears ends the one before it, also when that stopped early."""
        if event.method:
            self._job = WholeJob.of(event.method, self._voxels)
            return
        if event.stage != self._current:
            if self._current is not None:
                if event.done == 0:  # it begins now; where its first report comes after a step, that step was its own
                    self._count(self._current)
                self._ended(self._current)
            self._current = event.stage
            self._began(event)
        self._count(event.stage)
        self._moved(event)

    @contextmanager
    def stage(self, name: events.Stage) -> Iterator[None]:
        """Show a step that reports little or nothing itself, from its beginning to its end."""
        self(events.Progress(name, 0, 1))
        yield
        self._count(name)
        self._ended(name)
        self._current = None

    @property
    def seconds(self) -> dict[events.Stage, float]:
        """Duration of each stage so far in s, in the order of first appearance."""
        return dict(self._spent)

    def denoises(self, voxels: int) -> None:
        """Be told how large the scan is, for the estimate of the whole job once its method is known."""
        self._voxels, self._job = voxels, None

    def left_in_all(self, of_stage: float | None) -> str:
        """Say how long the job still takes, "about 3:05 min left in all"; nothing where that is not known.

        Args:
            of_stage: seconds that the stage which runs still needs; None or NaN where it cannot say.
        """
        if self._job is None or self._current is None:
            return ""
        return f"about {clock(self._job.left(self._spent, self._current, of_stage))} left in all"

    def began(self, moment: float) -> None:
        """Count from a moment of the clock before this listener was there: the first stage gets that time too."""
        self._counted = moment

    def _count(self, stage: events.Stage) -> None:
        """Give the time since the last count to a stage."""
        moment = self._now()
        self._spent[stage] = self._spent.get(stage, 0.0) + moment - self._counted
        self._counted = moment

    def _began(self, event: events.Progress) -> None:
        """Show that a stage has begun."""

    def _moved(self, event: events.Progress) -> None:
        """Show how far a stage is."""

    def _ended(self, stage: events.Stage) -> None:
        """Show that a stage is over."""


class Lines(Stages):
    """A plain line when a stage ends, and now and then while it runs: for logs and pipes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing said; `now` is the clock, in seconds."""
        super().__init__(now)
        self._said = now()

    def _moved(self, event: events.Progress) -> None:
        spent = self.seconds[event.stage]
        if self._now() - self._said < SECONDS_BETWEEN_LINES or not 0 < event.done < event.total:
            return
        self._said = self._now()
        left = spent / event.done * (event.total - event.done) if event.left is None else event.left
        told = f", about {clock(left)} left" if isfinite(left) else ""
        whole = self.left_in_all(left)
        told = f", {whole}" if whole else told
        say(f"{event.stage.words}: {100 * event.done / event.total:.0f} %{told}")

    def _ended(self, stage: events.Stage) -> None:
        self._said = self._now()
        say(f"{stage.words}: done in {clock(self.seconds[stage])}")


class _TimeColumn(ProgressColumn):
    """Time left while a stage runs, time taken once it is over."""

    def render(self, task: Task) -> Text:
        if task.fields["over"]:
            return Text(clock(task.fields["took"]), style="dim")
        left = task.time_remaining if task.fields["left"] is None else task.fields["left"]
        if left is None or not isfinite(left):
            return Text("")
        return Text(f"{clock(left)} left", style="cyan")


class _MarkColumn(ProgressColumn):
    """A tick in front of what is over."""

    def render(self, task: Task) -> Text:
        return Text("✓", style="green") if task.fields["over"] else Text("•", style="cyan")


class _Whole(Progress):
    """The bars of the stages, and below them how long the whole job still takes."""

    def __init__(self, in_all: Callable[[], str], *columns: ProgressColumn, **given: Any) -> None:
        self._in_all, self._over = in_all, False
        super().__init__(*columns, **given)

    def stop(self) -> None:
        self._over = True
        super().stop()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if not self._over and (told := self._in_all()):
            yield Text(f"  {told}", style="cyan")


class Bars(Stages):
    """One bar for each stage, with an estimate of the time left."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Draw nothing yet; `now` is the clock, in seconds."""
        super().__init__(now)
        self._tasks: dict[str, TaskID] = {}
        self._progress = _Whole(
            self._in_all,
            _MarkColumn(),
            TextColumn("{task.description:<17}"),
            BarColumn(bar_width=28, complete_style="cyan", finished_style="green", pulse_style="cyan"),
            TextColumn("{task.percentage:>3.0f} %"),
            _TimeColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=err,
            speed_estimate_period=60.0,
        )

    def _in_all(self) -> str:
        if self._current is None or (task := self._tasks.get(self._current)) is None:
            return ""
        shown = self._progress.tasks[self._progress.task_ids.index(task)]
        return self.left_in_all(shown.time_remaining if shown.fields["left"] is None else shown.fields["left"])

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._progress.stop()

    def _began(self, event: events.Progress) -> None:
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._progress.add_task(
                event.stage.words, over=False, note="", left=None, took=0.0
            )
        self._progress.update(self._tasks[event.stage], over=False)

    def _moved(self, event: events.Progress) -> None:
        total = event.total if event.total > 1 else None  # one unit of work: a pulse, not a bar that jumps
        task = self._tasks[event.stage]
        self._progress.update(task, completed=event.done, total=total, note=event.note, left=event.left)

    def _ended(self, stage: events.Stage) -> None:
        task = self._tasks[stage]
        log("note", f"{stage.words}: done in {clock(self.seconds[stage])}")
        done = max(self._progress.tasks[self._progress.task_ids.index(task)].completed, 1)
        self._progress.update(task, completed=done, total=done, over=True, note="", took=self.seconds[stage])


def watch() -> Stages:
    """Return the listener that suits where standard error goes, and how much is to be said."""
    if is_quiet():
        return Lines()  # whose lines go to the log file alone
    return Bars() if err.is_terminal else Lines()
