"""How far noise alone moves the contrast found of a disc: from the noise power spectrum, and what slices share.

A contrast is a weighted sum of pixels, w = 1 / n in the core and -1 / n in the ring; in stationary noise its variance is

    sum |W(u, v)|^2 NPS(u, v) / (N^2 dx dy)          (W: discrete Fourier transform of w on N x N pixels)

in one slice. The mean of m slices has 1 / m of it, times 1 + 2 sum_k (1 - k / m) rho_k where noise is shared by slices k apart.
"""

from dataclasses import dataclass

import numpy as np

from demottle.noise.correlation import Correlation
from demottle.noise.spectrum import Spectrum
from demottle.noise.synthesis import resample_spectrum
from demottle.quality.objects.contrast import Disc, core_and_ring
from demottle.quality.objects.nps import without_trend_loss

_LEAST_GRID = 128


@dataclass(frozen=True, eq=False)
class ContrastNoise:
    """Noise of a scan.

    Attributes:
        spectrum: noise power in unit^2 mm^2.
        correlation: noise shared by slices; None for a single slice.
        scans: how many scans of independent noise the contrast is the mean of.
    """

    spectrum: Spectrum
    correlation: Correlation | None = None
    scans: int = 1

    def error(self, radius: float, slices: int) -> float:
        """Return the standard error of the contrast of a disc (radius in pixels), mean of adjacent slices, in the unit."""
        weights = _weights(radius)
        size = len(weights)
        restored = without_trend_loss(self.spectrum).density_2d
        density = resample_spectrum(restored, size) * restored.mean()
        power = np.abs(np.fft.fft2(weights)) ** 2
        variance = float((power * density).sum()) / (size**2 * self.spectrum.spacing[0] * self.spectrum.spacing[1])
        return float(np.sqrt(variance * self._shared(slices) / (slices * self.scans)))

    def _shared(self, slices: int) -> float:
        if self.correlation is None:
            return 1.0
        rho = np.nan_to_num(np.array([self.correlation.at(lag) for lag in range(1, slices)], np.float64))
        return max(0.0, 1 + 2 * float(((1 - np.arange(1, slices) / slices) * rho).sum()))


def _weights(radius: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Weights of the pixels of a disc in the middle of a plane that holds its ring twice over."""
    size = max(_LEAST_GRID, 2 ** int(np.ceil(np.log2(10 * radius))))
    weights = np.zeros((size, size))
    core, ring = core_and_ring(weights, Disc(size // 2, size // 2, radius, 0.0))
    weights[core], weights[ring] = 1 / core.sum(), -1 / ring.sum()
    return weights
