"""Where to look: random patch positions, drawn apart from their use, so that a seed repeats them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from demottle.errors import InputError

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PatchPlaces:
    """Every place a patch may be centred on, with the same chance.

    Attributes:
        centres: (n, 3) slice, row and column of each place.
        size: side of a patch in pixels.
        shape: rows and columns of a slice.
        margin: pixels that a patch keeps from the slice's border, as far as the slice is large enough.
    """

    centres: Positions
    size: int
    shape: tuple[int, int]
    margin: int = 0

    def draw(self, count: int, random: np.random.Generator) -> Positions:
        """Draw `count` patches; returns (count, 3): slice, first row, first column, wholly inside the slice."""
        chosen = self.centres[random.integers(len(self.centres), size=count)].copy()
        # Scattered by half the grid's step, so that patches do not fall on the same raster again and again.
        chosen[:, 1:] += random.integers(-8, 8, size=(count, 2)) - self.size // 2
        for axis, side in enumerate(self.shape, start=1):
            margin = min(self.margin, (side - self.size) // 2)
            chosen[:, axis] = np.clip(chosen[:, axis], margin, side - self.size - margin)
        return chosen


def patch_places(wanted: NDArray[np.bool_], size: int) -> PatchPlaces:
    """Places on a grid of 16 pixels whose pixel is wanted.

    Args:
        wanted: (slices, rows, columns), True where there is something to learn.
        size: side of a patch; not larger than a slice.

    Raises:
        InputError: where nothing is wanted, or a slice is smaller than a patch.
    """
    rows, columns = wanted.shape[1:]
    if rows < size or columns < size:
        raise InputError(f"The slices have {rows} x {columns} pixels; learning needs at least {size} x {size}.")
    centres = np.argwhere(wanted[:, 8::16, 8::16])
    if not len(centres):
        raise InputError("The image holds no tissue to learn from.")
    centres[:, 1:] = centres[:, 1:] * 16 + 8
    return PatchPlaces(centres, size, (rows, columns))


def cut_patches(stack: NDArray[Any], places: Positions, size: int) -> torch.Tensor:
    """Cut patches out of a stack (slices, rows, columns); returns float32 (n, 1, size, size)."""
    patches = [stack[index, row : row + size, column : column + size] for index, row, column in places]
    return torch.from_numpy(np.stack(patches).astype(np.float32))[:, None]
