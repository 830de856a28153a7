"""The Rice distribution of MR magnitudes: its moments, their inverses, and a transform that makes its noise alike everywhere.

All functions take and give values in units of the noise's standard deviation sigma in each part of the complex signal; `A` is
the true signal, `M = |A + n_1 + i n_2|` its magnitude (S. O. Rice 1944; H. Gudbjartsson and S. Patz, Magn Reson Med 34, 1995).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

Array = NDArray[np.float64]

FLOOR = float(np.sqrt(np.pi / 2))
"""Mean magnitude where there is no signal, 1.2533."""
FLOOR_DEVIATION = float(np.sqrt(2 - np.pi / 2))
"""Standard deviation of the magnitude where there is no signal, 0.6551."""
_TOP = 40.0  # beyond, the distribution is normal to four digits, and tables go on as straight lines
_STRONG = 500.0  # beyond, A + 1 / (2 A) is exact to nine digits
_STEP = 0.01
_ROUNDS, _RELAXED = 12, 0.7


def mean_of(signal: NDArray[np.floating]) -> Array:
    """E[M] = sqrt(pi / 2) L_1/2(-A^2 / 2) = sqrt(pi / 2) exp(-t) ((1 + 2 t) I_0(t) + 2 t I_1(t)), t = A^2 / 4."""
    signal = np.asarray(signal, np.float64)
    t = np.minimum(signal, _STRONG) ** 2 / 4
    exact = FLOOR * ((1 + 2 * t) * ive(0, t) + 2 * t * ive(1, t))
    return np.asarray(np.where(signal > _STRONG, signal + 0.5 / np.maximum(signal, _STRONG), exact), np.float64)


def deviation_of(signal: NDArray[np.floating]) -> Array:
    """Standard deviation of M: sqrt(2 + A^2 - E[M]^2)."""
    signal = np.minimum(np.asarray(signal, np.float64), _STRONG)  # beyond it is 1, and squares of large numbers cancel
    return np.asarray(np.sqrt(np.maximum(2 + signal**2 - mean_of(signal) ** 2, 0)), np.float64)


def signal_of_mean(mean: NDArray[np.floating]) -> Array:
    """Return the signal whose mean magnitude is given; 0 where it is below the floor of the noise."""
    known = _moments()
    return _straight(mean, known.mean, known.signal)


def deviation_at_mean(mean: NDArray[np.floating], deviation: NDArray[np.floating]) -> Array:
    """Return the sigma of a place from mean and standard deviation of its magnitudes (in any unit).

    Of their ratio r = mean / deviation the signal in units of sigma follows, and of that the share of sigma that the
    magnitude's deviation is (C. G. Koay and P. J. Basser, J Magn Reson 179, 2006; here by table). Never below the
    deviation itself, and at most 1 / 0.655 of it.
    """
    known = _moments()
    ratio = np.asarray(mean, np.float64) / np.maximum(np.asarray(deviation, np.float64), 1e-12)
    share = np.interp(ratio, known.mean / known.deviation, known.deviation)
    return np.asarray(np.asarray(deviation, np.float64) / share, np.float64)


@dataclass(frozen=True, eq=False)
class Stabilizer:
    """A rising function of the magnitude whose noise has unit variance at any signal, and its exact unbiased inverse.

    A magnitude's noise is weaker where there is little signal, and its mean too high. f makes the first right: within 5 % for
    every signal, by f' proportional to one over the deviation at each mean, corrected a few times by the deviation that f
    itself has (the idea of A. Foi, IEEE ISBI 2011; here all by tables). `inverse` takes E[f(M) | A], which is what a denoiser
    gives back, to A, so that no bias is left; below what no signal gives it is 0. f is 0 on average where there is no signal.
    """

    magnitude: Array
    value: Array
    signal: Array
    expected: Array

    def forward(self, magnitude: NDArray[np.floating]) -> Array:
        """Return f of magnitudes in units of sigma."""
        return _straight(magnitude, self.magnitude, self.value)

    def inverse(self, value: NDArray[np.floating]) -> Array:
        """Return the signal for which `value` is the expected f."""
        return _straight(value, self.expected, self.signal)


@lru_cache(maxsize=1)
def stabilizer() -> Stabilizer:
    """Make the tables."""
    signal = np.concatenate([np.arange(0, 6, 0.05), np.arange(6, _TOP - 8, 0.5)])
    magnitude = np.arange(0, _TOP, _STEP)
    at = mean_of(signal)
    places = np.maximum(signal[:, None] + np.linspace(-8, 8, 401), 0)
    weight = places * np.exp(-((places - signal[:, None]) ** 2) / 2) * ive(0, places * signal[:, None])
    weight /= weight.sum(axis=1, keepdims=True)

    def moments(value: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of a tabled function of M at each signal, by sums over 8 sigma to both sides."""
        found = np.interp(places, magnitude, value)
        mean = (weight * found).sum(axis=1)
        return mean, np.sqrt((weight * (found - mean[:, None]) ** 2).sum(axis=1))

    slope = np.interp(magnitude, at, 1 / deviation_of(signal))
    for _ in range(_ROUNDS):
        slope = slope / np.interp(magnitude, at, moments(_integral(slope))[1]) ** _RELAXED
    value = _integral(slope)
    expected = moments(value)[0]
    return Stabilizer(magnitude, value - expected[0], signal, expected - expected[0])


def _integral(slope: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) / 2 * _STEP)])


@dataclass(frozen=True, eq=False)
class _Moments:
    signal: Array
    mean: Array
    deviation: Array


@lru_cache(maxsize=1)
def _moments() -> _Moments:
    signal = np.arange(0, _TOP, _STEP)
    return _Moments(signal, mean_of(signal), deviation_of(signal))


def _straight(at: NDArray[np.floating], known: Array, value: Array) -> Array:
    """Interpolate; beyond the end go on with slope 1, below the beginning stay."""
    at = np.asarray(at, np.float64)
    return np.asarray(np.interp(at, known, value) + np.maximum(at - known[-1], 0), np.float64)
