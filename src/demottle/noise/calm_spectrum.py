"""The noise spectrum of a CT from all pairs of pixels in calm places: no region has to be whole, and no trend is taken out.

The difference d of two slices that share little of their noise has 2 (1 - rho) times the noise's autocovariance. That of d is the
mean of d(p) d(p + shift) over all pixels p for which both places are calm (`noise.calm`), by Fourier transforms of d and mask.
"""

from dataclasses import replace

import numpy as np
from scipy import fft

from demottle.image import Image, Mask
from demottle.noise.calm import Calm
from demottle.noise.correlation import Correlation
from demottle.noise.slices import spread
from demottle.noise.spectrum import Array, Spectrum, radial_mean, spectrum_of_density

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
    planes: dict[int, Mask] = {}
    first = _free_lag(correlation, image.shape[0])
    for lag in range(first, min(first + _LAGS, image.shape[0])):
        scale = 1 / (2 * (1 - min(max(np.nan_to_num(correlation.at(lag)), 0.0), 0.95)))
        for index in spread(image.shape[0] - lag, _MOST_PAIRS):
            for z in (index, index + lag):
                if z not in planes:
                    planes[z] = calm.plane(z)
            mask = planes[index] & planes[index + lag] & calm.same(index, index + lag)
            if not mask.any():
                continue
            difference = np.where(mask, image.voxels[index] - image.voxels[index + lag], 0)
            products += scale * fft.irfft2(np.abs(fft.rfft2(difference, shape)) ** 2, shape)
            pairs += fft.irfft2(np.abs(fft.rfft2(mask.astype(np.float32), shape)) ** 2, shape)
            pixels += int(mask.sum())
    return products, pairs, pixels


def _free_lag(correlation: Correlation, slices: int) -> int:
    for lag in range(1, min(_LONGEST, slices - 1) + 1):
        if not correlation.at(lag) > _SHARED:
            return lag
    return min(_LONGEST, slices - 1)
