"""Fat in thin layers: under the skin and on bone, where a denoiser that smooths mixes it with what lies beside it.

A layer of four millimeters between skin and skull is gone after any smoothing wide enough to mark tissue by, so it is marked
on the plane as it is, which therefore has to hold little noise: on a denoised slice or a truth.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Mask, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane

SKIN, BONE = 1, 2
RINGS, DEEP = 6, 5
"""Labels of `layer_rings`: the outermost pixels at the skin and at bone, the next ones at both, and from `DEEP` on all others."""
FAT_HU = (-150.0, -45.0)
"""Wide enough that what is left of the noise does not select."""
FAT_WINDOW = (3, 3)
"""Rows and columns around a voxel that have to be fat as well."""
_SKIN_MM, _BONE_MM = 8.0, 6.0
_BONE_HU = 400.0
_MARGIN = 7  # pixels across: what `body_plane` adds around the skin


def fat_layers(plane: Voxels, spacing: Sequence[float]) -> NDArray[np.uint8]:
    """Label fat within 8 mm of the air around the body (`SKIN`) and within 6 mm of bone (`BONE`, which comes first).

    A voxel counts whose eight neighbors are fat as well: the others may hold part of something else.

    Args:
        plane: one slice in HU that holds little noise.
        spacing: mm between rows and columns.

    Returns:
        uint8 (rows, columns), 0 elsewhere.
    """
    fat = inside_fat(plane)
    labels = np.zeros(plane.shape, np.uint8)
    if not fat.any():
        return labels
    pixel = float(np.sqrt(spacing[0] * spacing[1]))
    margin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_MARGIN, _MARGIN)).astype(np.uint8)
    near_air = _within(_eroded(body_plane(guide.smooth(plane), "HU"), margin, 1), _SKIN_MM / pixel)
    bone = cv2.morphologyEx((plane > _BONE_HU).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    near_bone = _within(np.asarray(bone == 0), _BONE_MM / pixel)
    labels[fat & near_air] = SKIN
    labels[fat & near_bone] = BONE
    return labels


def layer_rings(plane: Voxels, spacing: Sequence[float]) -> NDArray[np.uint8]:
    """Label the same fat by depth: 1 and 2 are the outermost pixels of `SKIN` and `BONE`, 3 and 4 the next, 5 and 6 deeper.

    What a denoiser mixes with fat comes from beside it, and is less from pixel to pixel. So depth counts from what is not fat,
    never from fat that is farther from skin and bone.
    """
    labels = fat_layers(plane, spacing)
    inner = _eroded(inside_fat(plane), np.ones((3, 3), np.uint8), 0)
    deep = _eroded(inner, np.ones((3, 3), np.uint8), 0)
    return np.asarray(labels + (labels > 0) * (np.uint8(2) * inner + np.uint8(2) * deep), np.uint8)


def inside_fat(plane: Voxels) -> Mask:
    """Say where a slice in HU holds fat whose eight neighbors are fat as well (rows, columns)."""
    return _eroded((plane > FAT_HU[0]) & (plane < FAT_HU[1]), np.ones(FAT_WINDOW, np.uint8), 0)


def _eroded(mask: Mask, shape: NDArray[np.uint8], border: int) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), shape, borderType=cv2.BORDER_CONSTANT, borderValue=border) > 0)


def _within(inside: Mask, pixels: float) -> Mask:
    """Where the distance to the nearest 0 is above 0 and at most so many pixels; nowhere if there is no 0."""
    if inside.all():
        return np.zeros(inside.shape, np.bool_)
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    out: Mask = (distance > 0) & (distance <= pixels)
    return out
