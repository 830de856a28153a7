"""What a method tells the training loop: its players, how a batch is drawn, and what each player's losses are.

A game has one or more players (a generator, a discriminator, ...). In every step they move once, in their order, each
lowering its own losses with its own optimizer while the others hold still. `learning.training` plays it.

Nothing random is kept between steps: every draw follows from the seed, the step and the item (`Share.random`). So a run
that was killed goes on exactly as it would have, and several processes draw what one would.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from demottle.events import Stage
from demottle.image import Voxels

B = TypeVar("B")
MakesOptimizer = Callable[[Iterable[nn.Parameter], float, tuple[float, float]], torch.optim.Optimizer]


def adam(parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    """Adam, as most papers have it."""
    return torch.optim.Adam(parameters, rate, betas=betas)


def adamw(weight_decay: float) -> MakesOptimizer:
    """AdamW with a weight decay of its own."""

    def make(parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, rate, betas=betas, weight_decay=weight_decay)

    return make


def sgd(parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    """Plain gradient descent; it has no running averages."""
    return torch.optim.SGD(parameters, rate)


@dataclass
class Player:
    """One side of a game: what it trains and how.

    Attributes:
        network: what it trains; several networks of one player go into a `ModuleDict`.
        rate: peak learning rate.
        betas: Adam's coefficients of its running averages.
        averaged: True for what is handed back and judged as a moving average of its weights.
        largest_gradient: longer gradients are shortened to this; None: as they are.
        optimizer: makes its optimizer from its parameters, rate and betas.
        after: called with the network after each of its moves, such as to keep weights within bounds.
    """

    network: nn.Module
    rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    averaged: bool = False
    largest_gradient: float | None = None
    optimizer: MakesOptimizer = adam
    after: Callable[[nn.Module], None] | None = None


@dataclass(frozen=True)
class Share:
    """The part of one step's batch that falls to this process.

    Attributes:
        seed: seed of the whole training.
        step: counted from 0.
        items: numbers of this process's items within the batch; all of them where there is one process.
        device: where the batch has to be.
    """

    seed: int
    step: int
    items: range
    device: torch.device

    def random(self, *purpose: int) -> list[np.random.Generator]:
        """Return one generator for each item, the same whichever process takes it; another `purpose`, other draws."""
        return [np.random.default_rng([self.seed, self.step, item, *purpose]) for item in self.items]


class Game(ABC, Generic[B]):
    """What a method defines, for batches of a type of its own.

    Attributes:
        players: by name, in the order of their turns.
        batch: items of one step, over all processes together.
        stage: the stage that a listener is told.
        reseeded: torch's own random numbers follow from seed and step; False for what draws with generators of its own.
        every_loss: keep the loss of every step (on a GPU that means waiting for each).
    """

    stage = Stage.TRAIN
    reseeded = True
    every_loss = False

    players: Mapping[str, Player]
    batch: int

    @abstractmethod
    def draw(self, share: Share) -> B:
        """Draw this process's part of a batch. What one player computes and the next needs may be kept on it."""

    @abstractmethod
    def losses(self, player: str, batch: B) -> Mapping[str, Tensor]:
        """Return the losses of one player by name: scalars, weighted, means over the items; it lowers their sum.

        Gradients reach only this player's network; the others are frozen for the turn, but pass gradients through.
        """

    def validation(self, networks: Mapping[str, nn.Module]) -> float | None:
        """Judge the networks (by player, averaged where asked) without pairs; lower is better. None: no criterion."""
        return None

    def pictures(self, networks: Mapping[str, nn.Module]) -> Mapping[str, Voxels]:
        """Return sample pictures by name, float32 (rows, columns) in [0, 1]."""
        return {}

    def state(self) -> Mapping[str, Tensor]:
        """Return what else has to survive a kill: pools of earlier pictures, weights measured at the start, ..."""
        return {}

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        if state:
            raise KeyError(f"unexpected state: {', '.join(state)}")
