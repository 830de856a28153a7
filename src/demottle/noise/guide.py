"""The guide: a strongly smoothed copy of a slice, cheap, from which anatomy is read without reading noise."""

from collections.abc import Sequence

import cv2
import numpy as np

from demottle.image import Mask, Voxels

GUIDE_SIGMA = 2.0
"""Standard deviation of the guide's Gaussian in pixels. Wider guides blur the anatomy they are to tell apart."""


def smooth(plane: Voxels, sigma: float = GUIDE_SIGMA) -> Voxels:
    """Gaussian-smooth one slice (rows, columns); `sigma` in pixels, edges reflected."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), np.float32)


def reach(sigma: float) -> int:
    """Return how many pixels `smooth` looks at in each direction."""
    return (round(8 * sigma + 1) | 1) // 2


def smooth_mm(plane: Voxels, width: float, spacing: Sequence[float]) -> Voxels:
    """Gaussian-smooth one slice by `width` mm; `spacing`: mm between rows and columns."""
    down, across = (width / step for step in spacing)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), across, sigmaY=down), np.float32)


def gradient(plane: Voxels) -> Voxels:
    """Gradient magnitude per pixel of one (already smooth) slice, central differences."""
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=1, borderType=cv2.BORDER_REFLECT_101) / 2
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=1, borderType=cv2.BORDER_REFLECT_101) / 2
    out: Voxels = np.sqrt(across**2 + down**2)
    return out


def erode(mask: Mask, pixels: int) -> Mask:
    """Shrink a two-dimensional mask by `pixels` on every side (square element)."""
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    # A constant border of 0 keeps windows that would leave the image out of the mask.
    shrunk = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    out: Mask = shrunk.astype(np.bool_)
    return out
