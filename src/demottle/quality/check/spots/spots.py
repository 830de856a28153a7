"""Places where something was removed or added that is not noise: where, how large, how many HU."""

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from demottle.image import Image, Voxels
from demottle.quality.check.spots.field import Field, field_of
from demottle.quality.check.spots.residue import Residue, residue_of, residue_planes
from demottle.quality.to_plain import plain

REMOVED, ADDED = "removed", "added"
MOST_LISTED = 20
_OWN = 1.5
"""Diameters around a spot in which what else stands out is its own doing."""
_RIM = 0.4  # of its score: weaker than this is what surrounds it
_RING = 1.6  # diameters: how far the surroundings of a spot reach


@dataclass(frozen=True)
class Spot:
    """One place.

    Attributes:
        slice, row, column: the voxel in the middle, from 0.
        place_mm: the same in mm from the first voxel of the image (slices, rows, columns).
        diameter_mm: of the shape that finds it best, 4 to 35.
        height_mm: its extent along the slices' normal.
        hu: contrast of what was removed or added, against its surroundings: above 0, brighter than they are.
        kind: "removed" or "added".
        score: size over the largest that noise leaves anywhere; above 0, less HU after than before.
        beside_mm: how far away a spot of the other sign lies with which it is scored as one, as of a lesion that was moved; 0:
            none.
    """

    slice: int
    row: int
    column: int
    place_mm: tuple[float, float, float]
    diameter_mm: float
    height_mm: float
    hu: float
    kind: str
    score: float
    beside_mm: float = 0.0

    @property
    def sentence(self) -> str:
        """What happened where, for a reader (numbers of slices count from 1)."""
        beside = f", and the opposite {self.beside_mm:.0f} mm beside it" if self.beside_mm else ""
        return (
            f"{self.hu:+.0f} HU {self.kind}, {self.diameter_mm:.0f} mm across, in slice {self.slice + 1} at row {self.row}, "
            f"column {self.column}{beside}"
        )


@dataclass(frozen=True, eq=False)
class SpotMap:
    """What was removed or added that is not noise.

    Attributes:
        largest: size of the strongest spot over the largest that noise leaves anywhere: above 1 in one of 20 scans by chance.
        spots: those beyond 1, the strongest first, at most 20.
        score: map of a coarser grid, float32 (slices, rows / factor, columns / factor); above 0, less HU after than before.
        factor: pixels of the image along each side of one of these.
    """

    largest: float
    spots: tuple[Spot, ...]
    score: Voxels = field(repr=False)
    factor: int

    def plane(self, index: int, shape: tuple[int, int]) -> Voxels:
        """Return the map of one slice at the image's own rows and columns."""
        rows, columns = (side * self.factor for side in self.score.shape[1:])
        full = np.zeros(shape, np.float32)
        full[:rows, :columns] = cv2.resize(self.score[index], (columns, rows), interpolation=cv2.INTER_LINEAR)
        return full

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the map."""
        told: dict[str, Any] = plain({"largest": self.largest, "spots": self.spots})
        return told


def spot_map(before: Image, after: Image) -> SpotMap | None:
    """Search what a result differs by from its scan (or from a truth) for what noise does not leave.

    Args:
        before, after: CT of one shape in HU. With the truth as `before` its errors are searched.

    Returns:
        None without HU, for frames, and where there is hardly any body.
    """
    if before.unit != "HU" or before.sequence:
        return None
    residue = residue_of(before, after)
    if residue is None:
        return None
    return _map_of(residue, field_of(residue))


def error_map(before: Image, after: Image, truth: Image) -> SpotMap | None:
    """Search the errors of a result for spots that the noise of its scan would not leave anywhere.

    As `spot_map`, of truth less result, held against the noise before (scan less truth), which is known here: 1 is the largest
    that this noise makes of any place of the scan in 19 of 20 scans.

    Args:
        before, after, truth: CT of one shape in HU.

    Returns:
        None as of `spot_map`.
    """
    if truth.unit != "HU" or truth.sequence:
        return None
    noise = residue_of(before, truth)
    if noise is None:
        return None
    errors = replace(noise, before=noise.after, after=residue_planes(after, noise.factor))
    return _map_of(errors, field_of(errors, noise.scaled))


def _map_of(residue: Residue, found: Field) -> SpotMap:
    """The map with its spots; two of opposite sign side by side are scored as one."""
    alone, beside = np.abs(found.score), {}
    strength = alone.copy()
    for pair in sorted(found.pairs, key=lambda pair: pair.size):
        larger = pair.size > max(1.0, *(_near(alone, place) for place in pair.places))
        for place in pair.places if larger else ():
            if pair.size > strength[place]:
                strength[place] = pair.size
                beside[place] = pair.apart_mm
    largest = float(strength.max())
    return SpotMap(largest, tuple(_listed(residue, found, strength, beside)), found.score, residue.factor)


def _near(strength: Voxels, place: tuple[int, int, int]) -> float:
    """The largest at a place and right beside it."""
    return float(strength[tuple(slice(max(0, i - 1), i + 2) for i in place)].max())


def _listed(residue: Residue, found: Field, strength: Voxels, beside: dict[tuple[int, int, int], float]) -> list[Spot]:
    """The strongest places beyond what noise leaves, each with what is its own doing left out afterwards."""
    left = strength.copy()
    listed: list[Spot] = []
    while len(listed) < MOST_LISTED:
        place = np.unravel_index(int(left.argmax()), left.shape)
        z, row, column = (int(index) for index in place)
        if left[place] <= 1:
            break
        diameter, height = found.shapes[int(found.shape[place])]
        score = float(np.copysign(left[place], found.score[place]))
        spot = _spot(residue, (z, row, column), diameter, height, score)
        listed.append(replace(spot, beside_mm=beside.get((z, row, column), 0.0)))
        _leave_out(left, residue, found, (z, row, column))
    return listed


def _leave_out(left: Voxels, residue: Residue, found: Field, place: tuple[int, int, int]) -> None:
    """Set to 0 what stands out because of one spot.

    That is what is near, each shape of its sign that reaches into it, and the weak rim of the other sign that the filter draws
    around it.
    """
    diameters, heights = np.array(found.shapes, np.float32).T
    diameter, height = found.shapes[int(found.shape[place])]
    most = diameter + float(diameters.max()), height + float(heights.max())
    reach = (
        int(most[1] / 2 + _OWN * diameter / residue.spacing[0]) + 1,
        *(int(most[0] / step) + 1 for step in residue.spacing[1:]),
    )
    box = tuple(slice(max(0, i - r), i + r + 1) for i, r in zip(place, reach, strict=True))
    axes = np.ogrid[tuple(slice(part.start, min(part.stop, n)) for part, n in zip(box, left.shape, strict=True))]
    slices, down, across = (np.abs(axis - i) for axis, i in zip(axes, place, strict=True))
    away = np.hypot(down * residue.spacing[1], across * residue.spacing[2])
    up = max(_OWN * diameter / residue.spacing[0], height / 2) + 1
    near = (slices <= up) & (away <= _OWN * diameter)
    score, shapes = found.score[box], found.shape[box]
    tall, wide = up + heights[shapes] / 2, (diameter + diameters[shapes]) / 2
    same, weak = score * found.score[place] > 0, left[box] < _RIM * left[place]
    reaches = (slices < tall) & ((same & (away < wide)) | (weak & (away < 2 * wide)))
    left[box][(near & (same | weak)) | reaches] = 0


def _spot(residue: Residue, place: tuple[int, int, int], diameter: float, height: int, score: float) -> Spot:
    before, after = (_contrast(planes, residue, place, diameter, height) for planes in (residue.before, residue.after))
    removed = abs(before) >= abs(after)
    z, row, column = place
    middle = (residue.factor - 1) / 2
    at = z, round(row * residue.factor + middle), round(column * residue.factor + middle)
    inner = residue.spacing[1] / residue.factor, residue.spacing[2] / residue.factor
    where = (at[0] * residue.spacing[0], at[1] * inner[0], at[2] * inner[1])
    kind = REMOVED if removed else ADDED
    hu = before - after if removed else after - before
    return Spot(*at, where, diameter, height * residue.spacing[0], hu, kind, score)


def _contrast(planes: Voxels, residue: Residue, place: tuple[int, int, int], diameter: float, height: int) -> float:
    """Mean of a disc less that of a ring around it, over the slices of the shape, in HU."""
    z, row, column = place
    first = max(0, z - (height - 1) // 2)
    reach = [int(np.ceil(_RING / 2 * diameter / step)) for step in residue.spacing[1:]]
    rows, columns = (
        np.arange(max(0, i - r), min(n, i + r + 1))
        for i, r, n in zip((row, column), reach, planes.shape[1:], strict=True)
    )
    down, right = (rows - row) * residue.spacing[1], (columns - column) * residue.spacing[2]
    away = np.hypot(down[:, None], right[None])
    part = planes[first : first + height, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean(axis=0)
    disc, ring = away <= diameter / 2, (away > 0.6 * diameter) & (away <= _RING / 2 * diameter)
    disc[row - rows[0], column - columns[0]] = True
    return float(part[disc].mean() - (part[ring].mean() if ring.any() else 0.0))
