"""From voxels back to the integers of a file, the same for every format."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_stored(
    voxels: NDArray[np.float32],
    before: NDArray[np.float32],
    stored: NDArray[Any],
    *,
    slope: float,
    intercept: float,
    limits: tuple[int, int] | None,
    valid: NDArray[np.bool_] | None = None,
    padding: tuple[int, int] | None = None,
) -> NDArray[Any]:
    """Return stored values for `voxels`, with `stored` unchanged wherever a voxel did not change or is not valid.

    Formula: round((voxel - intercept) / slope), half to even, saturated to `limits`. A changed voxel does not land on a
    padding value, where a later reader would take it for missing, unless it lay within a range of them before.

    Args:
        voxels: what to write, any shape.
        before: what the reader made of `stored`, same shape.
        stored: the file's own values, same shape; their type is the result's.
        slope: slope of the rescale voxel = slope * stored + intercept; not 0.
        intercept: intercept of the same.
        limits: smallest and largest value to store; None for floating-point files, where nothing is rounded.
        valid: False where the file's value stays.
        padding: lowest and highest value that means "no measurement".
    """
    keep = voxels == before
    if valid is not None:
        keep |= ~valid
    wanted = (voxels.astype(np.float64) - intercept) / slope
    if limits is not None:
        wanted = np.clip(np.rint(wanted), *limits)
        if padding is not None:
            wanted = _off_padding(wanted, stored, padding, limits)
    with np.errstate(invalid="ignore"):  # voxels that are not valid may be NaN; they are not used
        return np.where(keep, stored, wanted.astype(stored.dtype))


def _off_padding(
    wanted: NDArray[np.float64], stored: NDArray[Any], padding: tuple[int, int], limits: tuple[int, int]
) -> NDArray[np.float64]:
    """Move what would land on padding to the next value beside it; what lay within a range of it before may stay there."""
    low, high = padding
    on_padding = (wanted >= low) & (wanted <= high)
    if high > low:
        on_padding &= (stored < low) | (stored > high)
    if high >= limits[1]:
        replacement = low - 1
    elif low <= limits[0]:
        replacement = high + 1
    else:
        middle = (low + high) / 2
        return np.where(on_padding, np.where(wanted < middle, low - 1, high + 1), wanted)
    return np.where(on_padding, replacement, wanted)


def integer_limits(bits: int, signed: bool) -> tuple[int, int]:
    """Return the smallest and largest integer of `bits` bits."""
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
