"""Neighbor2Neighbor (Huang et al., CVPR 2021): two subsampled copies of a slice are each other's target.

Of every cell of 2 x 2 pixels two neighbors are drawn at random; one goes to g1(x), the other to g2(x), half as large each.

    loss = mean |f(g1 x) - g2 x|^2 + gamma mean |f(g1 x) - g2 x - (g1 f(x) - g2 f(x))|^2

The second term takes away what the first makes of the difference of neighboring pixels; f(x) in it is not differentiated.
gamma grows from 0 to 2, as in the authors' training. The noise of neighboring pixels has to be independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Tensors
from demottle.methods.registry import name_of
from demottle.methods.rivals.plain_network import PlainNetwork
from demottle.methods.rivals.teaching import Batches, Ground, RivalSettings, restore_plain, teach
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)
_PAIRS = np.array([(0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (2, 0), (1, 3), (3, 1)])
"""Pixels of a cell, numbered by rows, that share a side."""


@dataclass(frozen=True)
class Neighbor2NeighborSettings(RivalSettings):
    """Settings of the method.

    Attributes:
        gamma: weight of the second term at the end.
        channels, patch, batch, rate: as `RivalSettings`.
    """

    gamma: float = 2.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.gamma < 0:
            raise InputError(f"gamma is {self.gamma}; it cannot be negative.")


Settings = Neighbor2NeighborSettings


def fit(
    image: Image,
    settings: Neighbor2NeighborSettings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> PlainNetwork:
    """Fit a network on the scan.

    Raises:
        UnsuitableError: where the noise level is not known.
    """

    def lesson(ground: Ground) -> Lesson:
        return Lesson(ground, settings.gamma)

    return teach(NAME, image, settings, fingerprint, lesson, seed=seed, budget=budget, listener=listener)


def restore(settings: Neighbor2NeighborSettings, fitted: Mapping[str, Any], tensors: Tensors) -> PlainNetwork:
    """Rebuild a saved network."""
    return restore_plain(NAME, settings, fitted, tensors)


class Lesson:
    """Draws patches, subsamples them, and computes the loss."""

    def __init__(self, ground: Ground, gamma: float) -> None:
        """Start at the first step."""
        self._ground, self._gamma, self._done = ground, gamma, 0
        self._batches = Batches(ground)

    def loss(self, student: nn.Module) -> Tensor:
        """Draw a batch and return its loss, in units of the noise variance."""
        image, body = self._batches.draw()
        cells = (len(image), image.shape[-2] // 2, image.shape[-1] // 2)
        choice = torch.from_numpy(_PAIRS[self._batches.random.integers(len(_PAIRS), size=cells)]).to(image.device)
        one, two = subsampled(image, choice)
        inside = subsampled(body, choice)[0]
        apart = student(one) - two
        with torch.no_grad():
            first, second = subsampled(student(image), choice)
        gamma = self._gamma * min(1.0, self._done / self._ground.steps)
        self._done += 1
        errors = apart**2 + gamma * (apart - (first - second)) ** 2
        out: Tensor = (errors * inside).mean() / self._ground.level**2
        return out


def subsampled(image: Tensor, choice: Tensor) -> tuple[Tensor, Tensor]:
    """Take two of the four pixels of every cell.

    Args:
        image: (batch, 1, rows, columns), both even.
        choice: which two, numbered by rows, int (batch, rows / 2, columns / 2, 2).
    """
    cells = nn.functional.pixel_unshuffle(image, 2)
    one, two = (cells.gather(1, choice[None, ..., which].movedim(0, 1)) for which in (0, 1))
    return one, two
