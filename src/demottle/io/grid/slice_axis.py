"""Which axis of a volume is that of its slices: files of sagittal and coronal scans, and reoriented ones, keep it anywhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.io.payload import Affine

LAST = 2
"""The third axis of a file, which is that of the slices where nothing says otherwise."""
_FAR = 1.5
_CLEARLY = 1.05
_ALIKE = 1.01


def slice_axis(shape: Sequence[int], steps: Sequence[float], stated: int | None = None) -> int:
    """Return the axis of the slices: 0, 1 or 2 in the file's own order (columns, rows, slices).

    It is the one that is a single voxel deep; else the one with by far the largest step; else what the header states; else
    the one whose step differs from two that are alike (if it is smaller, with as many voxels along both); else the third.

    Args:
        shape: voxels along each axis of the file.
        steps: mm from voxel to voxel along each.
        stated: what the header says, if anything.
    """
    single = [axis for axis in range(3) if shape[axis] == 1]
    if len(single) == 1:
        return single[0]
    thin, middle, thick = sorted(range(3), key=lambda axis: steps[axis])
    if steps[thick] >= _FAR * steps[middle]:
        return thick
    if stated is not None:
        return stated
    if steps[middle] <= _ALIKE * steps[thin] and steps[thick] >= _CLEARLY * steps[middle]:
        return thick
    alike = steps[thick] <= _ALIKE * steps[middle] and shape[thick] == shape[middle]
    return thin if alike and steps[middle] >= _CLEARLY * steps[thin] else LAST


def slices_first(stored: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return a file's values (its axes reversed: slices, rows, columns) with the axis of the slices first; a view."""
    return np.moveaxis(stored, LAST - axis, 0)


def as_in_file(planes: NDArray[Any], axis: int) -> NDArray[Any]:
    """Undo `slices_first`; a view."""
    return np.moveaxis(planes, 0, LAST - axis)


def affine_of_slices(affine: Affine, axis: int) -> Affine:
    """Return the affine of what `slices_first` returns, from that of the file's own axes."""
    rest = [other for other in range(3) if other != axis]
    return affine[:, [*rest, axis, 3]]


def steps_along(affine: Affine) -> list[float]:
    """Return mm from voxel to voxel along each axis of an affine."""
    lengths: list[float] = np.linalg.norm(affine[:3, :3], axis=0).tolist()
    return lengths


def steps_of(affine: Affine) -> tuple[float, float, float]:
    """Return mm between slices (along their normal, which tilted slices do not follow), rows and columns."""
    column, row = affine[:3, 0], affine[:3, 1]
    normal = np.cross(column, row)
    area = float(np.linalg.norm(normal))
    between = abs(float(affine[:3, 2] @ normal)) / area if area else 0.0
    return between, float(np.linalg.norm(row)), float(np.linalg.norm(column))
