"""How much noise the slices of a result share, told from the anatomy that they share by where it is.

Anatomy is the less the flatter a place is, and strong in a few voxels; the noise of a scan is in all of them. So what slices
truly share of it is found in the flattest places as well, and in most voxels there: it is measured by medians in the flattest 30,
10 and 3 % of the tissue, and the smallest of the three counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise.correlation import RUN, DetailPlane, detail_plane, first_of_runs, same_tissue

_FLATTEST = (0.3, 0.1, 0.03)  # of the tissue that two slices have in common
_LAGS = 3
_GROUPS = 16  # that the error is told from: a few slices, or parts of one
_FEWEST_PIXELS = 200
_MOST_PIXELS = 6000  # of two slices: more say hardly more, and have to be kept
_ONE_SIDED = 1.645  # standard errors that 95 % of chance stays within, on one side

Values = NDArray[np.float32]
"""Shape (4, n): sum and difference of the fine detail of two slices, after and before."""


@dataclass(frozen=True)
class Shared:
    """Noise that slices of a result share, over the noise of the scan: both standard deviations of fine detail.

    Attributes:
        share: at the worst of lags 1 to 3; NaN where there is too little flat tissue.
        sure: what it is at least, with 95 % confidence.
    """

    share: float
    sure: float


def shared_noise(before: Image, after: Image) -> Shared:
    """Measure sqrt(cov(a_z, a_z+lag) / var(b_z)) in the flattest tissue, a and b the fine detail of `after` and `before`.

    With m(x) the square of the median of |x|, 4 cov = m(a_z + a_z+lag) - m(a_z - a_z+lag) and 4 var = m(b_z + b_z+lag) +
    m(b_z - b_z+lag), but for the same factor (Gnanadesikan and Kettenring 1972, with medians in place of deviations). The
    error is that of the mean of groups of neighboring places. Places are chosen on `after`, which shows more of them.

    Args:
        before, after: images of the same shape, in HU.
    """
    kept: list[list[list[Values]]] = [[[] for _ in _FLATTEST] for _ in range(_LAGS)]
    for first in first_of_runs(after.shape[0]):
        indices = range(first, min(first + RUN, after.shape[0]))
        planes = [detail_plane(after, index) for index in indices]
        noisy = [detail_plane(before, index).detail for index in indices]
        for lag in range(1, _LAGS + 1):
            for here, there, *two in zip(planes, planes[lag:], noisy, noisy[lag:], strict=False):
                for part, values in zip(kept[lag - 1], _pair(here, there, (two[0], two[1]), after), strict=False):
                    part.append(values)
    found = [_least([np.concatenate(part, axis=1) for part in of_lag if part]) for of_lag in kept]
    known = [one for one in found if one is not None]
    if not known:
        return Shared(float("nan"), float("nan"))
    share, sure = (max(*values, 0.0) ** 0.5 for values in zip(*known, strict=True))
    return Shared(share, sure)


def _pair(here: DetailPlane, there: DetailPlane, noisy: tuple[Voxels, Voxels], image: Image) -> list[Values]:
    """The values of two slices in their flattest tissue, by flatness; nothing where they have no tissue in common."""
    tissue, steepness = same_tissue(here, there, image)
    if not tissue.any():
        return []
    found = []
    for limit in np.quantile(steepness[tissue], _FLATTEST):
        flat = np.flatnonzero(tissue & (steepness <= limit))
        flat = flat[:: -(-len(flat) // _MOST_PIXELS)]
        a, b, c, d = (plane.ravel()[flat] for plane in (here.detail, there.detail, *noisy))
        found.append(np.stack([a + b, a - b, c + d, c - d]).astype(np.float32))
    return found


def _least(by_flatness: list[Values]) -> tuple[float, float] | None:
    """The smallest covariance over variance of those with pixels enough, and the smallest that one can be sure of."""
    enough = [values for values in by_flatness if values.shape[1] >= _FEWEST_PIXELS and values[2:].any()]
    if not enough:
        return None
    ratios = np.array([_ratio(values) for values in enough])
    groups = (np.array([_ratio(part) for part in np.array_split(values, _GROUPS, axis=1)]) for values in enough)
    errors = np.array([group.std(ddof=1) / _GROUPS**0.5 for group in groups])
    return float(ratios.min()), float((ratios - _ONE_SIDED * errors).min())


def _ratio(values: Values) -> float:
    """Covariance after over variance before; both by medians, so that a minority of places with anatomy hardly counts."""
    together, apart, noisy, noisy_apart = np.median(np.abs(values), axis=1).astype(np.float64) ** 2
    return float((together - apart) / max(noisy + noisy_apart, 1e-12))
