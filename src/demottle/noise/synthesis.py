"""Draw noise that looks like an image's own: the measured spectrum, at the measured local level."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import map_coordinates, uniform_filter

from demottle.image import Voxels


def resample_spectrum(spectrum: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """Give a power spectrum (n, n) in FFT order another number of frequencies (size, size); its mean becomes 1.

    A flat spectrum is returned where the given one is zero.
    """
    centred = np.fft.fftshift(np.asarray(spectrum, np.float64))
    have = len(centred)
    if size < have:  # a short window cannot tell neighboring frequencies apart: it sees their mean
        centred = uniform_filter(centred, have // size, mode="wrap")
    at = np.fft.fftshift(np.fft.fftfreq(size)) * have + have // 2
    rows, columns = np.meshgrid(at, at, indexing="ij")
    values = np.maximum(np.fft.ifftshift(map_coordinates(centred, [rows, columns], order=1, mode="nearest")), 0)
    mean = values.mean()
    out: NDArray[np.float64] = values / mean if mean > 0 else np.ones_like(values)
    return out


def mixing_matrix(rho: Sequence[float]) -> Voxels:
    """Return the matrix (n, n) that makes independent noise of n slices as correlated as `rho[lag]`, lag 0 first, says.

    The symmetric root of the correlation matrix, rows of length 1; correlations no noise can have are brought to the nearest.
    """
    lags = range(len(rho))
    values, vectors = np.linalg.eigh([[rho[abs(i - j)] for j in lags] for i in lags])
    root = ((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T).astype(np.float32)
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)), np.float32)


class NoiseSource:
    """Draws stationary noise of unit variance and a given spectrum, in square patches.

    Args:
        spectrum: noise power (n, n) in FFT order, any unit: only the shape counts.
        size: side of a patch in pixels.
    """

    def __init__(self, spectrum: NDArray[np.floating], size: int) -> None:
        """Prepare the amplitude of every frequency."""
        power = resample_spectrum(spectrum, size)
        power[0, 0] = 0  # a patch's mean is not noise: it would shift CT numbers
        self._amplitude = np.sqrt(power / power.mean())[:, : size // 2 + 1].astype(np.float32)
        self._size = size

    def draw(self, count: int, random: np.random.Generator) -> Voxels:
        """Draw `count` patches, float32 (count, size, size), mean 0, variance 1; independent of each other."""
        white = random.standard_normal((count, self._size, self._size), dtype=np.float32)
        coloured: Voxels = fft.irfft2(fft.rfft2(white) * self._amplitude, s=(self._size, self._size)).astype(np.float32)
        return coloured
