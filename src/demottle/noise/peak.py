"""The peak of a radial noise spectrum: fitted, with an interval, and none where the spectrum has none.

Model around the top: log S(f) = a + b log f + c f^2, a power of f (1 for the ramp of filtered back-projection) with a Gaussian
roll-off, whose peak lies at sqrt(-b / 2c). Fitted by weighted least squares to the bins around the largest that reach half of
it; the interval comes from spectra drawn around the measured one with the scatter that regions of noise have.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LOWEST_BIN = 3
"""Bins of regions below hold what is left of trend and anatomy; a peak there would not be mottle's."""
_HALF = 0.5  # of the largest density: bins that are fitted
_FEWEST_BINS = 5
_LEAST_RISE = 0.1  # of the density from the lowest bin that is looked at to the peak
_DRAWS = 400
_OVERLAP = 2.5  # regions overlap by half, and differences of slices share a slice: so many count as one
_BLUR = 0.4  # frequency steps of doubt: regions blur the spectrum, and what is put right of it leaves 0.13 of bias
_LEAST_BLUR_PER_MM = 0.001

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Peak:
    """Frequency of the largest density and its 95 % interval in 1/mm; all NaN where there is no peak."""

    frequency: float
    low: float
    high: float


NONE = Peak(float("nan"), float("nan"), float("nan"))


def fitted_peak(frequency: Array, density: Array, counts: Array, regions: int, lowest: int = LOWEST_BIN) -> Peak:
    """Return the peak of a radial spectrum.

    There is none where the density does not rise from the lowest frequency that is looked at, where it falls nowhere, and
    where the interval reaches either end.

    Args:
        frequency: in 1/mm, evenly spaced from 0.
        density: radial NPS, from which the trend's share was put right.
        counts: frequencies of the plane in each bin.
        regions: how many were averaged; 0: the density is known.
        lowest: first bin that is looked at.
    """
    if len(density) - lowest < _FEWEST_BINS:
        return NONE
    bins = _around_top(density, lowest)
    if not (density[bins] > 0).all():
        return NONE
    f, log_density = frequency[bins], np.log(density[bins])
    terms = np.stack([np.ones_like(f), np.log(f), f**2], axis=1)
    weight = np.sqrt(counts[bins])[:, None]
    solve = np.linalg.pinv(terms * weight) * weight.T
    found = _peaks(solve @ log_density[:, None])[0]
    first, last = float(frequency[lowest]), float(frequency[-1])
    if not first < found < last:
        return NONE
    a, b, c = solve @ log_density
    if a + b * np.log(found) + c * found**2 < np.log((1 + _LEAST_RISE) * density[lowest : lowest + 2].mean()):
        return NONE
    blur = max(_BLUR * float(frequency[1]), _LEAST_BLUR_PER_MM) if regions else 0.0
    low = high = found
    if regions:
        scatter = np.sqrt(2 * _OVERLAP / (counts[bins] * regions))[:, None]  # a frequency and its negative are one
        drawn = _peaks(solve @ (log_density[:, None] + scatter * _normal(len(f))))
        if not np.isfinite(drawn).mean() > 0.975:
            return NONE
        below, above = np.nanpercentile(drawn, [2.5, 97.5])
        low, high = found - np.hypot(found - below, blur), found + np.hypot(above - found, blur)
    if low <= first or high >= last:
        return NONE
    return Peak(float(found), float(low), float(high))


def _around_top(density: Array, lowest: int) -> NDArray[np.intp]:
    smooth = np.convolve(np.pad(density, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    top = lowest + int(np.argmax(smooth[lowest:]))
    first = last = top
    while first > lowest and smooth[first - 1] >= _HALF * smooth[top]:
        first -= 1
    while last < len(density) - 1 and smooth[last + 1] >= _HALF * smooth[top]:
        last += 1
    while last - first + 1 < _FEWEST_BINS:
        first, last = max(first - 1, lowest), min(last + 1, len(density) - 1)
    return np.arange(first, last + 1)


def _peaks(solved: Array) -> Array:
    """Peaks of models (3, n); NaN where one has none."""
    _, b, c = solved
    with np.errstate(divide="ignore", invalid="ignore"):
        peaks: Array = np.where((b > 0) & (c < 0), np.sqrt(np.where(c < 0, -b / (2 * c), np.nan).clip(0)), np.nan)
    return peaks


@lru_cache(maxsize=64)
def _normal(count: int) -> Array:
    drawn: Array = np.random.default_rng(0).standard_normal((count, _DRAWS))
    return drawn
