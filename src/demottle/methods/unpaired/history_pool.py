"""Earlier pictures for a discriminator, so that it does not forget what the generator used to do."""

import numpy as np
import torch
from torch import Tensor


class HistoryPool:
    """Hands back new pictures or, half of the time, earlier ones in their place (arXiv 1612.07828, CycleGAN: 50 pictures).

    Every item of a batch has its own part of the pool: what an item is given then does not depend on how many processes
    share the batch.

    Args:
        size: pictures kept, over all items of the batch; 0 keeps none and hands back what comes in.
        batch: items of a batch, over all processes.
    """

    def __init__(self, size: int, batch: int) -> None:
        """Begin with an empty pool."""
        self.depth = -(-size // batch) if size else 0
        self._pictures: Tensor | None = None  # (items, depth, 1, rows, columns)
        self._filled = 0

    def swap(self, pictures: Tensor, random: list[np.random.Generator]) -> Tensor:
        """Put new pictures in and return as many, new or earlier.

        Args:
            pictures: (items, 1, rows, columns), detached.
            random: one generator per item.
        """
        if not self.depth:
            return pictures
        if self._pictures is None:
            self._pictures = pictures.new_zeros((len(pictures), self.depth, *pictures.shape[1:]))
        if self._filled < self.depth:
            self._pictures[:, self._filled] = pictures
            self._filled += 1
            return pictures
        out = pictures.clone()
        for item, generator in enumerate(random):
            if generator.random() < 0.5:
                place = int(generator.integers(self.depth))
                out[item] = self._pictures[item, place]
                self._pictures[item, place] = pictures[item]
        return out

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint has to keep; nothing while the pool is empty."""
        if self._pictures is None:
            return {}
        return {"pictures": self._pictures, "filled": torch.tensor(self._filled)}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        if state:
            self._pictures, self._filled = state["pictures"].clone(), int(state["filled"])
