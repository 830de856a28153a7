"""The round body of a phantom in each slice, and the straight axis through all of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label, map_coordinates

from demottle.errors import InputError
from demottle.image import Image

Array = NDArray[np.float64]
EDGE_HU = -500.0
"""Half way between air and water."""
_RAYS = 180
_STEP_MM = 0.5
_LEAST_MM = 60.0  # radius: what is smaller is no phantom but a part of the couch
_ROUND_MM = 1.5  # how far a boundary point may lie from the circle
_LEAST_ROUND = 0.6  # share of the boundary that has to lie on it; a couch may touch the rest
_FEWEST = 3  # slices
_CUT = 0.02  # of the boundary less than in the median slice: the end of the phantom cuts it off


@dataclass(frozen=True, eq=False)
class Body:
    """A round body.

    Attributes:
        slices: indices of the slices that show it.
        axis: (x, y) in mm of its middle at z = 0, and mm that it moves in (x, y) for each mm in z.
        radius: in mm.
        height: of the stack of slices that show it, in mm.
    """

    slices: NDArray[np.int_]
    axis: tuple[Array, Array]
    radius: float

    def middle(self, z: float) -> Array:
        """(x, y) of the axis in mm at a height."""
        result: Array = self.axis[0] + self.axis[1] * z
        return result

    @property
    def tilt(self) -> tuple[float, float]:
        """Degrees of the axis against the slices' normal, towards columns and towards rows."""
        right, down = np.degrees(np.arctan(self.axis[1]))
        return float(right), float(down)


def body_of(image: Image) -> Body:
    """Find the body.

    Raises:
        InputError: where no slices show one round body.
    """
    found = [(index, _circle(plane, image.spacing)) for index, plane in enumerate(image.voxels)]
    circles = {index: circle for index, circle in found if circle is not None}
    if len(circles) < min(_FEWEST, image.shape[0]):
        raise InputError(
            f"No round phantom was found: {len(circles)} of {image.shape[0]} slices show one body with a round edge (above "
            f"{EDGE_HU:g} HU, at least {2 * _LEAST_MM:g} mm wide); a phantom has to lie in air, whole within the slices."
        )
    index = np.array(sorted(circles))
    rows = np.array([circles[i] for i in index])
    radius = float(np.median(rows[:, 2]))
    same = (np.abs(rows[:, 2] - radius) < max(2.0, 0.02 * radius)) & (rows[:, 3] >= np.median(rows[:, 3]) - _CUT)
    index, rows = index[same], rows[same]
    z = index * image.spacing[0]
    return Body(index, _axis(z, rows[:, :2]), radius)


def _axis(z: Array, middles: Array) -> tuple[Array, Array]:
    """Straight line through the middles, those that lie off it left out."""
    keep = np.ones(len(z), bool)
    start, slope = middles.mean(axis=0), np.zeros(2)
    for _ in range(4):
        if keep.sum() > 2 and np.ptp(z[keep]) > 0:
            slope, start = np.polyfit(z[keep], middles[keep], 1)
        else:
            slope, start = np.zeros(2), middles[keep].mean(axis=0)
        off = np.hypot(*(middles - start - slope * z[:, None]).T)
        keep = off <= max(3 * float(np.median(off)), 0.1)
    return np.asarray(start, np.float64), np.asarray(slope, np.float64)


def _circle(
    plane: NDArray[np.float32], spacing: tuple[float, float, float]
) -> tuple[float, float, float, float] | None:
    """Middle (x, y) and radius in mm of the round edge around the largest thing in a slice, and which share of its boundary
    is round; None where there is no such thing.
    """
    row, column = spacing[1:]
    parts, count = label(plane > EDGE_HU)
    if count == 0:
        return None
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    if sizes.max() * row * column < np.pi * _LEAST_MM**2 * 0.5:
        return None
    whole = binary_fill_holes(parts == sizes.argmax())
    inside = np.argwhere(whole)
    middle = inside.mean(axis=0) * (row, column)
    edge = _edge_points(np.where(whole, np.maximum(plane, EDGE_HU + 1), plane), middle, (row, column))
    fitted = _fit(edge)
    if fitted is None or fitted[2] < _LEAST_MM:
        return None
    return fitted


def _edge_points(plane: Array, middle: Array, step: tuple[float, float]) -> Array:
    """(x, y) in mm where rays from the middle leave the body."""
    reach = np.arange(_LEAST_MM / 2, np.hypot(*np.array(plane.shape) * step), _STEP_MM)
    angle = np.linspace(0, 2 * np.pi, _RAYS, endpoint=False)[:, None]
    y, x = middle[0] + reach * np.sin(angle), middle[1] + reach * np.cos(angle)
    values = map_coordinates(plane, [y / step[0], x / step[1]], order=1, mode="constant", cval=-1000.0)
    above = values > EDGE_HU
    last = above.shape[1] - 1 - np.argmax(above[:, ::-1], axis=1)
    ok = above.any(axis=1) & (last < above.shape[1] - 1)
    ray, last = np.flatnonzero(ok), last[ok]
    inner, outer = values[ray, last], values[ray, last + 1]
    away = reach[last] + _STEP_MM * (inner - EDGE_HU) / np.maximum(inner - outer, 1e-6)
    inside_slice = (  # a body that is cut off by the slice's border has no edge there
        (y[ray, last] > step[0])
        & (y[ray, last] < (plane.shape[0] - 2) * step[0])
        & (x[ray, last] > step[1])
        & (x[ray, last] < (plane.shape[1] - 2) * step[1])
    )
    flat = angle[ray, 0]
    points = np.stack([middle[1] + away * np.cos(flat), middle[0] + away * np.sin(flat)], axis=1)
    result: Array = points[inside_slice]
    return result


def _fit(points: Array) -> tuple[float, float, float, float] | None:
    """Circle through most of the points (algebraic least squares, the farthest left out); None where they are not round."""
    keep = np.ones(len(points), bool)
    for _ in range(8):
        if keep.sum() < _LEAST_ROUND * _RAYS:
            return None
        x, y = points[keep].T
        system = np.stack([2 * x, 2 * y, np.ones_like(x)], axis=1)
        (a, b, c), *_ = np.linalg.lstsq(system, x**2 + y**2, rcond=None)
        radius = float(np.sqrt(c + a**2 + b**2))
        off = np.abs(np.hypot(points[:, 0] - a, points[:, 1] - b) - radius)
        limit = max(_ROUND_MM, 2 * float(np.median(off)))
        fresh = off < limit
        if (fresh == keep).all():
            break
        keep = fresh
    if np.median(off) > _ROUND_MM:
        return None
    return float(a), float(b), radius, float((off < _ROUND_MM).sum()) / _RAYS
