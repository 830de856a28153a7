"""What the eigenvalues of pure noise are, and what that says of a matrix that holds signal and noise.

A matrix of `rows` x `columns` independent values of variance 1 has singular values between |sqrt(rows) - sqrt(columns)| and their
sum (V. Marchenko and L. Pastur 1967). All functions take eigenvalues of A^T A, rising, shape (..., columns), and rows of a shape
that broadcasts to (...).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_TRACY_WIDOM_MEAN = -1.2065335745820


def largest_of_noise(rows: Array, columns: int) -> Array:
    """Return the mean of the largest eigenvalue of noise: where NORDIC puts its threshold.

    NORDIC finds it by drawing noise (S. Moeller et al., NeuroImage 226, 2021). It is known: mu - 1.2065 s, with
    mu = (sqrt(n - 1) + sqrt(p))^2 and s = sqrt(mu) (1 / sqrt(n - 1) + 1 / sqrt(p))^(1/3) (I. Johnstone, Ann Stat 29, 2001).
    """
    n = np.maximum(np.maximum(rows, columns), 2) - 1.0
    p = np.maximum(np.minimum(rows, columns), 1)
    root = np.sqrt(n) + np.sqrt(p)
    return np.asarray(root**2 + _TRACY_WIDOM_MEAN * root * (1 / np.sqrt(n) + 1 / np.sqrt(p)) ** (1 / 3), np.float64)


def hard(values: Array, rows: Array) -> Array:
    """Return 1 for components above what noise has, 0 for the others."""
    return (values > largest_of_noise(rows, values.shape[-1])[..., None]).astype(np.float64)


def optimal(values: Array, rows: Array) -> Array:
    """Return by how much to multiply each component for the least mean squared error, 0 within the noise.

    With a, b the sides of the matrix and y^2 an eigenvalue: sqrt((y^2 - a - b)^2 - 4 a b) / y^2 above (sqrt(a) + sqrt(b))^2
    (M. Gavish and D. Donoho, IEEE Trans Inf Theory 63, 2017). Noise tilts components and makes them longer; this undoes the
    second as far as the first allows.
    """
    a, b = rows[..., None].astype(np.float64), float(values.shape[-1])
    rest = np.maximum((values - a - b) ** 2 - 4 * a * b, 0)
    above = values > (np.sqrt(a) + np.sqrt(b)) ** 2
    return np.asarray(np.where(above, np.sqrt(rest) / np.maximum(values, 1e-30), 0), np.float64)


def noise_variance(values: Array, rows: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return the variance of the noise and how many components stand out of it.

    With l_1 <= l_2 ... the eigenvalues over `rows` the c smallest are noise where l_c - l_1 <= 4 sqrt(c / rows) mean(l_1 ... l_c)
    (J. Veraart et al., NeuroImage 142, 2016). The p others take p rows' worth of noise with them, so the mean of the rest is
    that of (rows - p) / rows of the variance (L. Cordero-Grande et al., NeuroImage 200, 2019). Needs rows >= columns.
    """
    columns = values.shape[-1]
    level = np.maximum(values, 0) / rows[..., None]
    count = np.arange(1, columns + 1)
    mean = np.cumsum(level, axis=-1) / count
    fits = level - level[..., :1] <= 4 * np.sqrt(count / rows[..., None]) * mean
    noise = np.where(fits, count, 1).max(axis=-1)
    kept = columns - noise
    of_noise = np.take_along_axis(mean, noise[..., None] - 1, axis=-1)[..., 0]
    return of_noise * rows / np.maximum(rows - kept, 1), kept
