"""How much of a slice's noise its neighbours share.

Real CT slices are not independent: helical interpolation and overlapping reconstruction correlate their noise. A network
that learns to predict a neighbour from a slice hands the correlated share of the noise straight back, so this number
decides how it may learn.
"""

from dataclasses import dataclass

import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.level import flat_plane, valid_plane
from demottle.noise.matching import matched, tolerance_of
from demottle.noise.slices import spread

LAGS = 8
_FIRST_PLATEAU_LAG = 5
_MOST_PAIRS = 20
_FEWEST_PIXELS = 2000


@dataclass(frozen=True)
class Correlation:
    """Noise correlation between slices.

    Attributes:
        rho: correlation at lags 1, 2, ..., the plateau removed; empty for a single slice.
        plateau: correlation that is left at long lags, where only anatomy is shared.
        pixels: pixels that the correlation at lag 1 rests on.
    """

    rho: tuple[float, ...]
    plateau: float
    pixels: int

    def at(self, lag: int) -> float:
        """Return the correlation at a lag of 1 or more; 0 beyond those measured."""
        return self.rho[lag - 1] if 1 <= lag <= len(self.rho) else 0.0

    def first_free_lag(self, negligible: float = 0.05) -> int:
        """Return the smallest lag from which on no measured correlation exceeds `negligible`."""
        over = [lag for lag, rho in enumerate(self.rho, start=1) if rho > negligible]
        return over[-1] + 1 if over else 1


def slice_correlation(image: Image, lags: int = LAGS) -> Correlation:
    """Measure the noise correlation of slices `lag` apart, for lags 1 to `lags`.

    Each slice loses a Gaussian-smoothed copy of itself (2 pixels), which leaves noise and fine anatomy; only pixels that are
    flat soft tissue in both slices, and matched, are correlated. What anatomy still shares does not fall with distance, so
    the mean over lags 5 to 8, the plateau, is taken out: rho' = (rho - plateau) / (1 - plateau). With too few slices for a
    plateau it counts as zero.
    """
    slices = image.shape[0]
    raw, pixels = [], []
    for lag in range(1, min(lags, slices - 1) + 1):
        value, count = _at_lag(image, lag)
        raw.append(value)
        pixels.append(count)
    tail = [v for v in raw[_FIRST_PLATEAU_LAG - 1 :] if np.isfinite(v)]
    plateau = max(float(np.mean(tail)), 0.0) if tail else 0.0
    rho = tuple(float((v - plateau) / (1 - plateau)) for v in raw)
    return Correlation(rho, plateau, pixels[0] if pixels else 0)


def detail(plane: Voxels) -> Voxels:
    """What a slice holds beside its guide: noise and fine anatomy."""
    out: Voxels = plane - guide.smooth(plane)
    return out


def _at_lag(image: Image, lag: int) -> tuple[float, int]:
    products = first = second = 0.0
    pixels = 0
    for index in spread(image.shape[0] - lag, _MOST_PAIRS):
        here, there, mask = _comparable(image, index, lag)
        a, b = detail(here)[mask], detail(there)[mask]
        products += float(np.dot(a, b))
        first += float(np.dot(a, a))
        second += float(np.dot(b, b))
        pixels += int(mask.sum())
    if pixels < _FEWEST_PIXELS or first == 0 or second == 0:
        return float("nan"), pixels
    return products / float(np.sqrt(first * second)), pixels


def _comparable(image: Image, index: int, lag: int) -> tuple[Voxels, Voxels, Mask]:
    """Two slices and the pixels that are flat in both and matched."""
    here, there = image.voxels[index], image.voxels[index + lag]
    flat = flat_plane(here, image.unit, valid_plane(image, index))
    flat &= flat_plane(there, image.unit, valid_plane(image, index + lag))
    if not flat.any():
        return here, there, flat
    level = float(np.std((here - there)[flat]))
    wide = 2 * guide.GUIDE_SIGMA
    flat &= matched(guide.smooth(here, wide), guide.smooth(there, wide), tolerance_of(image, level))
    return here, there, flat
