"""A lesion that was moved is gone at one place and new at another: a blob less the same blob beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Mask, Voxels
from demottle.noise.slices import spread

SIZES_MM = (4.0, 6.0, 9.0)
"""Diameters of lesions whose move is looked for."""
_APART = (0.8, 1.3)  # diameters
_DIRECTIONS = 8  # of half a turn: the sign tells which of both is gone
_LEAST = 3.0  # standard deviations of either: what is weaker is no part of a pair that could be told
_FEW_SLICES = 8  # for the map's correlation with itself
_MOST = 40  # pairs of each size

Place = tuple[int, int, int]


@dataclass(frozen=True)
class Pair:
    """Two places (slice, row, column), first what is less after than before.

    Attributes:
        places: where.
        size: of both together, in standard deviations, or in any multiple of them.
        apart_mm: how far from each other.
    """

    places: tuple[Place, Place]
    size: float
    apart_mm: float

    def seen_from(self, corner: Place, unit: float) -> "Pair":
        """The same in a volume of which this one is a part that begins at a corner, and in another unit of size."""
        first, second = (tuple(a + b for a, b in zip(place, corner, strict=True)) for place in self.places)
        return Pair((first, second), self.size / unit, self.apart_mm)  # type: ignore[arg-type]


def shifts(diameter: float, spacing: tuple[float, float]) -> list[tuple[int, int]]:
    """Return by how many rows and columns a lesion of this diameter may have moved, without those the other way round."""
    angles = np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
    wanted = {
        (round(share * diameter * np.sin(angle) / spacing[0]), round(share * diameter * np.cos(angle) / spacing[1]))
        for share in _APART
        for angle in angles
    }
    return sorted(wanted - {(0, 0)})


def pairs_of(
    field: Voxels, usual: Voxels, variance: Voxels, counts: Mask, diameter: float, spacing: tuple[float, float]
) -> list[Pair]:
    """Return the strongest pairs of a map that was filtered for one diameter, none of them in the place of another.

    With F the map, U its variance by noise and V by all that is allowed, at places 1 and 2 that are v apart:

        t = (F1 - F2) / sqrt(V1 + V2 - 2 r(v) sqrt(U1 U2)),  r(v) the correlation of the map's noise over v

    Args:
        field, usual, variance: F, U, V (slices, rows, columns).
        counts: where the body is.
        diameter: in mm.
        spacing: of rows and columns in mm.
    """
    few = spread(len(field), _FEW_SLICES)
    sized = np.where(counts[few], field[few] / np.sqrt(usual[few]), 0)
    places = np.argwhere(counts & (field * field > np.float32(_LEAST**2) * variance))
    if not len(places):
        return []
    found: list[Pair] = []
    for down, right in shifts(diameter, spacing):
        shared = _correlation(sized, counts[few], down, right)
        move = np.array((0, down, right))
        for first, second in ((places, places + move), (places - move, places)):
            inside = _within(first, counts) & _within(second, counts)
            one, other = (tuple(part[inside].T) for part in (first, second))
            noise = 2 * shared * np.sqrt(usual[one] * usual[other])
            size = (field[one] - field[other]) / np.sqrt(np.maximum(variance[one] + variance[other] - noise, 1e-12))
            apart = float(np.hypot(down * spacing[0], right * spacing[1]))
            for k in np.argsort(-np.abs(size))[:_MOST]:
                ends = tuple(int(axis[k]) for axis in one), tuple(int(axis[k]) for axis in other)
                found.append(Pair(ends if size[k] > 0 else ends[::-1], abs(float(size[k])), apart))  # type: ignore[arg-type]
    return _apart(found, diameter / min(spacing))


def _apart(found: list[Pair], reach: float) -> list[Pair]:
    """The strongest of those that share a place."""
    strongest = sorted(found, key=lambda pair: -pair.size)
    middles = np.array([pair.places for pair in strongest]).reshape(-1, 2, 3).mean(axis=1)
    free = np.ones(len(strongest), np.bool_)
    kept: list[Pair] = []
    while free.any() and len(kept) < _MOST:
        first = int(free.argmax())
        kept.append(strongest[first])
        free &= np.abs(middles - middles[first]).max(axis=1) > reach
    return kept


def _within(places: NDArray[np.int64], counts: Mask) -> NDArray[np.bool_]:
    inside = ((places >= 0) & (places < counts.shape)).all(axis=1)
    ends = np.clip(places, 0, np.array(counts.shape) - 1)
    return np.asarray(inside & counts[tuple(ends.T)], np.bool_)


def _correlation(sized: Voxels, counts: Mask, down: int, right: int) -> float:
    """Correlation of a map with itself over a shift, of what is within two deviations."""
    rows, columns = sized.shape[1:]
    here = (slice(None), slice(max(0, -down), rows - max(0, down)), slice(max(0, -right), columns - max(0, right)))
    there = (slice(None), slice(max(0, down), rows + min(0, down)), slice(max(0, right), columns + min(0, right)))
    both = counts[here] & counts[there]
    one, other = (np.clip(part, -2, 2) for part in (sized[here][both], sized[there][both]))
    return float(np.clip((one * other).mean() / max(float((one**2).mean()), 1e-12), -0.9, 0.9))
