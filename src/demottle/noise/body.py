"""Where the patient is. Air around the body holds nothing to learn and is never changed."""

import cv2
import numpy as np

from demottle.image import Mask, Voxels

_AIR_HU = -500.0
_LEAST_SHARE = 0.002  # of the slice: smaller islands are the table, cables, or noise
_MARGIN = 3  # pixels around the skin
_FAR = 0.2  # of what is bright


def body_plane(plane_guide: Voxels, unit: str) -> Mask:
    """Body of one smoothed slice, lungs and gas inside it included, with a margin of 3 pixels around the skin.

    CT: everything denser than -500 HU, holes filled, small islands dropped. Without absolute units: brighter than a tenth of the
    way to the 99th percentile, from 0 or, where that lies far below, the first. An image without any air is all body.
    """
    threshold = _AIR_HU if unit == "HU" else _dim(plane_guide)
    dense = (plane_guide > threshold).astype(np.uint8)
    if dense.all():
        return dense.astype(np.bool_)
    # Thin connections to the table are cut, then what was cut off the skin is given back.
    cut = cv2.morphologyEx(dense, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cut, connectivity=4)
    large = [i for i in range(1, len(stats)) if stats[i, cv2.CC_STAT_AREA] >= _LEAST_SHARE * dense.size]
    body = np.isin(labels, large).astype(np.uint8)
    outlines, _ = cv2.findContours(body, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(body), outlines, -1, 1, thickness=cv2.FILLED)
    margin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _MARGIN + 1, 2 * _MARGIN + 1))
    out: Mask = cv2.dilate(filled, margin).astype(np.bool_)
    return out


def _dim(plane: Voxels) -> float:
    """Return a tenth of the way from the background to what is bright; stored CT numbers nobody named have it at -1000."""
    dark, bright = np.percentile(plane, (1, 99))
    low = float(dark) if dark < -_FAR * bright else 0.0  # noise around 0 goes below it too, but not as far
    return low + 0.1 * (float(bright) - low)
