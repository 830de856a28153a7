"""Find for every pixel the places in another slice whose surroundings look most alike."""

import cv2
import numpy as np

from demottle.image import Mask, Voxels


def similar_pixels(
    guide: Voxels, other_guide: Voxels, other: Voxels, *, window: int, patch: int, best: int
) -> tuple[Voxels, Voxels]:
    """Return the mean of `other` at the most similar places, and how different the last of them is.

    The difference of two places is the mean squared difference of the patches of the guides around them.

    Args:
        guide, other_guide: smoothed slices (rows, columns).
        other: the slice that is averaged.
        window: side of the square of places that are looked at around a pixel, odd.
        patch: side of the patches, odd.
        best: how many places are averaged.
    """
    reach = window // 2
    rows, columns = guide.shape
    padded, padded_guide = (np.pad(plane, reach, mode="reflect") for plane in (other, other_guide))
    costs = np.full((best, rows, columns), np.inf, np.float32)
    values = np.zeros((best, rows, columns), np.float32)
    for down in range(window):
        for right in range(window):
            there = (slice(down, down + rows), slice(right, right + columns))
            cost = cv2.blur((guide - padded_guide[there]) ** 2, (patch, patch), borderType=cv2.BORDER_REFLECT_101)
            _insert(costs, values, np.asarray(cost, np.float32), padded[there])
    return np.asarray(values.mean(axis=0), np.float32), costs[-1]


def _insert(costs: Voxels, values: Voxels, cost: Voxels, value: Voxels) -> None:
    """Put a candidate into the lists of the best so far, sorted by cost, in place."""
    value = value.copy()
    for rank in range(len(costs)):
        better: Mask = cost < costs[rank]
        if not better.any():
            continue
        costs[rank], cost = np.where(better, cost, costs[rank]), np.where(better, costs[rank], cost)
        values[rank], value = np.where(better, value, values[rank]), np.where(better, values[rank], value)
