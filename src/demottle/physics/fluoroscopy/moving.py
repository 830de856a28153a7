"""Things that move in a projection: shadows of solids and tubes, each with a motion that is known at every time.

Coordinates are (y, x) in mm in the plane of the detector, from its middle: y down the rows, x along the columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from demottle.physics.phantoms.shapes import Capsule

Array = NDArray[np.float64]
Vector = tuple[float, float]


@dataclass(frozen=True)
class Motion:
    """Where points of a layer go: `about + scale(t) (p - about) + shift(t)`, p being where they are without motion."""

    shift: Callable[[float], Vector]
    scale: Callable[[float], float] = lambda t: 1.0
    about: Vector = (0.0, 0.0)

    def to(self, t: float, y: Array, x: Array) -> tuple[Array, Array]:
        """Where points that lie at (y, x) without motion are at time t (s)."""
        s, (down, right) = self.scale(t), self.shift(t)
        return self.about[0] + s * (y - self.about[0]) + down, self.about[1] + s * (x - self.about[1]) + right

    def back(self, t: float, y: Array, x: Array) -> tuple[Array, Array]:
        """Where points that are at (y, x) at time t lie without motion."""
        s, (down, right) = self.scale(t), self.shift(t)
        return self.about[0] + (y - self.about[0] - down) / s, self.about[1] + (x - self.about[1] - right) / s

    def between(self, t: float, later: float, y: Array, x: Array) -> tuple[Array, Array]:
        """How far points that are at (y, x) at time t move until `later`, in mm."""
        there = self.to(later, *self.back(t, y, x))
        return there[0] - y, there[1] - x


class Shadow(Protocol):
    """Anything with a shadow."""

    def integral(self, y: Array, x: Array, pixel: float) -> Array:
        """Line integral of attenuation (no unit) at y of shape (rows, 1), x of shape (1, columns), for pixels of `pixel` mm."""
        ...

    def covers(self, y: Array, x: Array, pixel: float) -> NDArray[np.bool_]:
        """Where it is."""
        ...


@dataclass(frozen=True)
class Ball:
    """An ellipsoid `depth` mm thick in its middle, of attenuation `mu` in 1/mm (what it adds to, or takes from, the rest)."""

    center: Vector
    radii: Vector
    depth: float
    mu: float

    def integral(self, y: Array, x: Array, pixel: float) -> Array:
        """See `Shadow`: `mu depth sqrt(1 - r^2)`, r being the distance from the middle in radii."""
        total = np.zeros((y.size, x.size))
        (top, left), (down, right) = self.center, self.radii
        rows, columns = _within(y, top - down, top + down), _within(x, left - right, left + right)
        inside = np.maximum(1 - self._squared(y[rows], x[:, columns]), 0)
        total[rows, columns] = self.mu * self.depth * np.sqrt(inside)
        return total

    def covers(self, y: Array, x: Array, pixel: float) -> NDArray[np.bool_]:
        """See `Shadow`."""
        return np.asarray(self._squared(y, x) < 1)

    def _squared(self, y: Array, x: Array) -> Array:
        return np.asarray(((y - self.center[0]) / self.radii[0]) ** 2 + ((x - self.center[1]) / self.radii[1]) ** 2)


@dataclass(frozen=True)
class Tube:
    """A round tube or wire along straight pieces, of attenuation `mu` in 1/mm; hollow where `bore` (its radius) is not 0."""

    pieces: Sequence[Capsule]
    radius: float
    mu: float
    bore: float = 0.0

    def integral(self, y: Array, x: Array, pixel: float) -> Array:
        """See `Shadow`: the chord through the tube, averaged over the width of a pixel across it."""
        away = self._distance(y, x, self.radius + pixel)
        chord = mean_chord(away, self.radius, pixel)
        if self.bore:
            chord = chord - mean_chord(away, self.bore, pixel)
        return np.asarray(self.mu * chord)

    def covers(self, y: Array, x: Array, pixel: float) -> NDArray[np.bool_]:
        """See `Shadow`; at least one pixel wide."""
        reach = max(self.radius, pixel / 2)
        return np.asarray(self._distance(y, x, reach) <= reach)

    def _distance(self, y: Array, x: Array, reach: float) -> Array:
        """Distance to the middle line in mm where it is within `reach`, else infinite."""
        nearest = np.full((y.size, x.size), np.inf)
        for piece in self.pieces:
            (_, top, left), (_, bottom, right) = piece.box()
            rows, columns = _within(y, top - reach, bottom + reach), _within(x, left - reach, right + reach)
            if rows.start == rows.stop or columns.start == columns.stop:
                continue
            surface = piece.distance(0.0, y[rows].astype(np.float32), x[:, columns].astype(np.float32))
            nearest[rows, columns] = np.minimum(nearest[rows, columns], surface + piece.start_radius)
        return nearest


@dataclass(frozen=True)
class Rib:
    """A pair of ribs: the curve y = top + sag (x/reach)^2, of a tube with a dense shell."""

    top: float
    sag: float
    reach: float
    radius: float
    mu: float

    def integral(self, y: Array, x: Array, pixel: float) -> Array:
        """See `Shadow`; the distance to the curve is right to first order, the marrow has 0.7 of the radius and half of `mu`."""
        total = np.zeros((y.size, x.size))
        steepest = float(np.hypot(1, 2 * self.sag / self.reach))
        away = (self.radius + pixel) * steepest
        rows = _within(y, self.top - away, self.top + self.sag + away)
        columns = _within(x, -self.reach, self.reach)
        total[rows, columns] = self._band(y[rows], x[:, columns], pixel)
        return total

    def _band(self, y: Array, x: Array, pixel: float) -> Array:
        slope = 2 * self.sag * x / self.reach**2
        away = np.abs(y - self.top - self.sag * (x / self.reach) ** 2) / np.sqrt(1 + slope**2)
        whole, marrow = mean_chord(away, self.radius, pixel), mean_chord(away, 0.7 * self.radius, pixel)
        return np.asarray(self.mu * (whole - 0.5 * marrow))

    def covers(self, y: Array, x: Array, pixel: float) -> NDArray[np.bool_]:
        """See `Shadow`."""
        return self.integral(y, x, pixel) > 0


def _within(places: Array, low: float, high: float) -> slice:
    """The run of sorted places from `low` to `high`."""
    return slice(*(int(i) for i in np.searchsorted(places.ravel(), [low, high])))


def mean_chord(away: Array, radius: float, width: float) -> Array:
    """Mean over `width` (mm) of the chord 2 sqrt(r^2 - d^2) of a circle, around distance `away` from its middle; exact."""

    near = away < radius + width / 2  # elsewhere it is nothing, and most of a picture is elsewhere
    mean = np.zeros(away.shape)
    mean[near] = (_under(away[near] + width / 2, radius) - _under(away[near] - width / 2, radius)) / width
    return mean


def _under(d: Array, radius: float) -> Array:
    """Twice the integral of sqrt(r^2 - t^2) from 0 to d."""
    u = np.clip(d, -radius, radius)
    return np.asarray(u * np.sqrt(radius**2 - u**2) + radius**2 * np.arcsin(u / radius))
