"""Lung told from rims: where air meets tissue, skin, bowel and the wall of a phantom have a lung's CT numbers in a thin line."""

from collections.abc import Sequence

import cv2
import numpy as np

from demottle.image import Mask, Voxels
from demottle.noise.body import body_plane

LUNG_HU = (-950.0, -300.0)
"""Range of a smooth guide: lung with its small vessels, neither air nor what is around."""
_THICK_MM = 12.0
_CLOSED = 7  # pixels


def lung_plane(smooth: Voxels, spacing: Sequence[float], guide: Voxels | None = None) -> Mask:
    """Return where one slice is lung: thick parts of its CT numbers inside the body (the mattress has them too).

    Args:
        smooth: the slice in HU, smoothed by no more than a few mm: a wider blur makes rims thick.
        spacing: spacing of rows and columns in mm.
        guide: smoothed slice that decides what is body; None: `smooth`.
    """
    low, high = LUNG_HU
    return thick_parts((smooth > low) & (smooth < high) & body_plane(smooth if guide is None else guide, "HU"), spacing)


def thick_parts(mask: Mask, spacing: Sequence[float]) -> Mask:
    """Return a mask (rows, columns) without its parts thinner than 12 mm; vessels inside thick ones do not thin them."""
    rows, columns = (max(3, round(_THICK_MM / s) | 1) for s in spacing)
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_CLOSED, _CLOSED))
    filled = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, closing)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (columns, rows))
    core = cv2.morphologyEx(filled, cv2.MORPH_OPEN, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    out: Mask = mask & core.astype(np.bool_)
    return out
