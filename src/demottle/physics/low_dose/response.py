"""The kernel's response from the spectrum of a scan's own noise, which need not be of the Hann family.

The spectrum of noise from the projections is `NPS(f) ~ f A(f)^2`. What is measured in regions is that spectrum blurred by their
edges and without their trend: a linear map of it, which is turned around by a few steps of Richardson and Lucy (W. H. Richardson,
J Opt Soc Am 62, 1972): they keep it positive, begin with the Hann kernel of the same mean frequency, and stop before they follow
the chance in the measurement.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.noise.spectrum import Spectrum, autocovariance, spectrum_of_density, trend_gain
from demottle.physics.ct.projection import Response, apodisation
from demottle.physics.low_dose.texture import noise_power

Array = NDArray[np.float64]

_NODES = 49  # frequencies from 0 to Nyquist
_GRID = 192
_STEPS = 25
_FLOOR = 0.01  # of the largest power: where the Hann kernel has none, there may be some
_LOWEST, _FEWEST = 0.085, 2  # cycles per pixel, rings: below there are trends and anatomy
_ANCHOR = 1.7  # times that: up to there the Hann kernel is brought to the response's height


def matching_response(spectrum: Spectrum, cut_off: float) -> Response:
    """Return the response of the kernel whose noise has the measured spectrum.

    Args:
        spectrum: of the scan's noise.
        cut_off: in 1/mm, of the Hann kernel with its mean frequency: it is begun with, and followed below the lowest frequency
            that can be measured.
    """
    pixel = spectrum.spacing[0]
    measured, detrended = _measured(spectrum)
    size = 2 * (len(measured) - 1)
    frequency = np.linspace(0, 0.5, _NODES) / pixel
    hann = apodisation(cut_off, frequency)
    begun = noise_power(frequency, pixel, cut_off)
    begun = np.maximum(begun, _FLOOR * begun.max())
    first = max(_FEWEST, round(_LOWEST * size))
    found = _turned_around(_seen(size, detrended), np.maximum(measured, 0), begun, first)
    gain = np.sqrt(found / np.maximum(frequency, frequency[1] / 2))
    lowest = int(np.ceil(first / size * 2 * (_NODES - 1)))
    anchor = slice(lowest, int(np.ceil(_ANCHOR * lowest)) + 1)
    gain[:lowest] = np.mean(gain[anchor]) / np.mean(hann[anchor]) * hann[:lowest]
    return Response(tuple(frequency.tolist()), tuple((gain / gain[0]).tolist()))


def _measured(spectrum: Spectrum) -> tuple[Array, bool]:
    """Radial density up to Nyquist as regions show it, and whether their trend was taken out."""
    if spectrum.covariance is None:
        return spectrum.density, True
    size = len(spectrum.covariance)
    overlap = 1 - np.abs(np.fft.fftfreq(size))
    density = np.real(fft.fft2(autocovariance(spectrum) * np.outer(overlap, overlap)))
    return spectrum_of_density(density, spectrum.spacing).density, False


@lru_cache(maxsize=8)
def _seen(size: int, detrended: bool) -> Array:
    """What rings of regions of `size` pixels see of power at each node, shape (size / 2 + 1, nodes)."""
    frequency = np.fft.fftfreq(_GRID)
    radius = np.hypot(frequency[:, None], frequency[None])
    # Pairs of pixels are up to a whole region apart, or half of one where none was cut out (`calm_spectrum`).
    shift = np.arange(1 - size, size) if detrended else np.arange(-size // 2, size // 2)
    overlap = 1 - np.abs(shift) / size
    folded = np.ix_(shift % size, shift % size)
    gain = trend_gain(size) if detrended else 1.0
    columns = []
    for node in np.linspace(0, 0.5, _NODES):
        power = np.maximum(1 - np.abs(radius - node) * 2 * (_NODES - 1), 0)
        covariance = np.real(fft.ifft2(power))
        seen = np.zeros((size, size))
        np.add.at(seen, folded, covariance[np.ix_(shift, shift)] * np.outer(overlap, overlap))
        columns.append(spectrum_of_density(np.maximum(np.real(fft.fft2(seen)), 0) * gain, (1.0, 1.0)).density)
    return np.stack(columns, axis=1)


def _turned_around(seen: Array, measured: Array, begun: Array, first: int) -> Array:
    """Power at the nodes of which `measured` is seen, by `_STEPS` steps from `begun`; rings from `first` on, by their length."""
    rings = np.arange(len(measured), dtype=np.float64)
    rings[:first] = 0
    weighted = seen * rings[:, None]
    total = np.maximum(weighted.sum(axis=0), 1e-12)
    power = begun * float((rings * measured).sum() / (weighted @ begun).sum())
    for _ in range(_STEPS):
        power = power * (weighted.T @ (measured / np.maximum(seen @ power, 1e-12))) / total
    return power
