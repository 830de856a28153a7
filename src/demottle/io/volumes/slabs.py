"""Slices that lie unevenly because they are two or more slabs, each even in itself: another pitch, or far apart."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_FEWEST = 3
"""Slices of a slab: two gaps, or nothing tells an even slab from two slices that happen to be near."""
_FAR = 4.5
"""Gaps between slabs of one pitch, in slices: nearer, slices are missing."""
_MOST = 6


def slabs(positions: NDArray[np.float64]) -> list[list[int]]:
    """Return the indices of the slices of each slab, in order of position; all in one where there are no even slabs.

    Args:
        positions: positions of the slices along their normal, mm, in any order.
    """
    order = np.argsort(positions, kind="stable")
    gaps = np.diff(positions[order])
    found = _runs(gaps)
    whole = [list(range(len(positions)))]
    if not 1 < len(found) <= _MOST or any(last - first + 1 < _FEWEST for first, last in found):
        return whole
    for (first, last), (start, end) in pairwise(found):
        one, other = float(np.median(gaps[first:last])), float(np.median(gaps[start:end]))
        between = float(gaps[last])
        if abs(one - other) <= _tolerance(max(one, other)) and between < _FAR * max(one, other):
            return whole  # one pitch, and some slices are missing
    return [order[first : last + 1].tolist() for first, last in found]


def _runs(gaps: NDArray[np.float64]) -> list[tuple[int, int]]:
    """First and last slice of each stretch of equal gaps; a slice between two stretches goes to the one before."""
    found: list[tuple[int, int]] = []
    first = 0
    while first <= len(gaps):
        last = first
        while last < len(gaps) and abs(gaps[last] - gaps[first]) <= _tolerance(float(gaps[first])):
            last += 1
        if last == first + 1 and last < len(gaps) and _begins_even(gaps, last):
            last = first  # a single gap that leads to the next stretch belongs to neither
        found.append((first, last))
        first = last + 1
    return found


def _begins_even(gaps: Sequence[float] | NDArray[np.float64], at: int) -> bool:
    return at + 1 < len(gaps) and abs(gaps[at + 1] - gaps[at]) <= _tolerance(float(gaps[at]))


def _tolerance(gap: float) -> float:
    """Headers often give positions to 0.1 mm only."""
    return min(0.2 * gap, max(0.05 * gap, 0.101))
