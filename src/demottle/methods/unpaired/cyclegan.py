"""CycleGAN (Zhu et al., ICCV 2017, arXiv 1703.10593): what the perceptual attention CycleGAN is to be compared with.

The same program without attention, without a perceptual loss, and without simulated noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demottle.events import Listener, silent
from demottle.learning.data.cohort import Sets
from demottle.learning.run import Run
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.methods.unpaired import full_band, perceptual_cyclegan
from demottle.methods.unpaired.full_band import FullBandDenoiser
from demottle.methods.unpaired.trained_network import TrainedNetwork

NAME = name_of(__name__)


@dataclass(frozen=True)
class CycleGanSettings(perceptual_cyclegan.PerceptualCycleGanSettings):
    """As of `perceptual-cyclegan`, with other defaults: open skips, no perceptual loss, no simulated noise."""

    rate: float = 2e-4
    attention: bool = False
    share: float = 0.0
    warm_up: int = 0
    simulated: float = 0.0
    adversarial: float = 1.0


Settings = CycleGanSettings


_KEPT = ("channels", "blocks", "patch", "batch", "averaging", "judge_channels", "judge_norm")
"""What the preset takes over, by name: sizes and norms, no loss, and nothing that is added there later."""
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "small": {
        **{k: perceptual_cyclegan.PRESETS["small"][k] for k in _KEPT},
        "steps": full_band.SMALL["steps"],
        "rate": full_band.SMALL["rate"],
    },
}
"""The sizes of those of `perceptual-cyclegan`, and no loss that this method does not have."""


def train(
    sets: Sets,
    settings: CycleGanSettings,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    run: Run | None = None,
    listener: Listener = silent,
    start: Denoiser | None = None,
) -> TrainedNetwork:
    """Train on unpaired sets; errors as of `perceptual-cyclegan`."""
    return perceptual_cyclegan.train_cycle(
        NAME, sets, settings, seed, budget or Budget(), run or Run(), listener, start
    )


def restore(settings: CycleGanSettings, fitted: Mapping[str, Any], tensors: Tensors) -> FullBandDenoiser:
    """Rebuild a saved network."""
    return full_band.restored(NAME, settings, fitted, tensors)
