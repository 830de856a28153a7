"""Test scenes for filters over time: an edge that moves at a known speed, and a patch that appears."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image

SETTLE = 12
"""Frames that a filter gets to settle before anything is measured."""

LEVELS = (0.1, 0.2)
"""What the test scenes transmit, at least and at most."""


@dataclass(frozen=True, eq=False)
class MovingEdge:
    """An opaque half-plane that moves to the right.

    Attributes:
        image: transmitted part of the X-rays, as `fluoroscopy.acquire` takes it.
        position: where the edge is in each frame, in columns (a pixel reaches from -0.5 to 0.5 around its number).
        levels: transmitted behind the edge and ahead of it.
    """

    image: Image
    position: NDArray[np.float64]
    levels: tuple[float, float]


def moving_edge(
    speed: float, frames: int = 32, rows: int = 64, levels: tuple[float, float] = LEVELS, reach: int = 64
) -> MovingEdge:
    """Draw an edge that moves by `speed` pixels per frame; `reach` pixels on both sides of it are always in view.

    Pixels that the edge crosses have the mean of both levels by area: exact at any place between pixels.

    Raises:
        InputError: a speed below 0, or no more frames than a filter needs to settle.
    """
    if not 0 <= speed < 1000 or frames <= SETTLE:
        raise InputError(
            f"An edge at {speed} px per frame over {frames} frames cannot be made; it needs more than {SETTLE} frames."
        )
    position = reach + 0.3 + float(speed) * np.arange(frames, dtype=np.float64)  # not on the border of a pixel at rest
    columns = int(np.ceil(position[-1])) + reach
    part = np.clip(position[:, None] - np.arange(columns)[None] + 0.5, 0, 1)  # of each pixel that lies behind the edge
    behind, ahead = levels
    line = (behind * part + ahead * (1 - part)).astype(np.float32)
    voxels = np.repeat(line[:, None], rows, axis=1)
    return MovingEdge(Image(voxels, (1 / 15, 0.4, 0.4), "XA"), np.asarray(position, np.float64), levels)


@dataclass(frozen=True, eq=False)
class Appearing:
    """A patch that appears at once and stays.

    Attributes:
        image: transmitted part of the X-rays.
        patch: the rows and columns of its inside, away from its border.
        start: the first frame that shows it.
    """

    image: Image
    patch: tuple[slice, slice]
    start: int


def appearing_patch(contrast: float = -0.3, level: float = LEVELS[1], size: int = 192, after: int = 12) -> Appearing:
    """Draw a patch of the relative contrast `contrast` that appears after `SETTLE` frames and stays for `after` frames."""
    voxels = np.full((SETTLE + after, size, size), level, np.float32)
    third = size // 3
    voxels[SETTLE:, third : 2 * third, third : 2 * third] *= 1 + contrast
    inside = slice(third + 4, 2 * third - 4)
    return Appearing(Image(voxels, (1 / 15, 0.4, 0.4), "XA"), (inside, inside), SETTLE)
