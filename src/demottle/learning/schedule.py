"""How long and how learning goes: how many steps, which learning rate at each, when it has settled.

A schedule is what was asked for and does not change; its `Pace` is where a running training is in it.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from demottle.errors import InputError
from demottle.learning.history import History

_SETTING_UP = 3  # steps


class Pace(ABC):
    """Where a training is in its schedule."""

    @abstractmethod
    def rate(self, step: int, seconds: float) -> float | None:
        """Learning rate of the next step relative to its peak; None where there is none: it is over.

        Args:
            step: steps done.
            seconds: spent, over all runs of a resumed training.
        """

    @abstractmethod
    def settle(self, step: int) -> bool:
        """The criterion no longer improves: True where learning ends earlier for it."""

    @abstractmethod
    def last_step(self, step: int, seconds: float) -> int:
        """How many steps there will be, as far as is known now."""

    @abstractmethod
    def reason(self, step: int, known: str) -> str:
        """Why it is over; `known`: what is known of it already, such as that it settled."""

    @abstractmethod
    def left(self, step: int, seconds: float) -> float:
        """Seconds left at the pace so far."""


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """What both kinds of schedule have.

    Attributes:
        minutes: most minutes; None: as long as the steps take. A limit that takes effect makes the result depend on the
            machine's speed.
        averaging: decay of the moving average of the weights, per step; 0 keeps the last weights.
        check_every: steps between two looks at the criterion; 0: never.
        patience: looks without improvement after which it has settled.
        least_gain: relative improvement that counts as one.
        low_precision: compute in bfloat16 where that is safe (torch's autocast).
        save_every: steps between two checkpoints.
        report_every: steps between two reports to the observers; 0: none.
        show_every: steps between two reports with sample pictures; 0: none.
        keeps_best: hand back the weights of the best look, not the last ones.
    """

    minutes: float | None = None
    averaging: float = 0.0
    check_every: int = 0
    patience: int = 3
    least_gain: float = 0.002
    low_precision: bool = False
    save_every: int = 500
    report_every: int = 0
    show_every: int = 0
    keeps_best = False

    @abstractmethod
    def begin(self, history: History) -> Pace:
        """Begin, or go on after what has happened already."""

    @abstractmethod
    def weight_of_latest(self, step: int) -> float:
        """Weight of the latest weights in their moving average after so many steps."""

    def _refuse_impossible(self, steps: int) -> None:
        if steps < 1:
            raise InputError(f"The number of steps is {steps}; learning needs at least 1.")
        if self.minutes is not None and self.minutes <= 0:
            raise InputError(f"The time for learning is {self.minutes} minutes; it has to be positive.")


@dataclass(frozen=True, kw_only=True)
class CosineSchedule(Schedule):
    """For one sitting: a short warm-up, constant, then a cosine cool-down over the last part.

    The cool-down begins at once where the criterion stops improving, so that stopping early still ends on well-settled weights.

    Attributes:
        steps: most optimizer steps.
        warm_up: steps spent raising the rate.
        cool_down: share of the steps spent lowering it.
    """

    steps: int = field(kw_only=False)
    averaging: float = 0.98
    warm_up: int = 30
    cool_down: float = 0.4

    def __post_init__(self) -> None:
        """Refuse a schedule that cannot run."""
        self._refuse_impossible(self.steps)

    def begin(self, history: History) -> "_CosinePace":
        """Begin."""
        return _CosinePace(self)

    def weight_of_latest(self, step: int) -> float:
        """Early on a long average would still hold the initial weights."""
        return 1 - min(self.averaging, (step + 1) / (step + 10))


@dataclass(frozen=True, kw_only=True)
class LinearSchedule(Schedule):
    """For trainings that last: a rise, constant, then linear to zero; ends where the criterion no longer improves.

    Attributes:
        steps: optimizer steps of every player.
        ramp: share of the training in which the learning rate rises, from a tenth: Adam's first steps are its longest.
        hold: share of the training until which it stays; from there it falls linearly to zero.
    """

    steps: int = field(kw_only=False)
    averaging: float = 0.999
    patience: int = 10
    report_every: int = 10
    ramp: float = 0.02
    hold: float = 0.5
    keeps_best = True

    def __post_init__(self) -> None:
        """Refuse a schedule that cannot run."""
        self._refuse_impossible(self.steps)

    def begin(self, history: History) -> "_LinearPace":
        """Begin, or go on."""
        return _LinearPace(self, history)

    def weight_of_latest(self, step: int) -> float:
        """Early on a long average would still hold the initial weights; `step` counts the one just done."""
        return 1 - min(self.averaging, step / (step + 9)) if self.averaging else 1.0

    def progress(self, step: int, seconds: float) -> float:
        """How far the training is: 0 at the start, 1 at the end."""
        spent = 0.0 if self.minutes is None else seconds / (60 * self.minutes)
        return max(step / self.steps, spent)


class _LinearPace(Pace):
    def __init__(self, schedule: LinearSchedule, history: History) -> None:
        self._schedule, self._history = schedule, history

    def rate(self, step: int, seconds: float) -> float | None:
        schedule, progress = self._schedule, self._schedule.progress(step, seconds)
        if self._history.ended or progress >= 1:
            return None
        risen = 0.1 + 0.9 * progress / schedule.ramp if schedule.ramp else 1.0
        return max(0.0, min(1.0, risen, (1 - progress) / max(1 - schedule.hold, 1e-9)))

    def settle(self, step: int) -> bool:
        return True

    def last_step(self, step: int, seconds: float) -> int:
        pace = step / max(self._schedule.progress(step, seconds), 1e-9)
        return max(step, min(self._schedule.steps, round(pace)))

    def reason(self, step: int, known: str) -> str:
        return known or ("all steps done" if step >= self._schedule.steps else "time used up")

    def left(self, step: int, seconds: float) -> float:
        progress = self._schedule.progress(step, seconds)
        return seconds * (1 - progress) / max(progress, 1e-9)


class _CosinePace(Pace):
    def __init__(self, schedule: CosineSchedule) -> None:
        self._schedule = schedule
        self._last = schedule.steps
        self._cooling = max(1, round(schedule.cool_down * schedule.steps))
        self._out_of_time = False
        self._paced_from = (0, 0.0)

    def rate(self, step: int, seconds: float) -> float | None:
        self._mind_the_time(step, seconds)
        if step >= self._last:
            return None
        warm = min(1.0, (step + 1) / max(1, self._schedule.warm_up))
        left = (self._last - step) / self._cooling
        return warm * (1.0 if left >= 1 else 0.5 * (1 - math.cos(math.pi * left)))

    def settle(self, step: int) -> bool:
        """Begin the cool-down now."""
        if step + self._cooling >= self._last:
            return False
        self._last = step + self._cooling
        return True

    def last_step(self, step: int, seconds: float) -> int:
        return self._last

    def reason(self, step: int, known: str) -> str:
        return "time used up" if self._out_of_time else known or "all steps done"

    def left(self, step: int, seconds: float) -> float:
        return seconds * (self._last - step) / max(1, step)

    def _mind_the_time(self, done: int, seconds: float) -> None:
        """Shorten the schedule to what the pace so far allows; the first steps, which set things up, tell nothing of it."""
        if self._schedule.minutes is None:
            return
        most = self._schedule.minutes * 60
        if done <= _SETTING_UP:
            self._paced_from = (done, seconds)
            if seconds < most:
                return
        first, since = self._paced_from
        affordable = done
        if done > first:
            affordable += max(0, int((most - seconds) * (done - first) / (seconds - since)))
        if affordable < self._last:
            self._out_of_time = True
            self._last = affordable
            self._cooling = max(1, min(self._cooling, round(self._schedule.cool_down * affordable)))
