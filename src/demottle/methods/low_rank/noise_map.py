"""The noise of a series from place to place: by its own eigenvalues, or by volumes that hold nothing else."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, Stage
from demottle.methods.low_rank.blocks import Grid, grid_of
from demottle.methods.low_rank.random_matrix import noise_variance
from demottle.methods.low_rank.sweep import Layer, Slab, layer_of, row_of_patches

Map = NDArray[np.float32]


class Load(Protocol):
    """Give the slab of slices first to last - 1 of some volumes, and where it was measured."""

    def __call__(self, first: int, last: int, *, volumes: slice) -> tuple[Slab, NDArray[np.bool_]]:
        """Return both."""
        ...


_VOLUMES = 24
_WINDOWS = 3
_ROWS_PER_VOLUME = 6
_SMOOTH = 3.0  # pixels, for maps from noise volumes


def by_components(load: Load, shape: tuple[int, int, int], volumes: int, listener: Listener) -> Map:
    """Return the standard deviation of the noise, (slices, rows, columns), from the bulk of the eigenvalues of small patches.

    Up to three stretches of 24 volumes are looked at, which is enough: a patch of 144 rows and 24 volumes tells its noise
    within 1 to 2 %. Their median is taken, then that of neighboring patches, because what pulses or moves adds to the bulk.

    Args:
        load: gives the values.
        shape: shape of a volume.
        volumes: how many there are.
        listener: told of progress, stage "measure".
    """
    count = min(volumes, _VOLUMES)
    starts = np.unique(np.linspace(0, volumes - count, min(_WINDOWS, -(-volumes // count))).astype(int))
    grid = grid_of(shape, _ROWS_PER_VOLUME * count, 2)
    found = []
    for number, start in enumerate(starts):
        listener(Progress(Stage.MEASURE, number, len(starts), "noise from place to place"))
        found.append(_variance(partial(load, volumes=slice(int(start), int(start) + count)), grid))
    listener(Progress(Stage.MEASURE, len(starts), len(starts)))
    blocks = np.median(found, axis=0)
    return _to_voxels(np.sqrt(blocks), grid, shape)


def _variance(load: Callable[[int, int], tuple[Slab, NDArray[np.bool_]]], grid: Grid) -> NDArray[np.float64]:
    """Variance of the noise at every block, the mean over the patches that hold it; NaN where none was measured."""
    shape = tuple(axis.blocks for axis in grid)
    total, weight = np.zeros(shape), np.zeros(shape)
    held: list[Layer] = []
    for index, part in enumerate(grid[0].parts):
        held = [*held, layer_of(*load(part.start, part.stop), grid)][-grid[0].span :]
        first = index - grid[0].span + 1
        if first < 0:
            continue
        for row in range(grid[1].patches):
            gram, rows = row_of_patches(held, grid, row)
            enough = rows >= 2 * gram.shape[-1]
            values = np.asarray(np.linalg.eigvalsh(gram), np.float64)
            variance = noise_variance(values, np.maximum(rows, gram.shape[-1])[:, None])[0].mean(axis=-1)
            for place in np.flatnonzero(enough):
                window = (
                    slice(first, first + grid[0].span),
                    slice(row, row + grid[1].span),
                    slice(place, place + grid[2].span),
                )
                total[window] += variance[place]
                weight[window] += 1
    return np.where(weight > 0, total / np.maximum(weight, 1), np.nan)


def _to_voxels(blocks: NDArray[np.float64], grid: Grid, shape: tuple[int, int, int]) -> Map:
    """From blocks to voxels: unknown ones from their neighbors, the median of 3 x 3, then smoothly in between."""
    usual = float(np.nanmedian(blocks)) if np.isfinite(blocks).any() else 0.0
    out = np.empty(shape, np.float32)
    for layer, part in zip(blocks, grid[0].parts, strict=True):
        known = np.isfinite(layer).astype(np.float32)
        filled = np.where(known > 0, layer, 0).astype(np.float32)
        spread, near = (_blur(plane, 1.5) for plane in (filled, known))
        filled = np.where(known > 0, filled, (spread + 1e-3 * usual) / (near + 1e-3)).astype(np.float32)
        if min(filled.shape) >= 3:
            filled = np.asarray(cv2.medianBlur(filled, 3), np.float32)
        out[part.start : part.stop] = cv2.resize(filled, (shape[2], shape[1]), interpolation=cv2.INTER_LINEAR)
    return out


def by_noise_volumes(magnitudes: NDArray[np.floating]) -> Map:
    """Return the standard deviation of each part of the noise, from magnitudes of noise alone (volumes, slices, rows, columns).

    sigma^2 = mean(M^2) / 2, over the volumes and smoothly over the slice.
    """
    square = np.mean(np.square(magnitudes, dtype=np.float64), axis=0).astype(np.float32) / 2
    return np.sqrt(np.stack([_blur(plane, _SMOOTH) for plane in square]))


def _blur(plane: NDArray[np.float32], pixels: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), pixels, borderType=cv2.BORDER_REPLICATE), np.float32)
