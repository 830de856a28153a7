"""How a volume is cut: into blocks, and overlapping patches of neighboring blocks."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Axis:
    """One axis: the first voxel of each block and the end, and how many blocks a patch spans."""

    edges: tuple[int, ...]
    span: int

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self.edges) - 1

    @property
    def patches(self) -> int:
        """Number of places a patch can have."""
        return self.blocks - self.span + 1

    @property
    def parts(self) -> list[slice]:
        """The blocks as slices."""
        return [slice(first, last) for first, last in pairwise(self.edges)]

    def covering(self, block: int) -> tuple[int, int]:
        """First patch that holds a block, and one past the last."""
        return max(0, block - self.span + 1), min(self.patches, block + 1)


Grid = tuple[Axis, Axis, Axis]
"""Slices, rows, columns."""


def axis_of(length: int, side: int, span: int) -> Axis:
    """Cut an axis so that patches are about `side` long and begin `side / span` apart; one patch where that is nearly all."""
    if length <= side:
        return Axis((0, length), 1)
    blocks = max(span + 1, round(length * span / side))
    if blocks > length:
        return Axis(tuple(range(length + 1)), min(side, length))
    return Axis(tuple(int(v) for v in np.round(np.linspace(0, length, blocks + 1))), span)


def sides_for(shape: tuple[int, int, int], voxels: int) -> tuple[int, int, int]:
    """Return sides of a patch of about `voxels` voxels: a cube, longer within the slice where there are few slices."""
    deep = min(shape[0], max(1, round(voxels ** (1 / 3))))
    side = max(2, round((voxels / deep) ** 0.5))
    rows, columns = min(side, shape[1]), min(side, shape[2])
    if rows < side:
        columns = min(shape[2], max(2, round(voxels / deep / rows)))
    elif columns < side:
        rows = min(shape[1], max(2, round(voxels / deep / columns)))
    return deep, rows, columns


def grid_of(shape: tuple[int, int, int], voxels: int, span: int) -> Grid:
    """Cut a volume for patches of about `voxels` voxels, each of `span` blocks along each axis."""
    deep, rows, columns = sides_for(shape, voxels)
    return axis_of(shape[0], deep, span), axis_of(shape[1], rows, span), axis_of(shape[2], columns, span)
