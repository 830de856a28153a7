"""A CycleGAN with attention-gated skips, residual blocks and a perceptual loss made for CT (arXiv 2605.00793, 2026).

The authors published the parts, but neither layer counts nor weights nor a program; those here are the usual ones. Losses are in
`cycle_game`, the feature extractor in `ct_features`. A start on simulated noise, and that noise as a further loss, are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.learning.data.cohort import Sets
from demottle.learning.data.sampling import UnpairedPatches
from demottle.learning.observing import watching_part
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.losses.perceptual import frozen
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.methods.unpaired import full_band
from demottle.methods.unpaired.beginning import begun, refuse_other_start
from demottle.methods.unpaired.ct_features import learned_features
from demottle.methods.unpaired.cycle_game import CycleGame, CycleWeights
from demottle.methods.unpaired.full_band import FullBandDenoiser, GeneratorSettings
from demottle.methods.unpaired.playing import WARM_UP_PART, key_of, part_before, played, schedule_of
from demottle.methods.unpaired.simulated_noise import NoisyPatches, SimulatedNoise
from demottle.methods.unpaired.trained_network import TrainedNetwork, refuse_other_units
from demottle.methods.unpaired.warm_up import Start, warmed
from demottle.methods.unpaired.watched_game import Draw
from demottle.networks.patch_gan import NORMS, PatchGAN
from demottle.networks.vgg19 import load_vgg19

NAME = name_of(__name__)


@dataclass(frozen=True)
class PerceptualCycleGanSettings(GeneratorSettings):
    """Settings of the method; those of the generator and the training are in `GeneratorSettings`.

    Attributes:
        cycle, identity: weights of the mean absolute errors, in units of 2000 HU whatever `scale` is.
        share: influence of the perceptual loss: its part of all terms but the adversarial ones at the start, 0 to below 1.
        window: window of the local statistics that the perceptual loss compares, in features (4 pixels each); 0: points only.
        features: what the perceptual loss compares: "autoencoder", trained on the full-dose patches first, or "vgg19".
        vgg19: file with the weights of VGG-19.
        feature_channels: channels of the autoencoder's first level.
        feature_steps: steps of its training; fewer in proportion where `steps` are limited.
        judge_channels: channels of the discriminators' first layer.
        judge_norm: norm of the discriminators: "instance" as published, "spectral" or "none".
        pool: earlier results kept for each discriminator.
        warm_up: steps before the game in which the generator learns to remove noise simulated on full-dose slices (ours,
            `warm_up`).
        warm_rate: rate of learning in them.
        simulated: weight of the same loss in the game, in units of 2000 HU (ours).
        adversarial: weight of the adversarial losses.
    """

    rate: float = 1e-4
    cycle: float = 10.0
    identity: float = 5.0
    share: float = 0.8
    window: int = 4
    features: str = "autoencoder"
    vgg19: str = ""
    feature_channels: int = 64
    feature_steps: int = 8000
    judge_channels: int = 64
    judge_norm: str = "instance"
    pool: int = 50
    warm_up: int = 8000
    warm_rate: float = 2e-4
    simulated: float = 200.0
    adversarial: float = 0.1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        for name in ("cycle", "identity", "window", "pool", "warm_up", "simulated", "adversarial"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must not be negative.")
        if not 0 <= self.share < 1:
            raise InputError(f"share is {self.share}; it has to be at least 0 and below 1.")
        if self.share and not self.cycle + self.identity:
            raise InputError(
                "The perceptual loss is given a share of cycle and identity; one of them has to be above 0."
            )
        if self.features not in ("autoencoder", "vgg19"):
            raise InputError(f'features is "{self.features}"; it has to be "autoencoder" or "vgg19".')
        if self.judge_norm not in NORMS:
            raise InputError(f'judge_norm is "{self.judge_norm}"; it has to be one of: {", ".join(NORMS)}.')
        if self.warm_rate <= 0:
            raise InputError(f"warm_rate is {self.warm_rate}; it has to be positive.")
        for name in ("feature_channels", "feature_steps", "judge_channels"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it has to be at least 1.")


Settings = PerceptualCycleGanSettings


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "small": {
        **full_band.SMALL,
        "steps": 600,
        "rate": 3e-4,
        "share": 0.5,  # chosen on tuning patients: 15.7 HU of error, 18.3 HU with 0.8
        "warm_up": 2000,
        "warm_rate": 1e-3,
        "feature_channels": 8,
        "feature_steps": 400,
        "judge_channels": 16,
        "judge_norm": "none",  # instance normalization of small patches takes out how strong the noise is
    },
}
"""Settings by the machine they are for: "full" for a GPU, "small" for a processor and a look at how it goes."""


def train(
    sets: Sets,
    settings: PerceptualCycleGanSettings,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    run: Run | None = None,
    listener: Listener = silent,
    start: Denoiser | None = None,
) -> TrainedNetwork:
    """Train on unpaired sets; `start`: model of this method whose weights it begins with.

    Raises:
        UnsuitableError: for images that are not CT in HU.
        InputError: where the weights of VGG-19 are asked for and cannot be read; for a start of another method or other network
            settings.
    """
    return train_cycle(NAME, sets, settings, seed, budget or Budget(), run or Run(), listener, start)


def restore(settings: PerceptualCycleGanSettings, fitted: Mapping[str, Any], tensors: Tensors) -> FullBandDenoiser:
    """Rebuild a saved network."""
    return full_band.restored(NAME, settings, fitted, tensors)


def train_cycle(
    name: str,
    sets: Sets,
    settings: PerceptualCycleGanSettings,
    seed: int,
    budget: Budget,
    run: Run,
    listener: Listener,
    start: Denoiser | None,
) -> TrainedNetwork:
    """Train this method, or under another name the one that differs from it in its settings only."""
    refuse_other_units(name, sets)
    refuse_other_start(name, settings, start)
    draw = full_band.scaled(UnpairedPatches(sets, settings.patch), settings.scale)
    key = key_of(name, settings, sets, budget, start)
    extractor = None
    generator: nn.Module | None = None if start is None else begun(settings.generator(), start)
    if settings.share:
        extractor, budget = _extractor(draw, settings, key, seed, budget, run, listener)
    noisy = _noisy(sets, settings)
    if settings.warm_up and noisy:
        schedule, budget = part_before(settings.warm_up, settings, budget, run, WARM_UP_PART)
        part = Start(settings.batch, settings.warm_rate, schedule)
        first = generator or seeded(settings.generator, seed)
        generator = warmed(first, noisy, part, seed=seed, run=run, key=key, listener=listener)
    game = seeded(
        lambda: CycleGame(
            draw,
            settings.generator,
            lambda: PatchGAN(settings.judge_channels, settings.judge_norm),
            extractor,
            _weights(settings),
            batch=settings.batch,
            pool=settings.pool,
            rate=settings.rate,
            simulated=SimulatedNoise(noisy, settings.simulated * _per(settings))
            if settings.simulated and noisy
            else None,
            warmed=generator,
        ),
        seed,
    )
    # A path says something of the machine it is on, so a model file gets the file's name alone.
    told = replace(settings, vgg19=Path(settings.vgg19).name)
    return played(
        game,
        lambda generator, fitted: FullBandDenoiser(name, told, fitted, generator),
        sets,
        schedule_of(settings, budget, run),
        key=key,
        seed=seed,
        run=run,
        listener=listener,
        start=start,
    )


def _per(settings: PerceptualCycleGanSettings) -> float:
    # Errors grow with the scale's inverse and verdicts do not: at 200 HU as 1, a cycle of 10 would forbid to remove any noise.
    return settings.scale / full_band.SCALE


def _weights(settings: PerceptualCycleGanSettings) -> CycleWeights:
    per = _per(settings)
    return CycleWeights(
        settings.cycle * per, settings.identity * per, settings.share, settings.window, settings.adversarial
    )


def _noisy(sets: Sets, settings: PerceptualCycleGanSettings) -> Draw | None:
    if not settings.warm_up and not settings.simulated:
        return None
    return full_band.scaled(NoisyPatches(sets, settings.patch), settings.scale)


def _extractor(
    draw: Draw, settings: PerceptualCycleGanSettings, key: str, seed: int, budget: Budget, run: Run, listener: Listener
) -> tuple[nn.Module, Budget]:
    """Return the feature extractor, and what its training leaves of the budget."""
    if settings.features == "vgg19":
        return frozen(load_vgg19(settings.vgg19)), budget
    schedule, left = part_before(settings.feature_steps, settings, budget, run)
    extractor = learned_features(
        lambda share: draw(share)[1],
        settings.feature_channels,
        settings.batch,
        schedule,
        seed=seed,
        saved=run.saved("features"),
        key=key,
        listener=listener,
        observers=watching_part(run.observers, "features"),
        stop=run.stop,
        device=run.device,
    )
    return extractor, left
