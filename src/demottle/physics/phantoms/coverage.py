"""How much of each pixel a disc covers: exact, in closed form, so that partial volume is right however small the disc."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def disc_coverage(
    rows: tuple[int, int],
    columns: tuple[int, int],
    pixel: tuple[float, float],
    center: tuple[float, float],
    radius: float,
) -> Array:
    """Return the part (0 to 1) of each pixel that a disc covers, right to about 1e-9.

    The area of the disc below and left of every pixel corner has a closed form; a pixel's share is the sum of its four
    corners with alternating signs.

    Args:
        rows, columns: first pixel and one past the last of the box wanted.
        pixel: spacing of rows and columns in mm.
        center: row and column of the disc's middle; may lie between pixels. Whole numbers are pixel middles.
        radius: in mm.

    Returns:
        float64, shape (number of rows, number of columns).
    """
    y = (np.arange(rows[0], rows[1] + 1) - 0.5 - center[0]) * pixel[0]
    x = (np.arange(columns[0], columns[1] + 1) - 0.5 - center[1]) * pixel[1]
    below = _area_below(np.clip(y, -radius, radius)[:, None], np.clip(x, -radius, radius)[None], radius)
    share = np.diff(np.diff(below, axis=0), axis=1) / (pixel[0] * pixel[1])
    return np.asarray(np.clip(share, 0, 1))


def interval_coverage(first: int, last: int, step: float, center: float, half_length: float) -> Array:
    """Return the part (0 to 1) of each voxel `first` to `last - 1` along one axis that an interval covers; exact.

    Args:
        first, last: first voxel and one past the last.
        step: distance of voxels in mm, which is also their thickness.
        center: middle of the interval in voxels; whole numbers are voxel middles.
        half_length: half of the interval in mm; infinite covers everything.
    """
    edges = (np.arange(first, last + 1) - 0.5 - center) * step
    return np.asarray(np.diff(np.clip(edges, -half_length, half_length)) / step if np.isfinite(half_length)
                      else np.ones(last - first))  # fmt: skip


def _area_below(y: Array, x: Array, r: float) -> Array:
    """Area of the part of a disc of radius r around the origin whose points have coordinates below y and x, both in [-r, r]."""
    c = np.sqrt(np.maximum(r**2 - y**2, 0))  # where the line at y leaves the disc
    inner = np.clip(x, -c, c)
    area = y * (inner + c) + _under_arc(inner, r) - _under_arc(-c, r)
    sides = _under_arc(np.minimum(x, -c), r) - _under_arc(np.full_like(x, -r), r)
    sides = sides + _under_arc(np.maximum(x, c), r) - _under_arc(c, r)
    return np.asarray(area + np.where(y > 0, 2 * sides, 0))


def _under_arc(u: Array, r: float) -> Array:
    """Integral of sqrt(r^2 - t^2) from 0 to u."""
    return np.asarray((u * np.sqrt(np.maximum(r**2 - u**2, 0)) + r**2 * np.arcsin(np.clip(u / r, -1, 1))) / 2)
