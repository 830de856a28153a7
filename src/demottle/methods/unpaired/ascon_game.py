"""ASCON's players and losses: a generator, and the networks whose features it is compared by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.learning.players import Player, Share, adamw, sgd
from demottle.losses.anatomy_contrast import at_places, averaged_around, most_alike, patch_level, pixel_level
from demottle.losses.perceptual import weight_for_share
from demottle.losses.structural_similarity import structure_lost
from demottle.methods.unpaired.watched_game import Draw, WatchedGame
from demottle.networks.anatomy_features import AnatomyNetworks
from demottle.networks.attention_unet import SOFT_TISSUE

UNIT = 3000.0
"""HU that are 1 in the authors' program, which the weights of `error` and `structure` belong to."""
_DEEP_SIDE, _FINE_SIDE = 3, 7
_DEEP_STRIDE = 16
_SQUARE = 8
_MOMENTUM = 0.99
_DECAY = 0.01
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class AsconWeights:
    """Weights of the losses (see `ascon.AsconSettings`).

    Attributes:
        error, means, structure: weights of the mean squared error, of that of sums over squares of 8 x 8 pixels, and of
            `1 - SSIM`, in units of 3000 HU.
        share: part of all terms that the contrast has at the start, 0 to below 1.
        contrast: "both", "patch" or "pixel".
        scale: HU that the networks see as 1.
    """

    error: float
    means: float
    structure: float
    share: float
    contrast: str
    scale: float


@dataclass
class Reference:
    """What the target makes of full dose at the places of this step, and which places are alike there."""

    deep_alike: Tensor
    deep: Tensor
    fine: Tensor
    fine_alike: Tensor


@dataclass
class AsconTurn:
    """One step: patches, places to compare, what the generator made, and the reference's vectors."""

    low: Tensor
    full: Tensor
    deep_places: Tensor
    fine_places: Tensor
    made: Tensor | None = None
    reference: Reference | None = None


class AsconGame(WatchedGame[AsconTurn]):
    """Two players, "anatomy" before "generator"; without contrast the generator alone."""

    def __init__(
        self,
        draw: Draw,
        generator: nn.Module,
        anatomy: AnatomyNetworks | None,
        weights: AsconWeights,
        *,
        places: tuple[int, int],
        batch: int,
        rate: float,
        anatomy_rate: float,
    ) -> None:
        """Prepare the players.

        Args:
            draw: gives the same places at low and at full dose, as the networks see them.
            generator: as it is to begin with.
            anatomy: what its results are compared by; None where the share is 0.
            weights: weights of the losses.
            places: compared in a patch at the patch and at the pixel level.
            batch: patches of a step.
            rate, anatomy_rate: peak learning rates.
        """
        self.batch, self._draw, self._weights, self._places = batch, draw, weights, places
        self._generator, self._anatomy = generator, anatomy
        self._weight: float | None = None
        self.players = {
            "generator": Player(
                generator, rate, averaged=True, optimizer=adamw(_DECAY), largest_gradient=_LARGEST_GRADIENT
            )
        }
        if anatomy is not None:
            # The target lies in the player's network, so that a checkpoint has it too.
            player = Player(
                anatomy,
                anatomy_rate,
                optimizer=sgd,
                after=lambda network: cast(AnatomyNetworks, network).follow(_MOMENTUM),
            )
            self.players = {"anatomy": player, **self.players}

    def draw(self, share: Share) -> AsconTurn:
        """Draw patches and places; at the start, measure how much the contrast weighs."""
        if self._anatomy is not None and self._weight is None:
            # The whole batch of the first step, so that every process finds the same weight.
            self._weight = self._measured(self._drawn(Share(share.seed, 0, range(self.batch), share.device)))
        return self._drawn(share)

    def losses(self, player: str, batch: AsconTurn) -> Mapping[str, Tensor]:
        """Return the losses of one player."""
        if batch.made is None:
            # The first player's turn has frozen the generator, whose own turn needs the gradients of this one pass.
            self._generator.requires_grad_(True)
            batch.made = self._generator(batch.low)
        if player == "anatomy":
            return self._contrast(batch, batch.made.detach())
        losses = self._plain(batch, batch.made)
        if self._weight is not None:
            contrast = self._contrast(batch, batch.made)
            losses |= {name: self._weight * loss for name, loss in contrast.items()}
        return losses

    def generator_of(self, networks: Mapping[str, nn.Module]) -> nn.Module:
        """Return the generator."""
        return networks["generator"]

    def state(self) -> Mapping[str, Tensor]:
        """Return the weight measured at the start."""
        return {} if self._weight is None else {"weight": torch.tensor(self._weight, dtype=torch.float64)}

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        if "weight" in state:
            self._weight = float(state["weight"])

    def _drawn(self, share: Share) -> AsconTurn:
        low, full = self._draw(share)
        rows, columns = full.shape[-2:]
        rim = _FINE_SIDE // 2  # beyond the border a place would be its own neighbor, and negative
        drawn: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for deep, fine in zip(share.random(1), share.random(2), strict=True):
            drawn[0].append(deep.integers((rows // _DEEP_STRIDE) * (columns // _DEEP_STRIDE), size=self._places[0]))
            row, column = (fine.integers(rim, side - rim, size=self._places[1]) for side in (rows, columns))
            drawn[1].append(row * columns + column)
        deep_places, fine_places = (torch.from_numpy(np.stack(found)).to(share.device) for found in drawn)
        return AsconTurn(low, full, deep_places, fine_places)

    def _plain(self, turn: AsconTurn, made: Tensor) -> dict[str, Tensor]:
        weights = self._weights
        made, wanted = ((x.float() - SOFT_TISSUE) * (weights.scale / UNIT) for x in (made, turn.full))
        losses = {"error": weights.error * functional.mse_loss(made, wanted)}
        if weights.means:
            offset = functional.avg_pool2d(made - wanted, _SQUARE)
            losses["means"] = weights.means * _SQUARE**2 * offset.square().mean()
        if weights.structure:
            air = 1000.0 / UNIT
            losses["structure"] = weights.structure * structure_lost(made + air, wanted + air)
        return losses

    def _contrast(self, turn: AsconTurn, made: Tensor) -> dict[str, Tensor]:
        """The contrast at both levels, half of it each, without the weight of the whole."""
        anatomy = self._anatomy
        assert anatomy is not None
        turn.reference = reference = turn.reference or self._reference(turn)
        online = anatomy.online
        deep, fine = online["features"](made)
        losses = {}
        if self._weights.contrast != "pixel":
            q = averaged_around(deep, turn.deep_places, reference.deep_alike)
            losses["patch level"] = patch_level(anatomy.predictor(online["deep"](q)), reference.deep) / 2
        if self._weights.contrast != "patch":
            q = online["fine"](at_places(fine, turn.fine_places))
            losses["pixel level"] = pixel_level(q, reference.fine, reference.fine_alike) / 2
        return losses

    @torch.no_grad()
    def _reference(self, turn: AsconTurn) -> Reference:
        assert self._anatomy is not None
        target = self._anatomy.target
        deep, fine = target["features"](turn.full)
        deep_alike = most_alike(deep, turn.deep_places, _DEEP_SIDE)
        fine_alike = most_alike(fine, turn.fine_places, _FINE_SIDE)
        return Reference(
            deep_alike,
            target["deep"](averaged_around(deep, turn.deep_places, deep_alike)),
            target["fine"](at_places(fine, turn.fine_places)),
            target["fine"](at_places(fine, fine_alike)),
        )

    @torch.no_grad()
    def _measured(self, turn: AsconTurn) -> float:
        made = self._generator(turn.low)
        plain, contrast = self._plain(turn, made), self._contrast(turn, made)
        return weight_for_share(self._weights.share, *(float(sum(part.values())) for part in (plain, contrast)))
