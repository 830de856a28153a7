"""Two likenesses that follow structure more than error: visual information fidelity (VIF) and gradient similarity (GMSD).

Both have constants made for images from 0 to 255, so values are clipped to a stated window in HU which becomes 0 to 255; without
that window the figures mean nothing. Slices are scored one by one, and the mean is given.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.quality.arrays import planes_of, same_shape
from demottle.quality.truth.errors import BODY_WINDOW

Array = NDArray[np.float64]

LEAST_SIDE = 48  # pixels: four scales of VIF use up 41 pixels and more
_SCALES = (17, 9, 5, 3)  # side of VIF's Gaussian windows, finest scale first
_EYE_NOISE = 2.0  # variance of the visual noise
_TINY = 1e-10
_GRADIENT_CONSTANT = 170.0


def vif(image: NDArray[Any], truth: NDArray[Any], window: tuple[float, float] = BODY_WINDOW) -> float:
    """Return the pixel-domain visual information fidelity: 1 for equal images, 0 for none of the truth's information.

    Sheikh & Bovik, IEEE Trans Image Process 15 (2006): over four scales, sum log2(1 + g^2 s1^2 / (sv^2 + 2)) over
    sum log2(1 + s1^2 / 2), with g = cov / s1^2 and sv^2 = s2^2 - g cov in Gaussian windows. Above 1 where contrast is raised.

    Args:
        image, truth: (rows, columns) or (slices, rows, columns) in HU, at least 48 pixels a side.
        window: range in HU that is mapped to 0 ... 255; what lies outside is clipped.

    Raises:
        InputError: different shapes, NaN, slices too small, a window without width.
    """
    return _mean(_vif_of_plane, image, truth, window)


def gmsd(image: NDArray[Any], truth: NDArray[Any], window: tuple[float, float] = BODY_WINDOW) -> float:
    """Return the gradient magnitude similarity deviation: 0 for equal images, larger for more distortion (about 0 to 0.35).

    Xue et al., IEEE Trans Image Process 23 (2014): standard deviation over the slice of (2 m1 m2 + 170) / (m1^2 + m2^2 + 170), m:
    Prewitt gradient magnitudes after averaging 2 x 2 pixels. Arguments and errors as `vif`.
    """
    return _mean(_gmsd_of_plane, image, truth, window)


def _mean(
    measure: Callable[[Array, Array], float], image: NDArray[Any], truth: NDArray[Any], window: tuple[float, float]
) -> float:
    one, other = planes_of(image, "image's planes"), planes_of(truth, "truth's planes")
    same_shape("image and truth", one, other)
    if min(one.shape[1:]) < LEAST_SIDE:
        raise InputError(
            f"Slices of {one.shape[1]} x {one.shape[2]} pixels are too small; this needs {LEAST_SIDE} a side."
        )
    low, high = window
    if not high > low:
        raise InputError(f"The window {window} has no width; give its lower and upper end in HU.")
    scale = 255 / (high - low)
    pairs = zip(one, other, strict=True)
    return float(np.mean([measure(*((np.clip(p, low, high) - low) * scale for p in pair)) for pair in pairs]))


def _vif_of_plane(image: Array, truth: Array) -> float:
    kept = whole = 0.0
    for scale, side in enumerate(_SCALES):
        if scale:
            image, truth = _smooth(image, side)[::2, ::2], _smooth(truth, side)[::2, ::2]
        mean1, mean2 = _smooth(truth, side), _smooth(image, side)
        var1 = np.maximum(_smooth(truth * truth, side) - mean1**2, 0)
        var2 = np.maximum(_smooth(image * image, side) - mean2**2, 0)
        gain = (_smooth(truth * image, side) - mean1 * mean2) / (var1 + _TINY)
        rest = var2 - gain * (gain * (var1 + _TINY))
        flat1, flat2, opposed = var1 < _TINY, var2 < _TINY, gain < 0
        rest = np.where(flat1 | opposed, var2, np.where(flat2, 0, rest))
        gain, var1 = np.where(flat1 | flat2 | opposed, 0, gain), np.where(flat1, 0, var1)
        kept += float(np.log2(1 + gain**2 * var1 / (np.maximum(rest, _TINY) + _EYE_NOISE)).sum())
        whole += float(np.log2(1 + var1 / _EYE_NOISE).sum())
    return kept / whole if whole > 0 else 1.0


def _smooth(plane: Array, side: int) -> Array:
    """Gaussian mean (deviation: side / 5) where the whole window lies inside."""
    half = side // 2
    return np.asarray(cv2.GaussianBlur(plane, (side, side), side / 5), np.float64)[half:-half, half:-half]


def _gmsd_of_plane(image: Array, truth: Array) -> float:
    one, other = _gradient(image), _gradient(truth)
    similarity = (2 * one * other + _GRADIENT_CONSTANT) / (one**2 + other**2 + _GRADIENT_CONSTANT)
    return float(similarity.std())


def _gradient(plane: Array) -> Array:
    rows, columns = (n // 2 * 2 for n in plane.shape)
    half = plane[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    prewitt = np.repeat([[1 / 3, 0, -1 / 3]], 3, axis=0)
    sides = (cv2.filter2D(half, -1, k, borderType=cv2.BORDER_CONSTANT) for k in (prewitt, prewitt.T.copy()))
    magnitude: Array = np.hypot(*sides)
    return magnitude
