"""Where a frame shows hardly any structure: of blocks of like brightness, those with the least gradient."""

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Mask, Voxels
from demottle.noise.sequence.blocks import block_means

SMOOTH = 2.0
"""Pixels that a frame is smoothed by before its gradient counts."""
_FLAT = 0.4  # of the blocks of like brightness
_GROUPS, _LEAST = 6, 40  # of brightness, and blocks in each


def flat_blocks(smooth: Voxels, usable: Mask) -> Mask:
    """Return, of the usable blocks of like brightness, those with the least gradient.

    Args:
        smooth: a frame after a Gaussian filter of `SMOOTH` pixels, (rows, columns).
        usable: blocks that may be taken.
    """
    wider = cv2.GaussianBlur(smooth, (0, 0), SMOOTH, borderType=cv2.BORDER_REFLECT_101)
    right, down = (cv2.Sobel(wider, cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (1, 0))
    steep, mean = block_means(np.asarray(right**2 + down**2, np.float32)), block_means(smooth)
    flat = np.zeros(usable.shape, np.bool_)
    places = np.argwhere(usable)
    for group in groups_of(mean[usable]):
        at = places[group, 0], places[group, 1]
        flat[at] = steep[at] <= np.quantile(steep[at], _FLAT)
    return flat


def groups_of(brightness: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Put blocks into groups of like brightness; none where there are no blocks."""
    order = np.argsort(brightness, kind="stable")
    return np.array_split(order, max(1, min(_GROUPS, order.size // _LEAST))) if order.size else []
