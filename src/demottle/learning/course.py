"""How long and how a training goes, and what has happened in it so far."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from demottle.errors import InputError


@dataclass(frozen=True)
class Course:
    """How long and how to train.

    Attributes:
        steps: optimizer steps of every player.
        minutes: most minutes; None: as long as the steps take. A limit that takes effect makes the result depend on the
            machine's speed.
        ramp: share of the training in which the learning rate rises, from a tenth: Adam's first steps are its longest.
        hold: share of the training until which it stays; from there it falls linearly to zero.
        averaging: decay of the moving average of the weights, per step; 0 keeps the last weights.
        low_precision: compute in bfloat16 where that is safe (torch's autocast).
        check_every: steps between two looks at the criterion; 0: never, and the last weights are handed back.
        patience: looks without improvement before the training ends.
        least_gain: relative improvement that counts as one.
        save_every: steps between two checkpoints.
        report_every: steps between two reports to the observers.
        show_every: steps between two reports with sample pictures; 0: none.
    """

    steps: int
    minutes: float | None = None
    ramp: float = 0.02
    hold: float = 0.5
    averaging: float = 0.999
    low_precision: bool = False
    check_every: int = 0
    patience: int = 10
    least_gain: float = 0.002
    save_every: int = 500
    report_every: int = 10
    show_every: int = 0

    def __post_init__(self) -> None:
        """Refuse a course that cannot run."""
        if self.steps < 1:
            raise InputError(f"The number of steps is {self.steps}; training needs at least 1.")
        if self.minutes is not None and self.minutes <= 0:
            raise InputError(f"The time for training is {self.minutes} minutes; it has to be positive.")

    def progress(self, step: int, seconds: float) -> float:
        """How far the training is: 0 at the start, 1 at the end."""
        spent = 0.0 if self.minutes is None else seconds / (60 * self.minutes)
        return max(step / self.steps, spent)

    def rate(self, progress: float) -> float:
        """Learning rate relative to its peak, for a progress from 0 to 1."""
        risen = 0.1 + 0.9 * progress / self.ramp if self.ramp else 1.0
        return max(0.0, min(1.0, risen, (1 - progress) / max(1 - self.hold, 1e-9)))


@dataclass
class Story:
    """What has happened so far; part of a checkpoint.

    Attributes:
        step, seconds: done and spent, over all runs of a resumed training.
        ended: why it ended; empty while it goes on.
        best, best_step: lowest criterion, and when.
        looks_without_gain: since the criterion last fell by enough.
        losses: of the last report, "player/loss" to its mean; `reported` is that report's step.
        sums: of the losses since then, where a checkpoint was written in between.
    """

    step: int = 0
    seconds: float = 0.0
    ended: str = ""
    best: float = math.inf
    best_step: int = 0
    looks_without_gain: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    reported: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)

    def note(self, exam: float, course: Course) -> bool:
        """Take in one look at the criterion; True where it is the best so far."""
        gained = exam < self.best * (1 - course.least_gain)
        self.looks_without_gain = 0 if gained else self.looks_without_gain + 1
        if self.looks_without_gain >= course.patience and not self.ended:
            self.ended = "stopped early: no longer improving"
        if exam >= self.best:
            return False
        self.best, self.best_step = exam, self.step
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a checkpoint."""
        return {**asdict(self), "best": self.best if math.isfinite(self.best) else None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Story":
        """Take back what `to_dict` gave."""
        return cls(**{**values, "best": math.inf if values["best"] is None else values["best"]})

    def summary(self) -> dict[str, Any]:
        """Return plain values for a model file; no times, so that the same training gives the same file."""
        examined = math.isfinite(self.best)
        return {
            "steps": self.step,
            "ended": self.ended,
            "weights": f"of the best look at the criterion, at step {self.best_step}"
            if examined
            else "of the last step",
            "criterion": self.best if examined else None,
            "losses": {name: round(value, 6) for name, value in self.losses.items()},
        }
