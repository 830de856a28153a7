"""The noise spectrum of a CT from all pairs of pixels in calm places: no region has to be whole, and no trend is taken out.

The difference d of two slices that share little of their noise has 2 (1 - rho) times the noise's autocovariance. That of d is the
mean of d(p) d(p + shift) over all pixels p for which both places are calm (`noise.calm`), by Fourier transforms of d and mask.
"""

from dataclasses import replace

import numpy as np
from scipy import fft

from demottle.image import Image
from demottle.noise.calm import Calm
from demottle.noise.correlation import Correlation
from demottle.noise.slices import spread
from demottle.noise.spectrum import Array, Spectrum, radial_mean, spectrum_of_density
from demottle.threads import in_order

SIDE = 64
_FEWEST = 1500  # calm pixels in all
_SHARED = 0.35  # correlation below which two slices count as free of each other's noise
_LONGEST = 4  # slices: farther apart anatomy is another
_LAGS = 2
_MOST_PAIRS = 24
_LEAST_PAIRS = 2e-3  # of the pixels: a shift that fewer pairs have is not known


def calm_spectrum(image: Image, correlation: Correlation) -> Spectrum | None:
    """NPS of a CT of several slices, the same in all directions, or None where too little of it is calm.

    Args:
        image: CT in HU.
        correlation: of its noise between slices.
    """
    calm = Calm(image, (correlation.at(1), correlation.at(2)))
    products, pairs, pixels = _sums(image, correlation, calm)
    if pixels < _FEWEST:
        return None
    lags = np.arange(-SIDE // 2, SIDE // 2)
    near = np.ix_(lags, lags)
    covariance = np.where(pairs > _LEAST_PAIRS * pairs[0, 0], products / np.maximum(pairs, 0.5), 0)[near]
    overlap = 1 - np.abs(lags) / SIDE
    spacing = (image.spacing[1], image.spacing[2])
    density = np.real(fft.fft2(fft.ifftshift(covariance * np.outer(overlap, overlap)))) * spacing[0] * spacing[1]
    found = spectrum_of_density(radial_mean(density, spacing), spacing, pixels // SIDE**2)
    return replace(found, covariance=fft.ifftshift(covariance))


def _sums(image: Image, correlation: Correlation, calm: Calm) -> tuple[Array, Array, int]:
    """Products of the noise's values and numbers of pairs by shift (FFT order), and the pixels they are of."""
    rows, columns = image.shape[1:]
    shape = (fft.next_fast_len(rows + SIDE // 2, real=True), fft.next_fast_len(columns + SIDE // 2, real=True))
    products, pairs, pixels = np.zeros(shape), np.zeros(shape), 0
    first = _free_lag(correlation, image.shape[0])
    lags = range(first, min(first + _LAGS, image.shape[0]))
    compared = [(lag, index) for lag in lags for index in spread(image.shape[0] - lag, _MOST_PAIRS)]
    wanted = sorted({z for lag, index in compared for z in (index, index + lag)})
    planes = dict(zip(wanted, in_order(calm.plane, wanted), strict=True))

    def looked(pair: tuple[int, int]) -> tuple[Array, Array, int] | None:
        lag, index = pair
        mask = planes[index] & planes[index + lag] & calm.same(index, index + lag)
        if not mask.any():
            return None
        scale = 1 / (2 * (1 - min(max(np.nan_to_num(correlation.at(lag)), 0.0), 0.95)))
        difference = np.where(mask, image.voxels[index] - image.voxels[index + lag], 0)
        product = scale * fft.irfft2(np.abs(fft.rfft2(difference, shape)) ** 2, shape)
        return product, fft.irfft2(np.abs(fft.rfft2(mask.astype(np.float32), shape)) ** 2, shape), int(mask.sum())

    for found in in_order(looked, compared):
        if found is not None:
            products += found[0]
            pairs += found[1]
            pixels += found[2]
    return products, pairs, pixels


def _free_lag(correlation: Correlation, slices: int) -> int:
    for lag in range(1, min(_LONGEST, slices - 1) + 1):
        if not correlation.at(lag) > _SHARED:
            return lag
    return min(_LONGEST, slices - 1)
