"""What has happened in a training so far."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STOPPED_EARLY = "stopped early: no longer improving"


@dataclass
class History:
    """What has happened so far; part of a checkpoint.

    Attributes:
        step, seconds: done and spent, over all runs of a resumed training.
        ended: why it ended; empty while it goes on.
        best, best_step: lowest criterion, and when.
        looks_without_gain: since the criterion last fell by enough.
        losses: losses of the last report, "player/loss" to its mean; `reported` is that report's step.
        sums: sums of the losses since then, where a checkpoint was written in between.
        each: the loss of every step, where the game keeps it.
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
    each: list[float] | None = None

    def note(self, found: float, least_gain: float) -> bool:
        """Take in one look at the criterion; True where it is the best so far."""
        gained = found < self.best * (1 - least_gain)
        self.looks_without_gain = 0 if gained else self.looks_without_gain + 1
        if found >= self.best:
            return False
        self.best, self.best_step = found, self.step
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a checkpoint."""
        return {**asdict(self), "best": self.best if math.isfinite(self.best) else None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "History":
        """Take back what `to_dict` gave."""
        return cls(**{**values, "best": math.inf if values["best"] is None else values["best"]})

    def summary(self) -> dict[str, Any]:
        """Return plain values for a model file; no times, so that the same training gives the same file."""
        if self.each is not None:
            return {
                "steps": self.step,
                "ended": self.ended,
                "loss_first": _mean(self.each[:10]),
                "loss_last": _mean(self.each[-10:]),
            }
        examined = math.isfinite(self.best)
        weights = f"of the best look at the criterion, at step {self.best_step}" if examined else "of the last step"
        return {
            "steps": self.step,
            "ended": self.ended,
            "weights": weights,
            "criterion": self.best if examined else None,
            "losses": {name: round(value, 6) for name, value in self.losses.items()},
        }


def _mean(losses: list[float]) -> float:
    return round(sum(losses) / max(1, len(losses)), 5)
