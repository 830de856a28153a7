"""PDML's players and losses: a generator with projection heads against a discriminator."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from demottle.learning.players import Player, Share
from demottle.learning.seeding import seeded
from demottle.losses.adversarial import judged_as, judges_loss
from demottle.losses.patch_metric import patch_metric, patch_nce
from demottle.methods.unpaired.simulated_noise import SimulatedNoise
from demottle.methods.unpaired.watched_game import Draw, WatchedGame
from demottle.networks.projection_heads import ProjectionHeads
from demottle.networks.residual_dense import ResidualDense

_PLACES = {"metric": 128, "nce": 256}


@dataclass(frozen=True)
class Weights:
    """Weights of the losses, and which loss pulls places together (see `pdml.PdmlSettings`)."""

    adversarial: float
    identity: float
    metric: float
    contrast: str


@dataclass
class Turn:
    """One step: low-dose and full-dose patches, where features are compared, and what the generator made."""

    low: Tensor
    full: Tensor
    places: tuple[Tensor, Tensor]
    simulated: tuple[Tensor, Tensor] | None = None
    made: Tensor | None = None


class MetricGame(WatchedGame[Turn]):
    """Two players: the generator moves first, then the discriminator."""

    def __init__(
        self,
        draw: Draw,
        generator: ResidualDense,
        discriminator: Callable[[], nn.Module],
        weights: Weights,
        *,
        batch: int,
        rate: float,
        seed: int,
        simulated: SimulatedNoise | None = None,
    ) -> None:
        """Prepare the players.

        Args:
            draw: where the patches come from.
            generator: as it is to begin with.
            discriminator: builds one.
            weights: weights of the losses.
            batch, rate, seed: as the settings say.
            simulated: a further loss of the generator; None: none.
        """
        self.batch, self._draw, self._weights, self._simulated = batch, draw, weights, simulated
        channels = generator.features_out
        heads = seeded(lambda: ProjectionHeads((channels, channels)), seed + 1)
        both = nn.ModuleDict({"generator": generator, "heads": heads})
        self.players = {
            "generator": Player(both, rate, averaged=True),
            "discriminator": Player(seeded(discriminator, seed + 2), rate),
        }

    def draw(self, share: Share) -> Turn:
        """Draw patches and places."""
        low, full = self._draw(share)
        pixels, count = low.shape[-2] * low.shape[-1], _PLACES[self._weights.contrast]
        first, second = (
            torch.from_numpy(np.stack([random.integers(pixels, size=count) for random in share.random(layer)]))
            for layer in (1, 2)
        )
        simulated = None if self._simulated is None else self._simulated.draw(share)
        return Turn(low, full, (first.to(share.device), second.to(share.device)), simulated)

    def losses(self, player: str, batch: Turn) -> Mapping[str, Tensor]:
        """Return the losses of the generator or the discriminator."""
        with exact_norms(*(player.network for player in self.players.values())):
            return self._generator(batch) if player == "generator" else self._discriminator(batch)

    def _generator(self, turn: Turn) -> Mapping[str, Tensor]:
        weights, discriminator = self._weights, self.players["discriminator"].network
        generator = self.generator_of({"generator": self.players["generator"].network})
        made, before = generator.with_features(turn.low)
        turn.made = made.detach().float()
        losses = {}
        if weights.adversarial:
            losses["adversarial"] = weights.adversarial * judged_as(discriminator(made), 1)
        if weights.identity:
            losses["identity"] = weights.identity * (generator(turn.full) - turn.full).abs().mean()
        if self._simulated is not None and turn.simulated is not None:
            losses["simulated noise"] = self._simulated.loss(generator, turn.simulated)
        if weights.metric:
            heads = cast(ProjectionHeads, cast(nn.ModuleDict, self.players["generator"].network)["heads"])
            k, q = heads(before, turn.places), heads(generator.features(made), turn.places)
            pull = patch_metric if weights.contrast == "metric" else patch_nce
            losses["metric"] = weights.metric * torch.stack([pull(a, b) for a, b in zip(q, k, strict=True)]).mean()
        return losses

    def _discriminator(self, turn: Turn) -> Mapping[str, Tensor]:
        discriminator = self.players["discriminator"].network
        assert turn.made is not None  # the generator moves first
        return {"discriminator": judges_loss(discriminator(turn.full), discriminator(turn.made))}

    def generator_of(self, networks: Mapping[str, nn.Module]) -> ResidualDense:
        """Return the generator itself."""
        return cast(ResidualDense, cast(nn.ModuleDict, networks["generator"])["generator"])


@contextmanager
def exact_norms(*networks: nn.Module) -> Iterator[None]:
    """Compute normalized weights once for the block, in full precision: in bfloat16 a norm is wrong by half a percent."""
    with parametrize.cached():
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            for network in networks:
                for module in network.modules():
                    if parametrize.is_parametrized(module, "weight"):
                        _ = module.weight
        yield
