"""The texture of filtered back-projection's noise, as a formula: its spectrum, and what follows from it.

Noise that is white in the projections comes out of filtered back-projection with the two-dimensional spectrum
`NPS(f) ~ |H(f)|^2 / f = f A(f)^2` up to the Nyquist frequency of the bins, with the ramp f and the kernel's apodisation A
(S. J. Riederer et al., The noise power spectrum in computed X-ray tomography, Phys Med Biol 23, 1978).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from demottle.noise import level
from demottle.noise.flat import WINDOW
from demottle.noise.spectrum import spectrum_of_density, trend_gain
from demottle.physics.ct.projection import OVERSAMPLING, KernelLike, apodisation

SOFTEST, SHARPEST = 0.25, 4.0
"""Range of cut-off frequencies in 1/mm that `matching_cut_off` chooses from."""
_GRID = 256


def noise_power(frequency: NDArray[np.float64], pixel_mm: float, kernel: KernelLike) -> NDArray[np.float64]:
    """NPS, in arbitrary units, at radial frequencies in 1/mm: ramp times apodisation squared, zero beyond Nyquist."""
    return np.where(frequency <= 0.5 / pixel_mm, frequency * apodisation(kernel, frequency) ** 2, 0.0)


def mean_frequency(pixel_mm: float, kernel: KernelLike, size: int | None = None) -> float:
    """Mean radial frequency in 1/mm, weighted over the plane up to Nyquist as `demottle.noise.spectrum` does.

    With `size`, it is the mean that square regions of so many pixels show: their edges blur the spectrum (the covariance is
    multiplied by their overlap), and the trend that is taken out of them takes its lowest frequencies along.
    """
    if size is not None:
        return spectrum_of_density(_in_regions(pixel_mm, kernel, size), (pixel_mm, pixel_mm), in_regions=True).mean
    frequency = np.linspace(0, 0.5 / pixel_mm, 2001)
    weight = noise_power(frequency, pixel_mm, kernel) * frequency
    return float((frequency * weight).sum() / weight.sum())


def matching_cut_off(mean: float, pixel_mm: float, size: int | None = None) -> float:
    """Cut-off in 1/mm of the kernel whose noise has this mean frequency; the nearest within `SOFTEST` to `SHARPEST`.

    `size`: side in pixels of the regions in which the mean was measured, as of `mean_frequency`.
    """
    low, high = (mean_frequency(pixel_mm, cut_off, size) for cut_off in (SOFTEST, SHARPEST))
    if not low < mean < high:
        return SOFTEST if mean <= low else SHARPEST
    return float(brentq(lambda cut_off: mean_frequency(pixel_mm, cut_off, size) - mean, SOFTEST, SHARPEST, xtol=1e-4))


def _in_regions(pixel_mm: float, kernel: KernelLike, size: int) -> NDArray[np.float64]:
    """Mean periodogram (size, size) of regions of the kernel's noise, second-order trend taken out, in arbitrary units."""
    frequency = np.fft.fftfreq(_GRID, pixel_mm)
    covariance = np.real(np.fft.ifft2(noise_power(np.hypot(frequency[:, None], frequency[None]), pixel_mm, kernel)))
    shift = np.arange(1 - size, size)
    overlap = 1 - np.abs(shift) / size
    seen = np.zeros((size, size))
    folded = np.ix_(shift % size, shift % size)
    np.add.at(seen, folded, covariance[np.ix_(shift, shift)] * np.outer(overlap, overlap))
    power: NDArray[np.float64] = np.maximum(np.real(np.fft.fft2(seen)), 0) * trend_gain(size)
    return power


def median_deviation(pixel_mm: float, kernel: KernelLike, window: int = WINDOW) -> float:
    """Median of the local standard deviation in square windows of the kernel's noise (`noise.level.median_deviation`)."""
    return windows_show(pixel_mm, kernel, 0.5, window)


def windows_show(pixel_mm: float, kernel: KernelLike, quantile: float, window: int = WINDOW) -> float:
    """Quantile of the local standard deviation in square windows of the kernel's noise (`noise.level.quantile_deviation`)."""
    frequency = np.fft.fftfreq(_GRID, pixel_mm)
    power = noise_power(np.hypot(frequency[:, None], frequency[None]), pixel_mm, kernel)
    return level.quantile_deviation(np.real(np.fft.ifft2(power)), quantile, window)


def interpolation_loss(pixel_mm: float, kernel: KernelLike) -> float:
    """Share of the variance that is left by linear interpolation between the finely sampled filtered projections.

    At the frequency f, averaged over where between two samples a pixel falls, it is `(2 + cos(2 pi f step)) / 3`.
    """
    frequency = np.linspace(0, 0.5 / pixel_mm, 2001)
    power = noise_power(frequency, pixel_mm, kernel) * frequency
    left = (2 + np.cos(2 * np.pi * frequency * pixel_mm / OVERSAMPLING)) / 3
    return float((power * left).sum() / power.sum())
