"""The slices of a series' volumes, which a frame shows one below the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image


@dataclass(frozen=True)
class Stack:
    """Where the slices of a frame lie: the first row of each, and how many rows and columns one has."""

    tops: tuple[int, ...]
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns of a volume."""
        return len(self.tops), self.rows, self.columns

    def plane(self, frames: NDArray[np.float32], index: int) -> NDArray[np.float32]:
        """Return one slice of all frames, (..., rows, columns), as a view."""
        return frames[..., self.tops[index] : self.tops[index] + self.rows, :]

    def volume(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a frame as (slices, rows, columns)."""
        return np.stack([self.plane(frame, index) for index in range(len(self.tops))])


def stack_of(image: Image) -> Stack:
    """Find the slices: runs of as many rows each, with rows between that are nowhere valid; one slice where there are none."""
    _, rows, columns = image.shape
    whole = Stack((0,), rows, columns)
    if image.valid is None:
        return whole
    shown = image.valid.any(axis=(0, 2)) if image.valid.strides[0] else image.valid[0].any(axis=1)
    change = np.flatnonzero(np.diff(np.concatenate([[False], shown, [False]]).astype(np.int8)))
    tops, ends = change[::2], change[1::2]
    lengths = set((ends - tops).tolist())
    if len(tops) < 2 or len(lengths) != 1 or len(set(np.diff(tops).tolist())) != 1 or tops[0] != 0 or ends[-1] != rows:
        return whole
    return Stack(tuple(int(top) for top in tops), lengths.pop(), columns)
