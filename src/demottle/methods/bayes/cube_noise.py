"""The covariance of the noise inside a small cube of voxels, from its spectrum within slices and its correlation between them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Cube = tuple[int, int, int]
"""Sides of a cube in voxels: slices, rows, columns."""
_LEAST = 0.01
"""Share of the mean: the least variance that a pattern in a cube is believed to have. A measured spectrum can be 0 where noise is
only rare, and what has no noise would be taken for tissue whatever it is."""


def fitting(cube: Cube, shape: tuple[int, ...]) -> Cube:
    """Return a cube that is nowhere larger than the image."""
    z, y, x = (min(side, whole) for side, whole in zip(cube, shape, strict=True))
    return z, y, x


def cube_covariance(spectrum: NDArray[np.floating], rho: Sequence[float], cube: Cube) -> NDArray[np.float32]:
    """Return the covariance (n, n) of noise of variance 1 in a cube of n voxels, slices first, columns last.

    `C = R(slice difference) r(row difference, column difference)`, r the inverse Fourier transform of the spectrum (Wiener and
    Khinchin), R the correlation of noise between slices.

    Args:
        spectrum: noise power spectrum within slices (m, m), FFT order, any unit; (1, 1): white.
        rho: correlation of the noise of slices 1, 2, ... apart; 0 beyond.
        cube: its sides.
    """
    within = np.fft.ifft2(np.asarray(spectrum, np.float64)).real
    if within.size == 1:
        within = np.zeros((2 * max(cube), 2 * max(cube)))
        within[0, 0] = 1.0
    within /= within[0, 0]
    across = np.zeros(cube[0])
    known = np.clip(np.nan_to_num(np.asarray(rho, np.float64)), 0, 1)[: cube[0] - 1]
    across[0], across[1 : 1 + len(known)] = 1.0, known
    z, y, x = (axis.ravel() for axis in np.meshgrid(*(np.arange(side) for side in cube), indexing="ij"))
    rows, columns = within.shape
    covariance = across[np.abs(z[:, None] - z)] * within[(y[:, None] - y) % rows, (x[:, None] - x) % columns]
    variances, patterns = np.linalg.eigh(covariance)
    variances = np.maximum(variances, _LEAST * variances.mean())
    return np.asarray((patterns * variances) @ patterns.T, np.float32)
