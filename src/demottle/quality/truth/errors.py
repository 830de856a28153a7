"""Errors against a known truth, inside a mask. Every figure has a fixed, named range: nothing depends on an image's maximum.

All functions take arrays of the same shape, (rows, columns) or (slices, rows, columns), in HU, and a mask of that shape
(None: everywhere). Windows are (lower, upper) in HU.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from demottle.errors import InputError

Array = NDArray[np.floating]
Where = NDArray[np.bool_] | None

BODY_WINDOW = (-160.0, 240.0)
LUNG_WINDOW = (-1350.0, 150.0)

_WINDOW = 11  # pixels a side: scikit-image cuts its Gaussian of 1.5 pixels at 3.5 sigma


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
    total, count, rim = 0.0, 0, _WINDOW // 2
    for plane, true_plane, inside in _slices(image, truth, mask):
        inside = inside[rim:-rim, rim:-rim]
        if inside.any():
            pair = (_clipped(plane, window), _clipped(true_plane, window))
            _, values = structural_similarity(  # type: ignore[no-untyped-call]
                *pair,
                data_range=window[1] - window[0],
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                full=True,
            )
            total += float(values[rim:-rim, rim:-rim][inside].sum())
            count += int(inside.sum())
    if count == 0:
        raise InputError(
            "The mask is empty inside the outer 5 pixels of the slices; structural similarity needs voxels there."
        )
    return total / count


def _clipped(plane: Array, window: tuple[float, float]) -> NDArray[np.float64]:
    # Voxels that were never measured may be NaN; they lie outside the mask and must not spread into it.
    clipped: NDArray[np.float64] = np.clip(np.nan_to_num(plane, nan=window[0]), *window).astype(np.float64)
    return clipped


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
