"""The game of CUT: one generator, one discriminator, and places of the output that must be found again in the input."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from demottle.learning.players import Player, Share
from demottle.losses.adversarial import judged_as, judges_loss
from demottle.losses.patch_metric import patch_nce
from demottle.methods.unpaired.pdml_game import exact_norms
from demottle.methods.unpaired.watched_game import Draw, WatchedGame
from demottle.networks.attention_unet import AttentionUNet
from demottle.networks.projection_heads import ProjectionHeads


@dataclass(frozen=True)
class CutWeights:
    """Weights of the losses, and what the contrastive one compares.

    Attributes:
        contrast: weight of the contrastive loss, half of it for low-dose, half for full-dose patches.
        temperature: tau of that loss.
        places: places of each patch and layer that are compared, as far as the layer has as many.
    """

    contrast: float = 1.0
    temperature: float = 0.07
    places: int = 256


@dataclass
class CutTurn:
    """One step: what was drawn, and what the generator made of it for the discriminator."""

    low: Tensor
    full: Tensor
    random: Sequence[np.random.Generator]
    made: Tensor | None = None


class CutGame(WatchedGame[CutTurn]):
    """Two players, the generator ("network", with its projection "heads") and the discriminator.

    The generator lowers `LSGAN(D, G(a)) + contrast (NCE(a, G(a)) + NCE(b, G(b))) / 2`, with a low dose, b full dose, and NCE over
    the features of the generator's own encoder (`losses.patch_metric.patch_nce`), the mean over its levels.
    """

    def __init__(
        self,
        draw: Draw,
        generator: Callable[[], AttentionUNet],
        heads: Callable[[], ProjectionHeads],
        discriminator: Callable[[], nn.Module],
        weights: CutWeights,
        *,
        batch: int,
        rate: float = 2e-4,
    ) -> None:
        """Prepare the players; arguments as of `CycleGame`, `heads` with one head for each level of the encoder."""
        self.batch, self._draw, self._weights = batch, draw, weights
        self._generator, self._heads, self._judge = generator(), heads(), discriminator()
        maker = nn.ModuleDict({"network": self._generator, "heads": self._heads})
        self.players = {
            "generator": Player(maker, rate, averaged=True),
            "discriminator": Player(self._judge, rate),
        }

    def draw(self, share: Share) -> CutTurn:
        """Draw patches."""
        return CutTurn(*self._draw(share), share.random(10))

    def losses(self, player: str, batch: CutTurn) -> Mapping[str, Tensor]:
        """Return the losses of the generator or the discriminator."""
        with exact_norms(self._judge):
            return self._maker(batch) if player == "generator" else self._judgment(batch)

    def generator_of(self, networks: Mapping[str, nn.Module]) -> nn.Module:
        """Return the generator."""
        return cast(nn.ModuleDict, networks["generator"])["network"]

    def _judgment(self, batch: CutTurn) -> Mapping[str, Tensor]:
        assert batch.made is not None  # the generator moves first
        return {"discriminator": judges_loss(self._judge(batch.full), self._judge(batch.made))}

    def _maker(self, batch: CutTurn) -> Mapping[str, Tensor]:
        items = len(batch.low)
        both = torch.cat([batch.low, batch.full])
        made, of_input = self._generator.with_features(both)
        of_output = self._generator.features(made)
        places = self._places(of_input, batch.random)
        batch.made = made[:items].detach().float()
        q, k = self._heads(of_output, places), self._heads(of_input, places)
        levels = [patch_nce(a, b, self._weights.temperature) for a, b in zip(q, k, strict=True)]
        return {
            "adversarial": judged_as(self._judge(made[:items]), 1),
            "contrast": self._weights.contrast * torch.stack(levels).mean(),
        }

    def _places(self, features: Sequence[Tensor], randoms: Sequence[np.random.Generator]) -> tuple[Tensor, ...]:
        """Draw other places in every level and patch; a full-dose patch uses those of the low-dose patch of its number."""
        drawn = []
        for level in features:
            there = level.shape[-2] * level.shape[-1]
            count = min(self._weights.places, there)
            own = np.stack([random.choice(there, count, replace=False) for random in randoms])
            drawn.append(torch.from_numpy(np.concatenate([own, own])).to(level.device))
        return tuple(drawn)
