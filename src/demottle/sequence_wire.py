"""How much of thin moving wires a filter keeps, on the run itself.

The mean square error hardly sees a wire of a few pixels. So faint dark wires are drawn into a part of the run, and what a filter
makes of the run with them, less what it makes of it without, is compared with the wires: the noise is the same in both.
"""

from collections.abc import Callable, Sequence

import numpy as np

from demottle.image import Image, Voxels
from demottle.noise.lag import lagged

AMPLITUDE = 1.0
"""Standard deviations of the noise that a wire is darker by."""
_WIDTH, _LENGTH, _BEND, _SPEED = 1.2, 28.0, 3.0, 2.5  # pixels, and pixels per frame
_APART = 80  # pixels between wires


def wires(shape: tuple[int, int, int]) -> Voxels:
    """Return bent wires of 28 x 2 pixels, 80 apart, that turn and move by 2.5 pixels per frame; -1 in their middle, else 0."""
    frames, rows, columns = shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    out = np.zeros(shape, np.float32)
    for index, (top, left) in enumerate(np.ndindex(max(1, rows // _APART), max(1, columns // _APART))):
        for t in range(frames):
            moved = _SPEED * (t - (frames - 1) / 2)
            down, right = ((at + 0.5) * _APART for at in (top, left))
            angle = np.deg2rad(70.0 * index + 4 * t)
            way = angle + (
                np.pi / 2 if index % 2 else 0
            )  # along itself, as it is pushed, or across, as the heart moves it
            right, down = right + moved * np.cos(way), down + moved * np.sin(way)
            along = (x - right) * np.cos(angle) + (y - down) * np.sin(angle)
            across = (y - down) * np.cos(angle) - (x - right) * np.sin(angle) + _BEND * np.sin(along / 8)
            ends = 1 / (1 + np.exp(np.clip(np.abs(along) - _LENGTH / 2, -30, 30)))
            out[t] = np.minimum(out[t], -ends * np.exp(-((across / _WIDTH) ** 2)))
    return out


def wire_kept(
    filters: Sequence[Callable[[Image], Image]], part: Image, free: Voxels, sigma: Voxels, lag: float
) -> list[float]:
    """Return for each filter the part of the wires' contrast that it keeps, 1 for all of it.

    Args:
        filters: fitted ones.
        part: a part of the run, for all but its values.
        free: its frames with their lag undone, (frames, rows, columns).
        sigma: standard deviation of their noise, same shape.
        lag: that was undone.
    """
    drawn = AMPLITUDE * sigma * wires((free.shape[0], free.shape[1], free.shape[2]))
    kept = []
    for one in filters:
        with_wires, without = (one(part.with_voxels(lagged(frames, lag))).voxels for frames in (free + drawn, free))
        kept.append(float(np.sum((with_wires - without) * drawn) / np.sum(drawn**2)))
    return kept
