"""Four-dimensional NIfTI: volumes over time, each frame showing the slices of one volume one below the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.image import Mask

GAP = 8
"""Rows between two slices of a frame, which are not valid, so that no filter mixes slices."""
_PER_SECOND = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def frames_of(stored: NDArray[Any]) -> NDArray[Any]:
    """Return values (columns, rows, slices, times) as frames (times, slices * rows and the gaps between, columns)."""
    columns, rows, slices, times = stored.shape
    frames = np.zeros((times, slices * (rows + GAP) - GAP, columns), stored.dtype)
    for index in range(slices):
        top = index * (rows + GAP)
        frames[:, top : top + rows] = stored[:, :, index].T
    return frames


def volumes_of(frames: NDArray[Any], slices: int) -> NDArray[Any]:
    """Undo `frames_of`."""
    rows = (frames.shape[1] + GAP) // slices - GAP
    parts = [frames[:, index * (rows + GAP) :][:, :rows].T for index in range(slices)]
    return np.stack(parts, axis=2)


def gaps(shape: tuple[int, int, int], slices: int) -> Mask | None:
    """Where frames of `shape` show a slice, shape (frames, rows, columns); None where there is only one."""
    if slices == 1:
        return None
    rows = (shape[1] + GAP) // slices - GAP
    seen = np.arange(shape[1]) % (rows + GAP) < rows
    return np.broadcast_to(seen[None, :, None], shape)


def time_step(header: Any) -> tuple[float, str]:
    """Return the time between volumes in s, and a warning where the header does not say it."""
    zooms, unit = header.get_zooms(), header.get_xyzt_units()[1]
    stated = float(zooms[3]) if len(zooms) > 3 else 0.0
    if not stated > 0:
        return 1.0, "The NIfTI header states no time between volumes; 1 s is assumed, which matters for speeds only."
    if unit not in _PER_SECOND:
        return stated, "The NIfTI header states no unit of time; seconds are assumed."
    return stated * _PER_SECOND[unit], ""
