"""How strong the noise is: one figure for the image, and a map of the local level.

Both look only at flat soft tissue (away from gradients of a smoothed guide), after Christianson et al. 2015 and Kuo et al.
2024: local standard deviations in small windows, of which the median is the global noise level.
"""

import cv2
import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.slices import spread

WINDOW = 11
"""Side in pixels of the window of the local standard deviation."""
SOFT_TISSUE_HU = (-150.0, 200.0)
_SMALL, _SMALL_WINDOW = 96, 7  # pixels: in small MR images few windows of 11 hold one tissue
_PEAK_SHARE = 0.1  # of the values: what the search for their peak ends with
_FLATTEST = 0.3  # of the tissue, the share with the lowest gradient counts as flat
_MOST_SLICES = 24


def tissue_mask(plane_guide: Voxels, unit: str, valid: Mask | None = None) -> Mask:
    """Soft tissue of one guide slice: CT numbers in `SOFT_TISSUE_HU`; without absolute units, the brighter part.

    Without a scale the threshold is a quarter of the 99th percentile, which separates tissue from the dark background of
    MR and of X-ray frames.
    """
    if unit == "HU":
        low, high = SOFT_TISSUE_HU
        mask = (plane_guide > low) & (plane_guide < high)
    else:
        mask = plane_guide > 0.25 * np.percentile(plane_guide, 99)
    if valid is not None:
        mask &= guide.erode(valid, 3)
    out: Mask = mask
    return out


def flat_plane(image: Image, index: int) -> Mask:
    """Flat soft tissue of one slice: inside tissue by some pixels, and of its flattest third by the guide's gradient.

    The guide is averaged over the slice and its two neighbors, so that vessels stand out from what is left of the noise.
    """
    around = range(max(0, index - 1), min(image.shape[0], index + 2))
    averaged = np.mean([guide.smooth(image.voxels[i], 1.5 * guide.GUIDE_SIGMA) for i in around], axis=0)
    tissue = guide.erode(tissue_mask(averaged, image.unit, valid_plane(image, index)), 4)
    if not tissue.any():
        return tissue
    # Dilated, because the windows whose deviation is taken reach that far.
    steep = cv2.dilate(guide.gradient(averaged), np.ones((WINDOW, WINDOW), np.uint8))
    return np.asarray(tissue & (steep <= np.quantile(steep[tissue], _FLATTEST)))


def flat_mask(image: Image) -> Mask:
    """Flat soft tissue of a whole image, shape (slices, rows, columns)."""
    return np.stack([flat_plane(image, index) for index in range(image.shape[0])])


def valid_plane(image: Image, index: int) -> Mask | None:
    """The mask of valid voxels of one slice, or None where all are valid."""
    return None if image.valid is None else image.valid[index]


def local_deviation(plane: Voxels, window: int = WINDOW) -> Voxels:
    """Standard deviation of one slice in a square window around every pixel (unbiased), in the image's unit."""
    centred = plane - np.float32(plane.mean())  # keeps the difference of squares below exact in float32
    mean = cv2.blur(centred, (window, window), borderType=cv2.BORDER_REFLECT_101)
    square = cv2.blur(centred**2, (window, window), borderType=cv2.BORDER_REFLECT_101)
    count = window * window
    out: Voxels = np.sqrt(np.maximum(square - mean**2, 0) * (count / (count - 1)))
    return out


def detrended_deviation(plane: Voxels, window: int = WINDOW) -> Voxels:
    """Like `local_deviation`, around a second-order surface instead of a mean: shading and soft edges count less.

    With q_k the six orthonormal polynomials of the window, the sum of squares is sum x^2 - sum_k (q_k * x)^2.
    """
    side = np.linspace(-1, 1, window)
    y, x = (axis.ravel() for axis in np.meshgrid(side, side, indexing="ij"))
    basis = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=1))[0].T
    centred = np.asarray(plane - np.float32(plane.mean()), np.float64)
    border = cv2.BORDER_REFLECT_101
    left = np.asarray(cv2.boxFilter(centred**2, -1, (window, window), normalize=False, borderType=border), np.float64)
    for kernel in basis.reshape(-1, window, window):
        left = left - np.asarray(cv2.filter2D(centred, -1, kernel, borderType=border), np.float64) ** 2
    return np.asarray(np.sqrt(np.maximum(left, 0) / (window * window - len(basis))), np.float32)


def noise_level(image: Image) -> float:
    """Global noise level: median local standard deviation over flat soft tissue of up to 24 slices, in the image's unit.

    MR has no flat third: the many small tissues of strong contrast, shading and ringing would be taken for noise. There it is the
    most frequent local deviation around a second-order surface (of any tissue that has one, the flattest counts).

    Returns NaN where the image has no flat soft tissue.
    """
    values = [
        deviation_plane(image, image.voxels[index])[flat_plane(image, index)]
        for index in spread(image.shape[0], _MOST_SLICES)
    ]
    found = np.concatenate(values)
    if not found.size:
        return float("nan")
    return most_frequent(found) if image.modality == "MR" else float(np.median(found))


def deviation_plane(image: Image, plane: Voxels) -> Voxels:
    """Local standard deviation of a slice of such an image, as `noise_level` takes it: of MR around a surface."""
    if image.modality != "MR":
        return local_deviation(plane)
    return detrended_deviation(plane, _SMALL_WINDOW if min(image.shape[1:]) < _SMALL else WINDOW)


def most_frequent(values: Voxels) -> float:
    """Return the most frequent of some values (n,), in their unit.

    Half-sample mode (D. R. Bickel and R. Fruehwirth, 2006), ended where a tenth of the values is left: their mean.
    """
    values = np.sort(values)
    least = max(10, round(_PEAK_SHARE * len(values)))
    while len(values) > least:
        half = max(len(values) // 2, least)
        first = int(np.argmin(values[half - 1 :] - values[: len(values) - half + 1]))
        values = values[first : first + half]
    return float(values.mean())
