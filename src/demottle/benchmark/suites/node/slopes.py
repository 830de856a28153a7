"""Does something grow with the series that were done? A line through blocks of them, with its 95 % interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

BLOCKS = 12
FEWEST = 60
WARM_UP = 0.5
"""Share of the series after which what is cached is there, and a table of Python's that doubles once has done so."""


@dataclass(frozen=True)
class Slope:
    """Growth per 100 series: the most likely, and half of its 95 % interval."""

    per_hundred: float
    half: float

    def within(self, most: float) -> bool:
        """True where the interval holds 0, or the growth is less than `most`."""
        return abs(self.per_hundred) <= self.half or self.per_hundred < most


def slope(done: Sequence[float], held: Sequence[float], series: int) -> Slope | None:
    """Growth of what is held with the series that were done.

    Samples are gathered in blocks of series, each with its maximum: neighboring samples are nearly the same, and what is given
    back to the system for a while, between two pieces of work, does not make growth less.

    Args:
        done: series that were done when a sample was taken.
        held: the samples.
        series: in all.

    Returns:
        None for fewer series than a line can be told from, or where fewer than four blocks hold samples.
    """
    if series < FEWEST:
        return None
    edges = np.linspace(WARM_UP * series, series, BLOCKS + 1)
    block = np.digitize(done, edges[:-1]) - 1
    there = [number for number in range(BLOCKS) if np.any(block == number)]
    if len(there) < 4:
        return None
    x = [float(np.mean(np.asarray(done)[block == number])) for number in there]
    y = [float(np.max(np.asarray(held)[block == number])) for number in there]
    if min(y) == max(y):  # of which linregress tells no error
        return Slope(0.0, 0.0)
    found = stats.linregress(x, y)
    half = float(stats.t.ppf(0.975, len(there) - 2) * found.stderr)
    return Slope(100 * float(found.slope), 100 * half) if math.isfinite(half) else None
