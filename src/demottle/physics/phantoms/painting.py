"""Paint solids over one another on a grid of slices: edges as wide as a pixel, slices as thick as their distance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Voxels
from demottle.physics.phantoms.shapes import Box, Distance, Solid

_SUBSLICES = 3  # heights per slice whose mean is the slice, as thick slices are


@dataclass(frozen=True)
class Paint:
    """A solid, the value it is painted with, and its label."""

    solid: Solid
    value: float
    label: int


def places(count: int, step: float) -> Distance:
    """Coordinates in mm of `count` samples `step` apart around 0, float32."""
    return ((np.arange(count, dtype=np.float32) - (count - 1) / 2) * step).astype(np.float32)


def paint_slices(
    paints: Iterable[Paint],
    slices: int,
    size: int,
    spacing: tuple[float, float, float],
    background: float,
    listener: Listener = silent,
    height: float = 0.0,
) -> tuple[Voxels, NDArray[np.uint8]]:
    """Paint a stack around the origin, later solids over earlier ones.

    Args:
        paints: what is painted.
        slices: number of slices.
        size: rows and columns.
        spacing: mm between slices, rows, columns, in the solids' own coordinates.
        background: value where nothing is painted; its label is 0.
        listener: hears of every slice.
        height: height of the middle of the stack, in mm.

    Returns:
        Values, float32, and labels, uint8, both (slices, size, size); labels are those in the middle of each slice.
    """
    boxed = [(paint, paint.solid.box()) for paint in paints]
    thickness, row_mm, column_mm = spacing
    y, x = places(size, row_mm)[:, None], places(size, column_mm)[None]
    soft = max(row_mm, column_mm)
    voxels = np.zeros((slices, size, size), np.float32)
    labels = np.zeros((slices, size, size), np.uint8)
    for index in range(slices):
        middle = height + (index - (slices - 1) / 2) * thickness
        for part in range(_SUBSLICES):
            z = middle + ((part + 0.5) / _SUBSLICES - 0.5) * thickness
            plane, label = _paint(boxed, z, y, x, soft, background)
            voxels[index] += plane / _SUBSLICES
            if part == _SUBSLICES // 2:
                labels[index] = label
        listener(Progress(Stage.PHANTOM, index + 1, slices))
    return voxels, labels


def _paint(
    boxed: Sequence[tuple[Paint, Box]], z: float, y: Distance, x: Distance, soft: float, background: float
) -> tuple[Voxels, NDArray[np.uint8]]:
    """Paint one height; coverage falls from 1 to 0 over `soft` mm across a surface."""
    plane = np.full((y.size, x.size), background, np.float32)
    label = np.zeros(plane.shape, np.uint8)
    for paint, (low, high) in boxed:
        if not low[0] - soft < z < high[0] + soft:
            continue
        rows = slice(*np.searchsorted(y[:, 0], [low[1] - soft, high[1] + soft]))
        columns = slice(*np.searchsorted(x[0], [low[2] - soft, high[2] + soft]))
        if rows.start == rows.stop or columns.start == columns.stop:
            continue
        distance = paint.solid.distance(z, y[rows], x[:, columns])
        cover = np.clip(0.5 - distance / soft, 0, 1)
        plane[rows, columns] += cover * (paint.value - plane[rows, columns])
        label[rows, columns][cover > 0.5] = paint.label
    return plane, label
