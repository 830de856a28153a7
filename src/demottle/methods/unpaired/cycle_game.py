"""The game of a CycleGAN: two generators, two discriminators, cycle, identity and perceptual losses.

`a` is low dose, `b` full dose, G makes full dose of low and F low of full. The generators lower

    LSGAN(D_b, G(a)) + LSGAN(D_a, F(b)) + cycle (|F(G(a)) - a| + |G(F(b)) - b|) + identity (|G(b) - b| + |F(a) - a|)
    + w_1 content(F(G(a)), a) + w_2 anatomy(G(a), a) + simulated |G(b + n) - b|

The last term is ours: n is noise like that of the low-dose scans, and may be left out.
The perceptual weights w are set by influence: the losses are measured once at the start, and the two perceptual terms together
get a stated share of all terms but the LSGANs, one half each. The generators begin as the identity, for which all of
these terms are 0; so they are measured with the slices' 3 x 3 means in place of what the generators make.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.learning.players import Player, Share
from demottle.losses.adversarial import judged_as, judges_loss
from demottle.losses.perceptual import Extractor, same_anatomy, same_content, weight_for_share
from demottle.methods.unpaired.history_pool import HistoryPool
from demottle.methods.unpaired.pdml_game import exact_norms
from demottle.methods.unpaired.simulated_noise import SimulatedNoise
from demottle.methods.unpaired.watched_game import Draw, WatchedGame

_POOLS = ("full", "low")
_LARGEST_GRADIENT = 1.0
"""Longer ones are shortened: without it the preset "small" left everything it had learned between two of its steps."""


@dataclass(frozen=True)
class CycleWeights:
    """Weights of the losses.

    Attributes:
        cycle, identity: weights of the mean absolute errors.
        share: share of the perceptual terms in all terms but the adversarial ones, 0 to below 1.
        window: window of the local statistics that the perceptual loss compares, in features; 0: points only.
        adversarial: weight of the verdicts.
    """

    cycle: float = 10.0
    identity: float = 5.0
    share: float = 0.0
    window: int = 4
    adversarial: float = 1.0


@dataclass
class CycleTurn:
    """One step: what was drawn, and what the generators made of it for the discriminators."""

    low: Tensor
    full: Tensor
    random: Mapping[str, list[np.random.Generator]]
    simulated: tuple[Tensor, Tensor] | None = None
    made_low: Tensor | None = None
    made_full: Tensor | None = None


class CycleGame(WatchedGame[CycleTurn]):
    """Two players, the generators ("to_full", "to_low") and the discriminators ("full", "low")."""

    def __init__(
        self,
        draw: Draw,
        generator: Callable[[], nn.Module],
        discriminator: Callable[[], nn.Module],
        extractor: nn.Module | None,
        weights: CycleWeights,
        *,
        batch: int,
        pool: int = 50,
        rate: float = 2e-4,
        simulated: SimulatedNoise | None = None,
        warmed: nn.Module | None = None,
    ) -> None:
        """Prepare the players.

        Args:
            draw: low-dose and full-dose patches of other patients, (items, 1, rows, columns) each, scaled.
            generator, discriminator: build one network; called twice each.
            extractor: frozen; has `levels` (`losses.perceptual.Extractor`). None where the share is 0.
            weights: weights of the losses.
            batch: items of one step.
            pool: earlier pictures kept for each discriminator.
            rate: peak learning rate.
            simulated: a further loss of the generator from low to full dose; None: none.
            warmed: that generator as it is to begin with; None: as it is built.
        """
        self.batch, self._draw, self._weights, self._simulated = batch, draw, weights, simulated
        self._extractor = extractor if weights.share > 0 else None
        self._pools = {name: HistoryPool(pool, batch) for name in _POOLS}
        self._perceptual: tuple[float, float] | None = None
        self._makers = nn.ModuleDict({"to_full": warmed or generator(), "to_low": generator()})
        self._judges = nn.ModuleDict({"full": discriminator(), "low": discriminator()})
        self.players = {
            "generators": Player(self._makers, rate, averaged=True, largest_gradient=_LARGEST_GRADIENT),
            "discriminators": Player(self._judges, rate, largest_gradient=_LARGEST_GRADIENT),
        }

    def draw(self, share: Share) -> CycleTurn:
        """Draw patches; at the start, measure how much the perceptual loss weighs."""
        low, full = self._draw(share)
        if self._extractor is not None:
            self._extractor.to(share.device)  # a training that goes on from a checkpoint measures nothing any more
            if self._perceptual is None:
                # The whole batch of the first step, so that every process finds the same weights.
                everything = Share(share.seed, 0, range(self.batch), share.device)
                self._perceptual = self._measured(self._extractor, *self._draw(everything))
        simulated = None if self._simulated is None else self._simulated.draw(share)
        return CycleTurn(low, full, {name: share.random(10 + index) for index, name in enumerate(_POOLS)}, simulated)

    def losses(self, player: str, batch: CycleTurn) -> Mapping[str, Tensor]:
        """Return the losses of the generators or the discriminators."""
        with exact_norms(self._judges):
            return self._generators(batch) if player == "generators" else self._discriminators(batch)

    def generator_of(self, networks: Mapping[str, nn.Module]) -> nn.Module:
        """Return the generator from low to full dose."""
        return cast(nn.ModuleDict, networks["generators"])["to_full"]

    def _generators(self, turn: CycleTurn) -> Mapping[str, Tensor]:
        to_full, to_low, judges = self._makers["to_full"], self._makers["to_low"], self._judges
        made_full, made_low = to_full(turn.low), to_low(turn.full)
        again_low, again_full = to_low(made_full), to_full(made_low)
        turn.made_full, turn.made_low = made_full.detach().float(), made_low.detach().float()
        weights = self._weights
        verdicts = judged_as(judges["full"](made_full), 1) + judged_as(judges["low"](made_low), 1)
        losses = {
            "adversarial": weights.adversarial * verdicts,
            "cycle": weights.cycle * (_error(again_low, turn.low) + _error(again_full, turn.full)),
        }
        if weights.identity:
            same = _error(to_full(turn.full), turn.full) + _error(to_low(turn.low), turn.low)
            losses["identity"] = weights.identity * same
        if self._simulated is not None and turn.simulated is not None:
            losses["simulated noise"] = self._simulated.loss(to_full, turn.simulated)
        if self._extractor is not None and self._perceptual is not None:
            content, anatomy = self._compared(self._extractor, again_low, made_full, turn.low)
            losses["perceptual"] = self._perceptual[0] * content + self._perceptual[1] * anatomy
        return losses

    def _discriminators(self, turn: CycleTurn) -> Mapping[str, Tensor]:
        assert turn.made_full is not None and turn.made_low is not None  # the generators move first
        made = {"full": turn.made_full, "low": turn.made_low}
        real = {"full": turn.full, "low": turn.low}
        losses = {}
        for name, pool in self._pools.items():
            judge = self._judges[name]
            losses[name] = judges_loss(judge(real[name]), judge(pool.swap(made[name], turn.random[name])))
        return losses

    def _compared(self, extractor: nn.Module, again: Tensor, made: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
        features: Extractor = extractor  # type: ignore[assignment]
        return same_content(features, again, low, self._weights.window), same_anatomy(features, made, low)

    def _measured(self, extractor: nn.Module, low: Tensor, full: Tensor) -> tuple[float, float]:
        with torch.no_grad():
            blurred = [functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False) for x in (low, full)]
            errors = float(_error(blurred[0], low) + _error(blurred[1], full))
            plain = (self._weights.cycle + self._weights.identity) * errors
            terms = self._compared(extractor, blurred[0], blurred[0], low)
        content, anatomy = (weight_for_share(self._weights.share, plain, float(term)) / 2 for term in terms)
        return content, anatomy

    def state(self) -> Mapping[str, Tensor]:
        """Return the pools and the weights measured at the start."""
        kept = {f"{name}.{k}": value for name, pool in self._pools.items() for k, value in pool.state().items()}
        if self._perceptual is not None:
            kept["perceptual"] = torch.tensor(self._perceptual, dtype=torch.float64)
        return kept

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for name, pool in self._pools.items():
            start = f"{name}."
            pool.set_state({k.removeprefix(start): v for k, v in state.items() if k.startswith(start)})
        if "perceptual" in state:
            content, anatomy = state["perceptual"].tolist()
            self._perceptual = content, anatomy


def _error(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute error."""
    return functional.l1_loss(made, wanted)
