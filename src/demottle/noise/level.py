"""How strong the noise is: one figure for the image.

It looks only at flat soft tissue (away from gradients of a smoothed guide), after Christianson et al. 2015 and Kuo et al.
2024: local standard deviations in small windows, of which the median is the global noise level. Where hardly any tissue is
flat, these windows hold anatomy, and what neighboring slices differ by says what of it is noise.
"""

from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.noise.calm import Calm
from demottle.noise.correlation import Correlation, known_correlation, slice_correlation
from demottle.noise.flat import WINDOW, flat_plane
from demottle.noise.local import pair_deviations
from demottle.noise.remembered import remembered
from demottle.noise.scan_spectrum import scan_spectrum
from demottle.noise.slices import spread
from demottle.noise.spectrum import Spectrum, autocovariance
from demottle.threads import each

LEVEL = "level"
"""What `noise_level` is remembered as."""
_SMALL, _SMALL_WINDOW = 96, 7  # pixels: in small MR images few windows of 11 hold one tissue
_PEAK_SHARE = 0.1  # of the values: what the search for their peak ends with
_MOST_SLICES = 24
_FEWEST_CALM = {WINDOW: 6000, 7: 1500}  # pixels in places without structure, by the side of the window
MOST_EXCESS = 1.25
"""Noise of a spectrum over that of the noisiest tissue: above it there is anatomy in its regions."""
_SAME = 0.95  # correlation of neighbors: beyond it their differences hold no noise, and tell nothing of it
_MOST_SHARED = 0.8  # correlation of neighbors: beyond it hardly anything is left of their difference
ANATOMY = 0.85
"""Noise by differences of slices over that of the slices: below it the slices' own windows surely hold anatomy.

Of a real abdomen it is 0.88, and there hardly any anatomy is in these windows."""


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


def noise_level(image: Image, correlation: Correlation | None = None, spectrum: Spectrum | None = None) -> float:
    """Global noise level in the image's unit: median of `flat_deviations`; of MR the most frequent one.

    MR has no flat third: the many small tissues of strong contrast, shading and ringing would be taken for noise. There it is the
    most frequent local deviation around a second-order surface (of any tissue that has one, the flattest counts).

    Args:
        image: image of any modality.
        correlation: correlation of its noise between slices, where it is known already.
        spectrum: noise spectrum, where it is known already.

    Returns:
        NaN where the image has no flat soft tissue.
    """
    if spectrum is not None or correlation not in (None, slice_correlation(image) if image.shape[0] > 1 else None):
        return _typical(image, flat_deviations(image, correlation, spectrum))
    return remembered(image, LEVEL, lambda: _typical(image, flat_deviations(image)))


def _typical(image: Image, found: Voxels) -> float:
    if not found.size:
        return float("nan")
    return most_frequent(found) if image.modality == "MR" else float(np.median(found))


def flat_deviations(image: Image, correlation: Correlation | None = None, spectrum: Spectrum | None = None) -> Voxels:
    """Return local standard deviations (n,) of the noise in flat soft tissue of up to 24 slices, in the image's unit.

    They are those of the slices themselves, of CT over what windows show of such noise (`shown_in_windows`), where it has a
    spectrum. Of CT, those of differences of neighbors (`pair_deviations`) where these are smaller by 15 % in the median: both
    hold anatomy where hardly any tissue is flat, the differences far less of it.
    """
    if image.unit != "HU" or image.modality == "MR":
        return window_deviations(image)
    found, window, calm = window_deviations(image), WINDOW, np.zeros(0, np.float32)
    if image.shape[0] > 1 and found.size:
        correlation = known_correlation(image, slice_correlation(image) if correlation is None else correlation)
        calm, window = _calm_deviations(image, correlation)
        found = calm if calm.size else found
    if not found.size:
        return found
    if spectrum is None:
        spectrum = _spectrum_or_none(image, correlation)
    if correlation is not None and correlation.at(1) > _SAME:
        return found
    if spectrum is not None and 0 < spectrum.sigma <= MOST_EXCESS * np.percentile(found, 90):
        found = found / np.float32(shown_in_windows(spectrum, window))
    if calm.size or correlation is None or not correlation.at(1) < _MOST_SHARED:
        return found
    pairs = pair_deviations(image, correlation)
    calmer = pairs.size > 0 and 0 < np.median(pairs) < ANATOMY * np.median(found)
    return pairs if calmer else found


def window_deviations(image: Image) -> Voxels:
    """Return local standard deviations (n,) as they are in windows of up to 24 slices, anatomy and all, in the image's unit."""

    def found(index: int) -> Voxels:
        return deviation_plane(image, image.voxels[index])[flat_plane(image, index)]

    return np.concatenate(each(found, spread(image.shape[0], _MOST_SLICES)))


def _calm_deviations(image: Image, correlation: Correlation) -> tuple[Voxels, int]:
    """Local standard deviations where no structure is seen, none where too few are, and the side of their windows.

    Small windows are taken where few large ones are free of structure.
    """
    calm = Calm(image, (correlation.at(1), correlation.at(2)))
    for window, fewest in _FEWEST_CALM.items():

        def values(index: int, window: int = window) -> Voxels:
            return local_deviation(image.voxels[index], window)[calm.windows(index, window)]

        found = np.concatenate(each(values, spread(image.shape[0], _MOST_SLICES)))
        if found.size >= fewest:
            return found, window
    return np.zeros(0, np.float32), WINDOW


def shown_in_windows(spectrum: Spectrum, window: int = WINDOW) -> float:
    """Median standard deviation in windows over that of the noise itself (`median_deviation`): below 1 for coarse noise."""
    return median_deviation(autocovariance(spectrum), window)


def median_deviation(covariance: NDArray[np.float64], window: int = WINDOW) -> float:
    """Median of the local standard deviation in square windows, as `quantile_deviation`."""
    return quantile_deviation(covariance, 0.5, window)


def quantile_deviation(covariance: NDArray[np.float64], quantile: float, window: int = WINDOW) -> float:
    """Quantile of the local standard deviation in square windows of noise whose true standard deviation is 1.

    The window's mean takes low frequencies away, and few pixels that are correlated make the median smaller than the root
    mean square. With the noise's covariance S in a window of n pixels, its mean removed, the local variance has the mean
    `tr S / (n - 1)` and `tr(S)^2 / tr(S^2)` degrees of freedom k; the quantile of chi-squared over k at the normal law's z is
    `(1 - 2 / 9k + z sqrt(2 / 9k))^3` (E. B. Wilson and M. M. Hilferty, PNAS 17, 1931).

    Args:
        covariance: autocovariance (n, n) of the noise in any unit, shift 0 first (FFT order).
        quantile: 0 to 1; 0.5 is the median.
        window: side in pixels.
    """
    rows, columns = (axis.ravel() for axis in np.indices((window, window)))
    down, across = rows[:, None] - rows, columns[:, None] - columns
    reach = (len(covariance) + 1) // 2  # what is farther apart is not known, and shares hardly anything
    near = (np.abs(down) < reach) & (np.abs(across) < reach)
    side = len(covariance)
    within = np.where(near, covariance[down % side, across % side], 0) / covariance[0, 0]
    centred = within - within.mean(0) - within.mean(1)[:, None] + within.mean()
    freedom = np.trace(centred) ** 2 / np.sum(centred**2)
    mean = np.trace(centred) / (window * window - 1)
    of_mean = 1 - 2 / (9 * freedom) + NormalDist().inv_cdf(quantile) * np.sqrt(2 / (9 * freedom))
    return float(np.sqrt(mean) * of_mean**1.5)


def _spectrum_or_none(image: Image, correlation: Correlation | None) -> Spectrum | None:
    try:
        return scan_spectrum(image, correlation)
    except InputError:
        return None


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
