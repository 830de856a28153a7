"""The training around a game: how long, from which checkpoint, judged and shown by whom, and what comes of it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any, ClassVar, Protocol

import torch
from torch import nn

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener
from demottle.image import Voxels
from demottle.learning.data.cohort import Sets
from demottle.learning.device import has_fast_bfloat16
from demottle.learning.pictures import before_and_after
from demottle.learning.run import Run
from demottle.learning.schedule import LinearSchedule
from demottle.learning.training import train
from demottle.learning.validation import SimulatedValidation, pieces
from demottle.methods.base import Budget, Denoiser
from demottle.methods.unpaired.beginning import begun_with
from demottle.methods.unpaired.trained_network import TrainedNetwork, trained_summary
from demottle.methods.unpaired.watched_game import WatchedGame

_PART = 0.2  # of a limit in minutes, for what comes before the game
_ASTRAY = 1.5
"""Noise that is left of noise simulated on held-out slices, 1 being all of it, above which a training diverged."""
WARM_UP_PART = 0.5  # where that is the warm-up: what it gains, the game keeps


@dataclass(frozen=True)
class Trial:
    """How a method is judged that learns from full-dose scans alone.

    Attributes:
        added: level of the noise put on held-out slices, in the unit of the images.
        plane_of: what the method makes of a slice with so much more noise.
    """

    added: float
    plane_of: Callable[[TrainedNetwork], Callable[[Voxels], Voxels]]


class TrainingSettings(Protocol):
    """The settings of a method that say how it is trained (see `pdml.PdmlSettings`)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def steps(self) -> int:
        """Steps of training."""

    @property
    def averaging(self) -> float:
        """Decay of the moving average of the weights."""

    @property
    def check_every(self) -> int:
        """Steps between two looks at the criterion."""

    @property
    def patience(self) -> int:
        """Looks without improvement."""


def key_of(name: str, settings: TrainingSettings, sets: Sets, budget: Budget, start: Denoiser | None = None) -> str:
    """What a checkpoint must have been written for."""
    return " ".join(map(str, (name, sorted(asdict(settings).items()), sets.key, budget, *begun_with(start).values())))


def schedule_of(settings: TrainingSettings, budget: Budget, run: Run) -> LinearSchedule:
    """How long and how to train."""
    return LinearSchedule(
        steps=budget.steps or settings.steps,
        minutes=budget.minutes,
        averaging=settings.averaging,
        low_precision=has_fast_bfloat16(),
        check_every=settings.check_every,
        patience=settings.patience,
        save_every=run.save_every,
        show_every=run.show_every,
    )


def part_before(
    steps: int, settings: TrainingSettings, budget: Budget, run: Run, part: float = _PART
) -> tuple[LinearSchedule, Budget]:
    """How long a part before the game may take, and what it leaves of the budget.

    Args:
        steps: steps of that part; fewer in proportion where the game's are limited.
        settings, budget, run: settings, budget and run of the whole training.
        part: share of a limit in minutes that it gets at most.
    """
    if budget.steps:
        steps = min(steps, ceil(steps * budget.steps / settings.steps))
    minutes = None if budget.minutes is None else budget.minutes * part
    schedule = LinearSchedule(
        steps=steps,
        minutes=minutes,
        averaging=settings.averaging,
        low_precision=has_fast_bfloat16(),
        save_every=run.save_every,
    )
    return schedule, replace(budget, minutes=None if minutes is None else minutes / part - minutes)


def played(
    game: WatchedGame[Any],
    denoiser_of: Callable[[nn.Module, Mapping[str, Any]], TrainedNetwork],
    sets: Sets,
    schedule: LinearSchedule,
    *,
    key: str,
    seed: int,
    run: Run,
    listener: Listener,
    start: Denoiser | None = None,
    trial: Trial | None = None,
) -> TrainedNetwork:
    """Play a game to its end and return what its generator makes for a denoiser.

    Args:
        game: with a generator to be judged and shown.
        denoiser_of: makes a denoiser of a generator and what was fitted.
        sets: learned from; the held-out scans serve the criterion and the pictures.
        schedule, key, seed, listener: as of `learning.training.train`.
        run: folder, observers and device.
        start: model that the generator began with, for the record; None: with random weights.
        trial: how it is judged where there are full-dose scans alone; None: with noise as that of the low-dose scans.

    Raises:
        UnsuitableError: where what was learned makes noise stronger, so that nobody gets such a model.
    """
    fitted = {**trained_summary(sets), **begun_with(start)}

    def plane_of(generator: nn.Module) -> Callable[[Voxels], Voxels]:
        # Of a copy: a denoiser lays out its network's memory anew, which can change the last bits of what follows.
        denoiser = denoiser_of(copy.deepcopy(generator), fitted)
        return denoiser.plane if trial is None else trial.plane_of(denoiser)

    validation = _validation(sets, seed, trial, needed=schedule.check_every > 0)
    if schedule.check_every and validation:
        game.validator = lambda generator: validation.score(plane_of(generator))
    if schedule.show_every:
        samples = pieces(sets.low_validation, 2) if trial is None or validation is None else validation.noisy[:2]
        game.shower = lambda generator: before_and_after(samples, plane_of(generator))
    trained = train(
        game,
        schedule,
        seed=seed,
        device=run.device,
        saved=run.saved(),
        key=key,
        listener=listener,
        observers=run.observers,
        stop=run.stop,
    )
    learned = game.generator_of(trained.networks)
    left = None if validation is None else noise_left(validation, plane_of(learned))
    return denoiser_of(learned, {**fitted, **trained.history.summary(), "simulated_noise_left": left})


def _validation(sets: Sets, seed: int, trial: Trial | None, needed: bool) -> SimulatedValidation | None:
    """Return the validation on held-out scans; None where their noise cannot be measured, unless it is needed."""
    try:
        return SimulatedValidation(sets, seed=seed, added=None if trial is None else trial.added)
    except InputError:
        if needed:
            raise
        return None


def noise_left(validation: SimulatedValidation, plane: Callable[[Voxels], Voxels]) -> float:
    """Return the error that is left of noise simulated on held-out full-dose slices, as a share of that noise.

    Raises:
        UnsuitableError: where it is `_ASTRAY` or more.
    """
    with torch.inference_mode():
        left = validation.score(plane)
    if not left < _ASTRAY:
        raise UnsuitableError(
            f"The training diverged: what was learned makes noise simulated on held-out slices {left:.3g} times as large; "
            "train with a lower learning rate (--set rate=...). No model was written."
        )
    return left
