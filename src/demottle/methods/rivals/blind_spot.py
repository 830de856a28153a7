"""Blind-spot learning: some pixels are hidden from the network, which has to guess them from those around.

    loss = mean over hidden p of (f(x with hidden pixels replaced)(p) - x(p))^2

The best guess of x(p) is the clean value, if nothing else that the network sees knows the noise at p.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from demottle.methods.rivals.teaching import Batches, Ground


class BlindSpotLesson:
    """Hides pixels, each with those at the given offsets from it, and judges the guess at the pixel itself.

    Args:
        ground: what it is made from.
        share: share of the pixels to be judged.
        offsets: (n, 2) rows and columns, (0, 0) among them, of what is hidden with a pixel.
        nearest, farthest: a hidden pixel takes the value of a random one this many rows or columns away.
    """

    def __init__(
        self, ground: Ground, share: float, offsets: list[tuple[int, int]], nearest: int, farthest: int
    ) -> None:
        """Keep what is asked for."""
        self._ground, self._share, self._offsets = ground, share, offsets
        self._nearest, self._farthest = nearest, farthest
        self._batches = Batches(ground)

    def loss(self, student: nn.Module) -> Tensor:
        """Draw a batch and return the error of the guesses, in units of the noise variance."""
        image, body = self._batches.draw()
        random = self._batches.random
        judged = torch.from_numpy(random.random(image.shape) < self._share).to(image.device) & (body > 0)
        judged &= self._whole(image)
        hidden = torch.zeros_like(judged)
        for offset in self._offsets:
            hidden |= _moved(judged, offset)
        answer = student(torch.where(hidden, self._others(image), image))
        error = (answer - image) * judged
        out: Tensor = (error**2).sum() / judged.sum().clamp(min=1) / self._ground.level**2
        return out

    def _whole(self, image: Tensor) -> Tensor:
        """True where everything that is hidden with a pixel, and what it is replaced by, lies in the patch."""
        margin = self._farthest + max(max(abs(row), abs(column)) for row, column in self._offsets)
        inside = torch.zeros_like(image, dtype=torch.bool)
        inside[..., margin:-margin, margin:-margin] = True
        return inside

    def _others(self, image: Tensor) -> Tensor:
        """For every pixel the value of a random one around it, never its own (but at the border, where none is judged)."""
        rows, columns = image.shape[-2:]
        row, column = (torch.from_numpy(step).to(image.device) for step in self._steps(image.shape))
        row = (torch.arange(rows, device=image.device)[:, None] + row).clamp(0, rows - 1)
        column = (torch.arange(columns, device=image.device) + column).clamp(0, columns - 1)
        return image.flatten(2).gather(2, (row * columns + column).flatten(2)).view_as(image)

    def _steps(self, shape: torch.Size) -> tuple[Any, Any]:
        """Random steps down and to the right; in one of the two at least `nearest` pixels."""
        random = self._batches.random
        far = random.integers(self._nearest, self._farthest + 1, shape) * random.choice([-1, 1], shape)
        free = random.integers(-self._farthest, self._farthest + 1, shape)
        turned = random.random(shape) < 0.5
        return np.where(turned, far, free), np.where(turned, free, far)


def _moved(mask: Tensor, offset: tuple[int, int]) -> Tensor:
    """Shift a mask; nothing is judged so near the border that it would come in again at the other side."""
    return mask if offset == (0, 0) else torch.roll(mask, offset, dims=(-2, -1))
