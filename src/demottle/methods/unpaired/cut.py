"""CUT, Contrastive Unpaired Translation (Park et al., ECCV 2020, arXiv 2007.15651), on CT. Losses are in `cut_game`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.learning.data.cohort import Sets
from demottle.learning.data.sampling import UnpairedPatches
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.methods.unpaired import full_band
from demottle.methods.unpaired.beginning import begun, refuse_other_start
from demottle.methods.unpaired.cut_game import CutGame, CutWeights
from demottle.methods.unpaired.full_band import FullBandDenoiser, GeneratorSettings
from demottle.methods.unpaired.playing import key_of, played, schedule_of
from demottle.methods.unpaired.trained_network import TrainedNetwork, refuse_other_units
from demottle.networks.patch_gan import NORMS, PatchGAN
from demottle.networks.projection_heads import ProjectionHeads

NAME = name_of(__name__)


@dataclass(frozen=True)
class CutSettings(GeneratorSettings):
    """Settings of the method; those of the generator and the training are in `GeneratorSettings`.

    Attributes:
        contrast: weight of the contrastive loss.
        temperature: tau of the contrastive loss.
        places: compared in each patch and level.
        head_width: length of the vectors that are compared.
        judge_channels, judge_norm: channels and norm of the discriminator, as of `perceptual-cyclegan`.
    """

    attention: bool = False
    contrast: float = 1.0
    temperature: float = 0.07
    places: int = 256
    head_width: int = 256
    judge_channels: int = 64
    judge_norm: str = "instance"

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.contrast < 0 or self.temperature <= 0:
            raise InputError("contrast must not be negative, and temperature has to be positive.")
        if self.judge_norm not in NORMS:
            raise InputError(f'judge_norm is "{self.judge_norm}"; it has to be one of: {", ".join(NORMS)}.')
        if self.places < 2 or min(self.head_width, self.judge_channels) < 1:
            raise InputError("places has to be at least 2, head_width and judge_channels at least 1.")


Settings = CutSettings


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "small": {**full_band.SMALL, "places": 64, "head_width": 32, "judge_channels": 16, "judge_norm": "none"},
}
"""Settings by the machine they are for: "full" for a GPU, "small" for a processor and a look at how it goes."""


def train(
    sets: Sets,
    settings: CutSettings,
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
        InputError: for a start of another method or other network settings.
    """
    refuse_other_units(NAME, sets)
    refuse_other_start(NAME, settings, start)
    budget, run = budget or Budget(), run or Run()
    game = seeded(
        lambda: CutGame(
            full_band.scaled(UnpairedPatches(sets, settings.patch), settings.scale),
            lambda: begun(settings.generator(), start),
            lambda: ProjectionHeads(settings.channels, settings.head_width),
            lambda: PatchGAN(settings.judge_channels, settings.judge_norm),
            CutWeights(settings.contrast, settings.temperature, settings.places),
            batch=settings.batch,
            rate=settings.rate,
        ),
        seed,
    )
    return played(
        game,
        lambda generator, fitted: FullBandDenoiser(NAME, settings, fitted, generator),
        sets,
        schedule_of(settings, budget, run),
        key=key_of(NAME, settings, sets, budget, start),
        seed=seed,
        run=run,
        listener=listener,
        start=start,
    )


def restore(settings: CutSettings, fitted: Mapping[str, Any], tensors: Tensors) -> FullBandDenoiser:
    """Rebuild a saved network."""
    return full_band.restored(NAME, settings, fitted, tensors)
