"""Learning from pairs: the upper bound for methods without pairs, on their own networks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.learning.data.cohort import Sets
from demottle.learning.data.sampling import PairedPatches
from demottle.learning.players import Player, Share
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.methods.unpaired import full_band, pdml
from demottle.methods.unpaired.beginning import begun, refuse_other_start
from demottle.methods.unpaired.full_band import FullBandDenoiser, GeneratorSettings
from demottle.methods.unpaired.pdml_game import exact_norms
from demottle.methods.unpaired.playing import key_of, played, schedule_of
from demottle.methods.unpaired.trained_network import TrainedNetwork, refuse_other_units
from demottle.methods.unpaired.watched_game import Draw, WatchedGame
from demottle.networks.residual_dense import ResidualDense

NAME = name_of(__name__)
NETWORKS = ("residual-dense", "attention-unet")
LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": functional.l1_loss, "mse": functional.mse_loss}


@dataclass(frozen=True)
class SupervisedSettings(GeneratorSettings):
    """Settings of the method; those of `attention-unet` and the training are in `GeneratorSettings`.

    Attributes:
        network: "residual-dense", that of `pdml`, or "attention-unet", that of `perceptual-cyclegan`.
        loss: "l1", the mean absolute error, or "mse", the mean squared error.
        levels, reproject, features, growth, dense_blocks, shared, spectral, residual, skip: settings of `residual-dense`,
            as of `pdml`, where `dense_blocks` are called `blocks`.
        margin: pixels that patches keep from the border of a slice.
    """

    network: str = "residual-dense"
    loss: str = "l1"
    levels: int = 6
    reproject: bool = True
    features: int = 32
    growth: int = 8
    dense_blocks: int = 3
    shared: bool = False
    spectral: bool = False
    residual: float = 0.5
    skip: bool = True
    margin: int = 30

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.network not in NETWORKS:
            raise InputError(f'network is "{self.network}"; it has to be one of: {", ".join(NETWORKS)}.')
        if self.loss not in LOSSES:
            raise InputError(f'loss is "{self.loss}"; it has to be one of: {", ".join(LOSSES)}.')
        try:
            _ = self.dense
        except InputError as error:  # what is `blocks` there is `dense_blocks` here
            raise InputError(re.sub(r"^blocks\b", "dense_blocks", str(error))) from error

    @property
    def of_network(self) -> Mapping[str, Any]:
        """The settings that the network's weights depend on."""
        if self.network != "residual-dense":
            return {"network": self.network, **super().of_network}
        dense = dict(self.dense.of_network)
        return {"network": self.network, "dense_blocks": dense.pop("blocks"), **dense}

    @property
    def dense(self) -> pdml.PdmlSettings:
        """The settings of `residual-dense` as `pdml` has them."""
        return pdml.PdmlSettings(
            levels=self.levels,
            reproject=self.reproject,
            features=self.features,
            growth=self.growth,
            blocks=self.dense_blocks,
            shared=self.shared,
            spectral=self.spectral,
            residual=self.residual,
            skip=self.skip,
            patch=self.patch,
            margin=self.margin,
            scale=self.scale,
        )


Settings = SupervisedSettings


_KEPT = ("features", "patch", "margin", "batch", "steps", "averaging")
"""What the preset takes over from that of `pdml`, by name: sizes, no losses, and nothing that is added there later."""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {"scale": 50.0},
    "small": {
        **full_band.SMALL,
        "scale": 50.0,
        **{k: pdml.PRESETS["small"][k] for k in _KEPT},
        "rate": 1e-3,
    },
}
"""Settings by the machine they are for: "full" for a GPU, "small" for a processor and a look at how it goes."""


class PairGame(WatchedGame[tuple[Tensor, Tensor]]):
    """One player, a network that lowers the distance of what it makes of low dose from full dose."""

    def __init__(
        self, draw: Draw, network: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], *, batch: int, rate: float
    ) -> None:
        """Prepare; `draw` gives patches of the same places at low and at full dose."""
        self.batch, self._draw, self._loss = batch, draw, loss
        self.players = {"network": Player(network, rate, averaged=True)}

    def draw(self, share: Share) -> tuple[Tensor, Tensor]:
        """Draw patches."""
        return self._draw(share)

    def losses(self, player: str, batch: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        """Return the one loss."""
        network = self.players[player].network
        with exact_norms(network):
            return {"error": self._loss(network(batch[0]).float(), batch[1])}

    def generator_of(self, networks: Mapping[str, nn.Module]) -> nn.Module:
        """Return the network."""
        return networks["network"]


class PairDenoiser(pdml.MetricDenoiser):
    """PDML's network and the wavelet band around it, trained on pairs."""

    def __init__(self, settings: SupervisedSettings, fitted: Mapping[str, Any], network: ResidualDense) -> None:
        """Keep settings and network (with plain weights)."""
        super().__init__(settings.dense, fitted, network)
        self.method, self.settings = NAME, asdict(settings)


def train(
    sets: Sets,
    settings: SupervisedSettings,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    run: Run | None = None,
    listener: Listener = silent,
    start: Denoiser | None = None,
) -> TrainedNetwork:
    """Train on pairs; `sets` have been gathered as pairs, `start` is a model of this method whose weights it begins with.

    Raises:
        UnsuitableError: for images that are not CT in HU.
        InputError: for sets that were not gathered as pairs; for a start of another method or other network settings.
    """
    refuse_other_units(NAME, sets)
    refuse_other_start(NAME, settings, start)
    if not sets.manifest.get("paired"):
        raise InputError(f"{NAME} learns from pairs, but these scans were not gathered as pairs.")
    budget, run = budget or Budget(), run or Run()
    dense = settings.network == "residual-dense"
    network = seeded(
        lambda: pdml.begun_network(settings.dense, start) if dense else begun(settings.generator(), start), seed
    )
    return played(
        PairGame(
            pdml.band_patches(PairedPatches, sets, settings.dense) if dense else _patches(sets, settings),
            network,
            LOSSES[settings.loss],
            batch=settings.batch,
            rate=settings.rate,
        ),
        lambda learned, fitted: _denoiser(settings, fitted, learned),
        sets,
        schedule_of(settings, budget, run),
        key=key_of(NAME, settings, sets, budget, start),
        seed=seed,
        run=run,
        listener=listener,
        start=start,
    )


def restore(settings: SupervisedSettings, fitted: Mapping[str, Any], tensors: Tensors) -> TrainedNetwork:
    """Rebuild a saved network."""
    if settings.network != "residual-dense":
        return full_band.restored(NAME, settings, fitted, tensors)
    network = pdml.network_of(settings.dense, normalized=False)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})
    return PairDenoiser(settings, fitted, network)


def _denoiser(settings: SupervisedSettings, fitted: Mapping[str, Any], learned: nn.Module) -> TrainedNetwork:
    if settings.network != "residual-dense":
        return FullBandDenoiser(NAME, settings, fitted, learned)
    return PairDenoiser(settings, pdml.with_levels(settings.dense, fitted), pdml.plain_of(settings.dense, learned))


def _patches(sets: Sets, settings: SupervisedSettings) -> Draw:
    return full_band.scaled(PairedPatches(sets, settings.patch, settings.margin), settings.scale)
