"""Padding: what scanners put where they measured nothing, and which of the pixels that hold it were not measured."""

import cv2
import numpy as np

from demottle.image import Mask, Voxels

OUTSIDE_CIRCLE = -2000.0
"""What scanners put outside the reconstruction circle: HU, or the stored value."""
BELOW_AIR = -1500.0
"""HU; noise in air does not get there."""
_ABOVE_METAL = 32767.0  # HU; a negative number read without its sign does
_LARGE = 0.01  # share of the slice
_LEAST = 16  # pixels of a large region, however small the slice is


def outside_circle(plane: Voxels) -> Mask:
    """Return which pixels of a CT slice hold what scanners put outside the reconstruction circle; shape (rows, columns).

    That is -2000 HU, or any value that all four corners share and no tissue has: below -1500 or above 32767 HU. `padding_in`
    says which of them were not measured.
    """
    found: Mask = plane == OUTSIDE_CIRCLE
    corner = plane[0, 0]
    if not BELOW_AIR <= corner <= _ABOVE_METAL and (plane[[0, -1, -1], [-1, 0, -1]] == corner).all():
        found |= plane == corner
    return found


def padding_in(candidates: Mask) -> Mask:
    """Return which pixels of a slice are padding, of those that hold a padding value; shape (rows, columns).

    Padding surrounds what was measured, or fills a large part of it: a region (pixels that share an edge) is padding where
    it touches the border of the slice, or covers 1 % of it. All else happens to hold that value: noise and tissue do.
    """
    if not candidates.any() or candidates.all():
        return candidates
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(candidates.astype(np.uint8), connectivity=4)
    is_padding = sizes[:, cv2.CC_STAT_AREA] >= max(_LEAST, _LARGE * candidates.size)
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        is_padding[border] = True
    is_padding[0] = False  # what holds no padding value
    found: Mask = is_padding[labels] if count > 1 else candidates
    return found
