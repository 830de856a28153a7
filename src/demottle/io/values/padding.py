"""Padding: which of the pixels that hold a padding value were not measured."""

import cv2
import numpy as np

from demottle.image import Mask

_LARGE = 0.01  # share of the slice
_LEAST = 16  # pixels of a large region, however small the slice is


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
