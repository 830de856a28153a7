"""From errors that are known, of repeats whose truth is the result itself, to the standard error of every voxel.

The errors of one repeat are a single draw at each voxel. What they tell is gathered over voxels that are alike: with u the error
over the local noise level, B its mean square over all voxels of one kind of tissue and one steepness, and L the local mean of u^2
over the local mean of B,

    SE^2 = s^2 B L f^2 + lost^2,

f a factor for each kind, so that SE holds 90 % of the repeats' errors within 1.645 SE (errors are not normal), and `lost` what
`unseen` assumes. So 1.645 SE is half the width of a 90 % interval; where errors are normal, SE is their standard deviation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from demottle.image import Voxels
from demottle.noise import guide
from demottle.noise.local import COARSE
from demottle.quality.uncertainty.unseen import NAMES, Kinds, kind_plane, lost

Z90 = 1.645
"""Standard errors of half a 90 % interval."""
_STEPS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.1, 2.0, 4.0)
"""Gradient per pixel in noise levels: where one stratum ends and the next begins."""
_STEEP, _FLAT = 0.7, 0.2
_ON_EDGES = 0.92
"""Of the repeats' errors on edges: the result, which stands for the truth in them, has edges that are a little harder to keep."""
_MOST = 25.0  # of u^2: one voxel of a spot must not decide for those around it
_BELIEF = 200.0  # voxels of a stratum that weigh as much as all of its steepness
_AROUND = 8.0  # pixels
_BINS, _REACH = 1000, 10.0


@dataclass(frozen=True, eq=False)
class Plane:
    """One slice of what is told apart: the result (rows, columns), its kinds of tissue, noise level and where it may change."""

    kinds: Kinds
    steepness: Voxels
    level: Voxels
    lost: Voxels
    allowed: NDArray[np.bool_]

    @property
    def strata(self) -> NDArray[np.intp]:
        """Number of each pixel's stratum."""
        return np.asarray(self.kinds * (len(_STEPS) + 1) + np.searchsorted(_STEPS, self.steepness), np.intp)


def plane_of(
    clean: Voxels, level: Voxels, allowed: NDArray[np.bool_], spacing: tuple[float, float], share: float
) -> Plane:
    """Look at one slice.

    Args:
        clean: the result in HU (rows, columns).
        level: noise level of the scan, above 0.
        allowed: where a method may change anything.
        spacing: mm between rows and columns.
        share: 0 to 1, of the noise that was taken out for good.
    """
    smooth = guide.smooth(clean, 1.0)
    steepness = np.asarray(guide.gradient(smooth) / level, np.float32)
    kinds, assumed = kind_plane(clean, smooth, spacing)
    return Plane(kinds, steepness, level, np.float32(share) * lost(assumed, level, steepness, _STEEP), allowed)


def standard_error(planes: Callable[[], Iterator[Plane]], errors: Sequence[Voxels], share: float) -> Voxels:
    """Return the standard error of every voxel in HU, float32 (slices, rows, columns); 0 where nothing may be changed.

    Args:
        planes: gives the slices, from the first to the last, as often as it is called.
        errors: of each repeat, HU (slices, rows, columns).
        share: 0 to 1, of the noise that was taken out for good.
    """
    means = _means(planes, errors)
    local = _local(planes, errors, means)
    factors = _factors(planes, errors, means, local)
    out = np.zeros(errors[0].shape, np.float32)
    for index, plane in enumerate(planes()):
        rise = np.clip((plane.steepness - _FLAT) / (_STEEP - _FLAT), 0, 1)
        spread = _spread(plane, means, local[index]) * factors[plane.kinds]
        spread *= 1 + share * (_ON_EDGES - 1) * rise
        out[index] = np.where(plane.allowed, np.sqrt(spread**2 + plane.lost**2), 0)
    return out


def _squares(errors: Sequence[Voxels], index: int, plane: Plane) -> Voxels:
    return np.asarray(
        np.mean([np.minimum((one[index] / plane.level) ** 2, _MOST) for one in errors], axis=0), np.float32
    )


def _means(planes: Callable[[], Iterator[Plane]], errors: Sequence[Voxels]) -> NDArray[np.float64]:
    """B of each stratum; of one with few voxels nearly that of all with its steepness."""
    steps = len(_STEPS) + 1
    counts, sums = np.zeros(len(NAMES) * steps), np.zeros(len(NAMES) * steps)
    for index, plane in enumerate(planes()):
        here = plane.strata[plane.allowed]
        counts += np.bincount(here, minlength=len(counts))
        sums += np.bincount(here, _squares(errors, index, plane)[plane.allowed], len(counts))
    number, total = counts.reshape(-1, steps), sums.reshape(-1, steps)
    overall = total.sum() / max(number.sum(), 1)
    alike = (total.sum(0) + _BELIEF * overall) / (number.sum(0) + _BELIEF)
    return np.asarray(np.maximum((total + _BELIEF * alike) / (number + _BELIEF), 1e-8).ravel(), np.float64)


def _local(planes: Callable[[], Iterator[Plane]], errors: Sequence[Voxels], means: NDArray[np.float64]) -> list[Voxels]:
    """L of each slice, on every fourth row and column."""
    found: list[list[Voxels]] = [[], []]
    for index, plane in enumerate(planes()):
        expected = np.asarray(means[plane.strata], np.float32)
        for into, values in zip(found, (_squares(errors, index, plane), expected), strict=True):
            into.append(_around(values * plane.allowed))
    seen, expected_there = (gaussian_filter1d(np.stack(part), 1.0, axis=0, mode="nearest") for part in found)
    least = 1e-3 * max(float(expected_there.max()), 1e-12)
    return list(np.asarray((seen + least) / (expected_there + least), np.float32))


def _around(plane: Voxels) -> Voxels:
    rows, columns = plane.shape
    small = cv2.resize(plane, (-(-columns // COARSE), -(-rows // COARSE)), interpolation=cv2.INTER_AREA)
    return guide.smooth(np.asarray(small, np.float32), _AROUND / COARSE)


def _spread(plane: Plane, means: NDArray[np.float64], local: Voxels) -> Voxels:
    """s sqrt(B L)."""
    rows, columns = plane.level.shape
    here = cv2.resize(local, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(plane.level * np.sqrt(means[plane.strata] * np.maximum(here, 1e-6)), np.float32)


def _factors(
    planes: Callable[[], Iterator[Plane]], errors: Sequence[Voxels], means: NDArray[np.float64], local: list[Voxels]
) -> Voxels:
    """f of each kind: the 90th percentile of errors over their spread, by 1.645; of kinds that are rare nearly that of all."""
    counts = np.zeros((len(NAMES), _BINS))
    for index, plane in enumerate(planes()):
        spread = np.maximum(_spread(plane, means, local[index]), 1e-6)
        for one in errors:
            ratio = np.minimum(np.abs(one[index]) / spread * (_BINS / _REACH), _BINS - 1).astype(np.intp)
            for kind in range(len(NAMES)):
                counts[kind] += np.bincount(ratio[plane.allowed & (plane.kinds == kind)], minlength=_BINS)
    total = counts.sum(0)
    if not total.any():
        return np.ones(len(NAMES), np.float32)
    believed = counts + _BELIEF * total / total.sum()
    shares = believed.cumsum(1) / believed.sum(1, keepdims=True)
    at = (shares < 0.9).sum(1) + 0.5
    return np.asarray(at * (_REACH / _BINS) / Z90, np.float32)
