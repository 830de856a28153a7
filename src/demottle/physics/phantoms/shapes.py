"""Analytic solids, told by their distance to the surface, from which phantoms are painted without jagged edges.

Coordinates are (z, y, x) in mm: z to the head, y to the back, x to the patient's left. A distance is negative inside. It is
exact for capsules and slabs, and right to first order near the surface of ellipsoids (I. Quilez, "Ellipsoid SDF"), which is
where it is used. Distances combine: the larger of two is their intersection, the smaller their union.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Distance = NDArray[np.float32]
Point = tuple[float, float, float]
Box = tuple[Point, Point]


class Solid(Protocol):
    """Anything with a surface: what a phantom is made of."""

    def box(self) -> Box:
        """Lowest and highest corner that hold the solid, in mm; infinite where it does not end."""
        ...

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """Distance to the surface in mm at height z, for y of shape (rows, 1) and x of shape (1, columns)."""
        ...


@dataclass(frozen=True)
class Ellipsoid:
    """|dz/rz|^p + |dy/ry|^p + |dx/rx|^p <= 1, turned in plane by `turn` radians; an infinite rz makes a cylinder."""

    centre: Point
    radii: Point
    turn: float = 0.0
    power: float = 2.0

    def box(self) -> Box:
        """See `Solid`."""
        across = max(self.radii[1:]) if self.turn else 0.0
        reach = (self.radii[0], across or self.radii[1], across or self.radii[2])
        return _around(self.centre, self.centre, reach)

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        dy, dx = y - self.centre[1], x - self.centre[2]
        if self.turn:
            c, s = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
            dy, dx = c * dy - s * dx, s * dy + c * dx
        p = self.power
        rz, ry, rx = self.radii
        az, ay, ax = np.float32(abs(z - self.centre[0]) / rz), np.abs(dy) / ry, np.abs(dx) / rx
        k = np.maximum(az**p + ay**p + ax**p, 1e-9) ** (1 / p)
        q = 2 * p - 2
        slope = np.sqrt((az / k) ** q / rz**2 + (ay / k) ** q / ry**2 + (ax / k) ** q / rx**2)
        return np.asarray((k - 1) / np.maximum(slope, 1e-6), dtype=np.float32)  # zero slope: the very middle


@dataclass(frozen=True)
class Capsule:
    """A straight piece of tube with round ends whose radius goes evenly from one end to the other."""

    start: Point
    end: Point
    start_radius: float
    end_radius: float

    def box(self) -> Box:
        """See `Solid`."""
        largest = max(self.start_radius, self.end_radius)
        return _around(self.start, self.end, (largest, largest, largest))

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        bz, by, bx = (float(e - s) for s, e in zip(self.start, self.end, strict=True))
        dz, dy, dx = z - self.start[0], y - self.start[1], x - self.start[2]
        along = np.clip((dz * bz + dy * by + dx * bx) / max(bz**2 + by**2 + bx**2, 1e-9), 0, 1)
        away = np.sqrt((dz - along * bz) ** 2 + (dy - along * by) ** 2 + (dx - along * bx) ** 2)
        return np.asarray(away - self.start_radius - along * (self.end_radius - self.start_radius), dtype=np.float32)


@dataclass(frozen=True)
class Slab:
    """Everything between two heights on one axis (0: z, 1: y, 2: x)."""

    axis: int
    low: float
    high: float

    def box(self) -> Box:
        """See `Solid`."""
        low, high = [-np.inf] * 3, [np.inf] * 3
        low[self.axis], high[self.axis] = self.low, self.high
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        value = (np.full((1, 1), z, np.float32), y, x)[self.axis]
        return np.asarray(np.abs(value - (self.low + self.high) / 2) - (self.high - self.low) / 2, dtype=np.float32)


@dataclass(frozen=True)
class Common:
    """What lies in all of several solids."""

    parts: Sequence[Solid]

    def box(self) -> Box:
        """See `Solid`."""
        low, high = zip(*(part.box() for part in self.parts), strict=True)
        lowest, highest = np.max(low, axis=0), np.min(high, axis=0)
        return (lowest[0], lowest[1], lowest[2]), (highest[0], highest[1], highest[2])

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        distance = self.parts[0].distance(z, y, x)
        for part in self.parts[1:]:
            distance = np.maximum(distance, part.distance(z, y, x))
        return distance


@dataclass(frozen=True)
class Joined:
    """What lies in any of several solids, joined with a fillet of `fillet` mm (polynomial smooth minimum)."""

    parts: Sequence[Solid]
    fillet: float = 0.0

    def box(self) -> Box:
        """See `Solid`."""
        low, high = zip(*(part.box() for part in self.parts), strict=True)
        lowest, highest = np.min(low, axis=0) - self.fillet, np.max(high, axis=0) + self.fillet
        return (lowest[0], lowest[1], lowest[2]), (highest[0], highest[1], highest[2])

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        joined = self.parts[0].distance(z, y, x)
        for part in self.parts[1:]:
            other = part.distance(z, y, x)
            nearest = np.minimum(joined, other)
            if self.fillet:
                near = np.maximum(self.fillet - np.abs(joined - other), 0) / self.fillet
                nearest = nearest - near**2 * (self.fillet / 4)
            joined = np.asarray(nearest, dtype=np.float32)
        return joined


@dataclass(frozen=True)
class Grown:
    """A solid with its surface moved outward by `by` mm; inward where negative."""

    part: Solid
    by: float

    def box(self) -> Box:
        """See `Solid`."""
        low, high = self.part.box()
        return _around(low, high, (self.by, self.by, self.by))

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        return np.asarray(self.part.distance(z, y, x) - np.float32(self.by), dtype=np.float32)


@dataclass(frozen=True)
class Outside:
    """What does not lie in a solid, everywhere."""

    part: Solid

    def box(self) -> Box:
        """See `Solid`."""
        return (-np.inf, -np.inf, -np.inf), (np.inf, np.inf, np.inf)

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        return np.asarray(-self.part.distance(z, y, x), dtype=np.float32)


def distance_at(solid: Solid, point: Point) -> float:
    """Distance of one point to the surface in mm, negative inside."""
    z, y, x = point
    return float(solid.distance(z, np.full((1, 1), y, np.float32), np.full((1, 1), x, np.float32)).item())


def _around(one: Point, other: Point, reach: Point) -> Box:
    low = [min(a, b) - r for a, b, r in zip(one, other, reach, strict=True)]
    high = [max(a, b) + r for a, b, r in zip(one, other, reach, strict=True)]
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])
