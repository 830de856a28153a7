"""Errors against a known truth, inside a mask. Every figure has a fixed, named range: nothing depends on an image's maximum.

All functions take arrays of the same shape, (rows, columns) or (slices, rows, columns), in HU, and a mask of that shape
(None: everywhere). Windows are (lower, upper) in HU.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError

Array = NDArray[np.floating]
Where = NDArray[np.bool_] | None

BODY_WINDOW = (-160.0, 240.0)
LUNG_WINDOW = (-1350.0, 150.0)

_SIGMA = 1.5  # width in pixels of SSIM's Gaussian weights
_WINDOW = 11  # scikit-image cuts the Gaussian at 3.5 sigma: 2 * int(3.5 * 1.5 + 0.5) + 1


def rmse(image: Array, truth: Array, mask: Where = None) -> float:
    """Return the root mean square error in HU, unclipped: sqrt(mean((image - truth)^2))."""
    total, count = _sum_of_slices(image, truth, mask, power=2)
    return float(np.sqrt(total / count))


def bias(image: Array, truth: Array, mask: Where = None) -> float:
    """Return the mean error in HU, unclipped: mean(image - truth). Positive: the image is too bright."""
    total, count = _sum_of_slices(image, truth, mask, power=1)
    return float(total / count)


def psnr(image: Array, truth: Array, mask: Where = None, window: tuple[float, float] = BODY_WINDOW) -> float:
    """Return the peak signal-to-noise ratio in dB: 20 log10(R / RMSE), R the width of `window`; infinite for no error.

    The RMSE is unclipped; the window only names the range: 400 HU for the body, 1500 HU for the lung.
    """
    error = rmse(image, truth, mask)
    return float("inf") if error == 0 else float(20 * np.log10((window[1] - window[0]) / error))


def ssim(image: Array, truth: Array, mask: Where = None, window: tuple[float, float] = BODY_WINDOW) -> float:
    """Return the mean structural similarity of the slices clipped to `window`: 1 for equal images, at most 1.

    Wang et al., IEEE Trans Image Process 13 (2004): Gaussian weights of sigma 1.5 px, population covariance,
    K1 = 0.01, K2 = 0.03, data range the width of `window`; the map is averaged inside the mask. The outer 5 pixels of
    each slice, where the weights would reach over the border, do not count (as in scikit-image).

    Raises:
        InputError: where no voxel of the mask is left.
    """
    total, count = 0.0, 0
    for plane, true_plane, inside in _slices(image, truth, mask):
        values = _ssim_map(_clipped(plane, window), _clipped(true_plane, window), window[1] - window[0])
        rim = _WINDOW // 2
        values, inside = values[rim:-rim, rim:-rim], inside[rim:-rim, rim:-rim]
        total += float(values[inside].sum())
        count += int(inside.sum())
    if count == 0:
        raise InputError(
            "The mask is empty inside the outer 5 pixels of the slices; structural similarity needs voxels there."
        )
    return total / count


def _ssim_map(x: NDArray[np.float64], y: NDArray[np.float64], data_range: float) -> NDArray[np.float64]:
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_x, mean_y = _weighted(x), _weighted(y)
    var_x = _weighted(x * x) - mean_x**2
    var_y = _weighted(y * y) - mean_y**2
    covariance = _weighted(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    result: NDArray[np.float64] = above / below
    return result


def _clipped(plane: Array, window: tuple[float, float]) -> NDArray[np.float64]:
    # Voxels that were never measured may be NaN; they lie outside the mask and must not spread into it.
    clipped: NDArray[np.float64] = np.clip(np.nan_to_num(plane, nan=window[0]), *window).astype(np.float64)
    return clipped


def _weighted(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(plane, (_WINDOW, _WINDOW), _SIGMA, borderType=cv2.BORDER_REFLECT), np.float64)


def _slices(image: Array, truth: Array, mask: Where) -> list[tuple[Array, Array, NDArray[np.bool_]]]:
    """Views of each slice of the three arrays, checked to be of one shape."""
    if image.shape != truth.shape or (mask is not None and mask.shape != image.shape):
        shapes = f"{image.shape}, {truth.shape} and {None if mask is None else mask.shape}"
        raise InputError(f"Image, truth and mask must have one shape, but have {shapes}.")
    everywhere = np.broadcast_to(np.True_, image.shape) if mask is None else mask
    if image.ndim == 2:
        return [(image, truth, everywhere)]
    return list(zip(image, truth, everywhere, strict=True))


def _sum_of_slices(image: Array, truth: Array, mask: Where, power: int) -> tuple[float, int]:
    """Sum of the errors to a power, and their count, one slice at a time to need little memory."""
    total, count = 0.0, 0
    for plane, true_plane, inside in _slices(image, truth, mask):
        error = plane[inside].astype(np.float64) - true_plane[inside]
        if not np.isfinite(error).all():
            raise InputError("Image or truth hold NaN or infinite values inside the mask; leave them out of it.")
        total += float((error**power).sum())
        count += error.size
    if count == 0:
        raise InputError("The mask is empty; errors need at least one voxel.")
    return total, count
