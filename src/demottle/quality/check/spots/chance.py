"""The largest value that noise leaves anywhere: how far a map of pure noise goes by chance."""

from math import exp, pi, sqrt

import numpy as np
from scipy.optimize import brentq

from demottle.image import Mask, Voxels

ONCE_IN = 0.05
"""Of scans of pure noise, the share that goes beyond `largest_by_chance`."""


def places(field: Voxels, counts: Mask) -> float:
    """Return how many independent places a map (slices, rows, columns) has, in the sense of `largest_by_chance`.

    Of a plane of area A it is `A sqrt(det L)`, L the covariance of the map's gradient over its variance (Adler, The Geometry
    of Random Fields, 1981). Every slice counts by itself.
    """
    variance = float(field[counts].var())
    if variance == 0:
        return 0.0
    down = float(np.diff(field, axis=1)[counts[:, 1:] & counts[:, :-1]].var())
    right = float(np.diff(field, axis=2)[counts[:, :, 1:] & counts[:, :, :-1]].var())
    return int(counts.sum()) * sqrt(down * right) / variance


def largest_by_chance(count: float, once_in: float = ONCE_IN) -> float:
    """Return the size, in standard deviations, that Gaussian noise exceeds anywhere in one of 20 scans.

    Of a plane's highest peak the expected Euler characteristic says `P(max > t) ~ N (2 pi)^(-3/2) t exp(-t^2 / 2)`; both signs.
    """

    def excess(t: float) -> float:
        return 2 * max(count, 1.0) * t * exp(-t * t / 2) / sqrt((2 * pi) ** 3) - once_in

    found: float = brentq(excess, 1.5, 12.0)
    return found
