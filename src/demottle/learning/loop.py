"""The training loop. A method says how to draw a batch and what its loss is; everything else is here, in one sitting.

Learning rate: short warm-up, then constant, then a cosine cool-down over the last part. Where a criterion stops improving,
the cool-down begins at once, so that stopping early still ends on well-settled weights. The weights handed back are an
exponential moving average of the last steps.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from demottle.errors import InputError
from demottle.events import Listener, Progress, silent


@dataclass(frozen=True)
class Schedule:
    """How to learn.

    Attributes:
        steps: most optimizer steps.
        minutes: most minutes; None: as long as the steps take. A limit in minutes that takes effect makes the result depend
            on the machine's speed.
        rate: peak learning rate of AdamW.
        warm_up: steps spent raising the rate.
        cool_down: share of the steps spent lowering it.
        averaging: decay of the moving average of the weights, per step.
        check_every: steps between two looks at the criterion; 0: never stop early.
        patience: looks without improvement before the cool-down begins.
        least_gain: relative improvement of the criterion that counts as one.
        largest_gradient: longer gradients are shortened to this: a patch that fits badly must not undo what was learned.
    """

    steps: int
    minutes: float | None = None
    rate: float = 1e-3
    warm_up: int = 30
    cool_down: float = 0.4
    averaging: float = 0.98
    check_every: int = 0
    patience: int = 3
    least_gain: float = 0.002
    largest_gradient: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a schedule that cannot run."""
        if self.steps < 1:
            raise InputError(f"The number of steps is {self.steps}; learning needs at least 1.")
        if self.minutes is not None and self.minutes <= 0:
            raise InputError(f"The time for learning is {self.minutes} minutes; it has to be positive.")


@dataclass
class History:
    """What happened while learning: loss per step, seconds, and why it ended."""

    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    ended: str = "all steps done"

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.losses)

    def summary(self) -> dict[str, float | int | str]:
        """Return plain values for a model file and `run.json`; no times, so that the same fit gives the same file."""
        return {
            "steps": self.steps,
            "ended": self.ended,
            "loss_first": round(sum(self.losses[:10]) / max(1, len(self.losses[:10])), 5),
            "loss_last": round(sum(self.losses[-10:]) / max(1, len(self.losses[-10:])), 5),
        }


Network = TypeVar("Network", bound=nn.Module)
_SETTING_UP = 3  # steps


def learn(
    network: Network,
    loss_of: Callable[[nn.Module], Tensor],
    schedule: Schedule,
    *,
    criterion: Callable[[nn.Module], float] | None = None,
    listener: Listener = silent,
) -> tuple[Network, History]:
    """Train a network and return a copy with averaged weights, and the history.

    Args:
        network: trained in place.
        loss_of: draws the next batch, runs the network on it and returns the loss, a scalar tensor.
        schedule: how long and how.
        criterion: figure to be lowered, measured on the averaged weights for early stopping.
        listener: told after every step.
    """
    averaged = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), schedule.rate, betas=(0.9, 0.99), weight_decay=1e-4)
    history = History()
    started = time.monotonic()
    clock = _Clock(schedule, started)
    watch = _Watch(schedule, criterion)
    network.train()
    while (rate := clock.rate(history.steps)) is not None:
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * rate
        loss = loss_of(network)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), schedule.largest_gradient)
        optimizer.step()
        history.losses.append(float(loss.detach()))
        _average(averaged, network, schedule.averaging, history.steps)
        if watch.has_settled(history.steps, averaged) and clock.cool_down_from(history.steps):
            history.ended = "stopped early: no longer improving"
        listener(Progress("learn", history.steps, clock.last_step, f"loss {history.losses[-1]:.4f}"))
    if clock.out_of_time:
        history.ended = "time used up"
    history.seconds = time.monotonic() - started
    averaged.eval()
    return averaged, history


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    # Early on a long average would still hold the initial weights.
    weight = 1 - min(decay, (step + 1) / (step + 10))
    for mean, current in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(current, weight)
        else:
            mean.copy_(current)


class _Clock:
    """Where in the schedule we are: turns the number of steps done into a relative learning rate, or None at the end."""

    def __init__(self, schedule: Schedule, started: float) -> None:
        self.schedule = schedule
        self.started = started
        self.last_step = schedule.steps
        self.cooling = max(1, round(schedule.cool_down * schedule.steps))
        self.out_of_time = False
        self._paced_from = (0, started)

    def rate(self, done: int) -> float | None:
        self._mind_the_time(done)
        if done >= self.last_step:
            return None
        warm = min(1.0, (done + 1) / max(1, self.schedule.warm_up))
        left = (self.last_step - done) / self.cooling
        return warm * (1.0 if left >= 1 else 0.5 * (1 - math.cos(math.pi * left)))

    def cool_down_from(self, done: int) -> bool:
        """Begin the cool-down now; True if that ends the learning earlier."""
        if done + self.cooling >= self.last_step:
            return False
        self.last_step = done + self.cooling
        return True

    def _mind_the_time(self, done: int) -> None:
        """Shorten the schedule to what the pace so far allows; the first steps, which set things up, tell nothing of it."""
        if self.schedule.minutes is None:
            return
        now = time.monotonic()
        if done <= _SETTING_UP:
            self._paced_from = (done, now)
            if now - self.started < self.schedule.minutes * 60:
                return
        first, since = self._paced_from
        left = self.started + self.schedule.minutes * 60 - now
        affordable = done + (max(0, int(left * (done - first) / (now - since))) if done > first else 0)
        if affordable < self.last_step:
            self.out_of_time = True
            self.last_step = affordable
            self.cooling = max(1, min(self.cooling, round(self.schedule.cool_down * affordable)))


class _Watch:
    """Looks at the criterion now and then, and says when it has stopped falling."""

    def __init__(self, schedule: Schedule, criterion: Callable[[nn.Module], float] | None) -> None:
        self.schedule = schedule
        self.criterion = criterion if schedule.check_every else None
        self.best = math.inf
        self.looks_without_gain = 0

    def has_settled(self, done: int, network: nn.Module) -> bool:
        if self.criterion is None or done % self.schedule.check_every:
            return False
        now = self.criterion(network)
        if now < self.best * (1 - self.schedule.least_gain):
            self.looks_without_gain = 0
        else:
            self.looks_without_gain += 1
        self.best = min(self.best, now)
        return self.looks_without_gain >= self.schedule.patience
