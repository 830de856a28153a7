"""The map: for every place the shape that deviates most from what noise leaves there, in standard deviations."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.image import Mask, Voxels
from demottle.noise import guide
from demottle.noise.slices import spread
from demottle.quality.check.spots import pairs
from demottle.quality.check.spots.chance import largest_by_chance, places
from demottle.quality.check.spots.pairs import Pair, pairs_of, shifts
from demottle.quality.check.spots.residue import Residue, spectrum_of
from demottle.quality.check.spots.templates import (
    SIZES_MM,
    answer,
    averaged,
    filtered,
    heights,
    of_sphere,
    summed,
    transfer,
)

SOFTENED = 0.5
"""Root mean square error of honest methods at fine structure that they keep, over its size, where it is alike over a pixel."""
OF_NO_MATTER_HU = 0.5
"""What any method may move: a spot has to stand out from this as it does from noise."""
_FINE, _COARSE = 0.7, 2.5  # pixels: the Gaussians between which structure is fine
_MARGIN = 16  # pixels around the body
_FEW_SLICES = 16  # for figures of the whole map
_CLIP = 2.0  # standard deviations
_MEAN_CLIPPED = 0.781  # mean of min(|t|, 2) of the normal law
_MEAN_WITHIN = 0.7228  # mean of |t| below 2
_LOCAL_MM = 25.0
_LEAST_LOCAL = 0.7
_STRUCTURE_HU = (-1000.0, 1500.0)

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Field:
    """Signed deviations.

    Attributes:
        score: float32 (slices, rows, columns) of the residue's grid: above 0, less HU after than before. 1: the largest value
            that noise leaves anywhere in 19 of 20 scans.
        shape: uint8, the number of the shape that deviates most, in `shapes`.
        shapes: diameter in mm and height in slices of each.
        chance: standard deviations that a score of 1 stands for.
        pairs: places of opposite sign side by side; a size of 1 is the largest that noise leaves anywhere in 19 of 20 scans.
    """

    score: Voxels
    shape: NDArray[np.uint8]
    shapes: tuple[tuple[float, int], ...]
    chance: float
    pairs: tuple[Pair, ...]


def field_of(residue: Residue, noise: Voxels | None = None) -> Field:
    """Search a residue for blobs of all sizes and heights.

    The residual over its local level is filtered by what finds a blob best in noise of its spectrum, `L / S` (L: `transfer`, S:
    the spectrum of the residual itself, without outliers). Each result is divided by its own local deviation, measured on what
    is within two of them. Added in squares are what errors of `SOFTENED` of the fine structure that is there before and after
    leave, and what a blob of `OF_NO_MATTER_HU` leaves.

    Args:
        residue: what is searched.
        noise: what it is held against, over the same local level (slices, rows, columns); None: the residual itself.
    """
    box = _box(residue.counts)
    inner = replace(
        residue,
        before=residue.before[box],
        after=residue.after[box],
        counts=residue.counts[box],
        level=residue.level[box],
    )
    found = _searched(inner, None if noise is None else noise[box])
    score, shape = np.zeros(residue.counts.shape, np.float32), np.zeros(residue.counts.shape, np.uint8)
    score[box], shape[box] = found.score, found.shape
    corner = 0, box[1].start, box[2].start
    return replace(found, score=score, shape=shape, pairs=tuple(pair.seen_from(corner, 1.0) for pair in found.pairs))


def _box(counts: Mask) -> tuple[slice, slice, slice]:
    """The part of all slices that holds the body, with a margin: air costs time and finds nothing."""
    ends = []
    for axis, size in ((1, counts.shape[1]), (2, counts.shape[2])):
        where = np.flatnonzero(counts.any(axis=(0, 3 - axis)))
        first, last = max(0, int(where[0]) - _MARGIN), min(size, int(where[-1]) + _MARGIN + 1)
        ends.append(slice(first, min(size, first + fft.next_fast_len(last - first, real=True))))
    return slice(None), ends[0], ends[1]


def _searched(residue: Residue, noise: Voxels | None) -> Field:
    scaled, counts = residue.scaled, residue.counts
    size = scaled.shape[1], scaled.shape[2]
    power = spectrum_of(scaled if noise is None else noise, counts)
    against = None if noise is None else [fft.rfft2(plane) for plane in noise]
    errors = [fft.rfft2(plane) for plane in (np.float32(SOFTENED) * _structure(residue)) ** 2]
    removed = [fft.rfft2(plane) for plane in scaled]
    few = spread(len(scaled), _FEW_SLICES)
    best = np.zeros_like(scaled)
    which = np.zeros(scaled.shape, np.uint8)
    shapes: list[tuple[float, int]] = []
    found = beside = 0.0
    moved: list[Pair] = []
    for diameter in SIZES_MM:
        response = transfer(diameter, size, residue.spacing[1:]) / power
        planes = filtered(removed, response, size)
        one = (np.float32(OF_NO_MATTER_HU * answer(response, diameter, size, residue.spacing[1:])) / residue.level) ** 2
        grain = planes if against is None else filtered(against, response, size)
        allowed = filtered(errors, _spread_of(response, size), size)
        np.maximum(allowed, 0, out=allowed)
        for height in heights(diameter, residue.spacing[0], len(scaled)):
            here = summed(planes, height)
            random = here if against is None else summed(grain, height)
            searched = places(random[few], counts[few]) * len(random) / len(few) / height
            found += searched
            usual = _local(random, counts, residue.spacing[1])
            np.square(usual, out=usual)
            variance = usual + averaged(allowed, height)
            variance += np.float32(height) * one
            _keep(best, which, here, variance, len(shapes))
            if diameter in pairs.SIZES_MM and height == of_sphere(diameter, residue.spacing[0], len(scaled)):
                beside += searched * len(shifts(diameter, residue.spacing[1:]))
                moved += pairs_of(here, usual, variance, counts, diameter, residue.spacing[1:])
            shapes.append((diameter, height))
    best[~counts] = 0
    which[~counts] = 0
    chance = largest_by_chance(found)
    unit = largest_by_chance(beside)
    told = tuple(pair.seen_from((0, 0, 0), unit) for pair in moved)
    return Field(best / np.float32(chance), which, tuple(shapes), chance, told)


def _structure(residue: Residue) -> Voxels:
    """Fine structure that is there before and after, in local levels: the smaller of both."""
    sizes = []
    for planes in (residue.before, residue.after):
        clipped = np.clip(planes, *_STRUCTURE_HU)
        fine = np.stack([guide.smooth(plane, _FINE) - guide.smooth(plane, _COARSE) for plane in clipped])
        sizes.append(np.abs(fine) / residue.level)
    return np.minimum(*sizes)


def _spread_of(response: Array, size: tuple[int, int]) -> Array:
    """The transform of a filter's kernel squared: how errors that are independent from place to place add up in it."""
    return np.asarray(fft.rfft2(fft.irfft2(response, s=size) ** 2), np.complex64)


def _keep(best: Voxels, which: NDArray[np.uint8], here: Voxels, variance: Voxels, number: int) -> None:
    """Keep what deviates more than what was kept so far, in place; slice by slice, which stays in the processor's cache."""
    for kept, shape, plane, spread_of in zip(best, which, here, variance, strict=True):
        score = plane / np.sqrt(np.maximum(spread_of, np.float32(1e-12)))
        larger = np.abs(score) > np.abs(kept)
        np.copyto(kept, score, where=larger)
        shape[larger] = number


def _local(field: Voxels, counts: Mask, pixel: float) -> Voxels:
    """Local deviation of a map of noise; what exceeds two of the usual ones counts as two, two of the local ones not at all."""
    few = spread(len(field), _FEW_SLICES)
    usual = np.float32(max(1.4826 * float(np.median(np.abs(field[few][counts[few]]))), 1e-12))
    out = np.empty_like(field)
    for plane, inside, made in zip(field, counts, out, strict=True):
        size, weight = np.abs(plane), inside.astype(np.float32)
        clipped = _mean(np.minimum(size, np.float32(_CLIP) * usual), weight, usual, pixel) / _MEAN_CLIPPED
        weight *= size < np.float32(_CLIP) * clipped
        made[:] = _mean(size, weight, usual, pixel) / _MEAN_WITHIN
    return np.maximum(out, np.float32(_LEAST_LOCAL) * usual, out=out)


def _mean(size: Voxels, weight: Voxels, usual: np.float32, pixel: float) -> Voxels:
    total, known = (_wide(part, _LOCAL_MM / pixel) for part in (size * weight, weight))
    return np.asarray((total + np.float32(0.05) * usual) / (known + np.float32(0.05)), np.float32)


def _wide(plane: Voxels, sigma: float) -> Voxels:
    """A wide Gaussian, on every fourth pixel."""
    rows, columns = plane.shape
    small = cv2.resize(plane, (-(-columns // 4), -(-rows // 4)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 4)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
