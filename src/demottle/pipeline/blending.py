"""A share of what a method does."""

import numpy as np

from demottle.image import Voxels


def blend(before: Voxels, after: Voxels, strength: float) -> Voxels:
    """Return `before + strength (after - before)`, slice by slice to save memory."""
    if strength == 1:
        return after
    out = np.empty_like(before)
    for index in range(len(before)):
        out[index] = before[index] + np.float32(strength) * (after[index] - before[index])
    return out
