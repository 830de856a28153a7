"""Where a phantom lies in a stack of slices: shift, roll, tilt, and which way round.

Phantom coordinates (u, v, w) are in mm from the middle of its rod module: right, down, along the axis. Those of the stack
(x, y, z) are in mm from the middle of its first voxel: along columns, rows, slices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """Where a phantom lies.

    Attributes:
        origin: (x, y, z) of the middle of the rod module.
        roll: degrees that it is turned clockwise as the slices are shown.
        tilt: degrees of the axis against the slices' normal, towards columns and towards rows.
        mirrored: left and right are exchanged: it is seen from its other end.
        reversed: its axis runs against the order of the slices.
    """

    origin: tuple[float, float, float]
    roll: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False
    reversed: bool = False

    @property
    def matrix(self) -> Array:
        """Three by three: phantom directions as columns in the stack's coordinates."""
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        turned = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        flipped = np.diag([-1.0 if self.mirrored else 1.0, 1.0, -1.0 if self.reversed else 1.0])
        result: Array = _leaning(*np.tan(np.radians(self.tilt))) @ turned @ flipped
        return result

    @property
    def lean(self) -> float:
        """Degrees between the axis and the slices' normal."""
        return float(np.degrees(np.arctan(np.hypot(*np.tan(np.radians(self.tilt))))))

    def at(self, place: tuple[float, float], along: float) -> Array:
        """(x, y, z) in mm of a point of the phantom."""
        result: Array = np.asarray(self.origin) + self.matrix @ np.array([*place, along])
        return result

    def line(self, place: tuple[float, float]) -> tuple[Array, Array]:
        """A line along the axis through (u, v): (x, y) where z is 0, and mm in (x, y) for each mm in z."""
        return self.oblique(place, np.array([0.0, 0.0, 1.0]))

    def oblique(self, place: tuple[float, float], direction: Array) -> tuple[Array, Array]:
        """The same of a line through (u, v, 0) in any direction (u, v, w)."""
        point, way = self.at(place, 0.0), self.matrix @ direction
        slope: Array = way[:2] / way[2]
        start: Array = point[:2] - slope * point[2]
        return start, slope

    def along(self, place: tuple[float, float], z: Array | float) -> Array:
        """Place w along the axis, where a line through (u, v) crosses the height z in mm."""
        matrix = self.matrix
        result: Array = (
            np.asarray(z, np.float64) - self.origin[2] - matrix[2, 0] * place[0] - matrix[2, 1] * place[1]
        ) / matrix[2, 2]
        return result

    def crossing(self, u: Array, v: Array, z: float) -> tuple[Array, Array]:
        """(x, y) where lines along the axis through (u, v) cross the height z in mm."""
        matrix = self.matrix
        w = (z - self.origin[2] - matrix[2, 0] * u - matrix[2, 1] * v) / matrix[2, 2]
        x: Array = self.origin[0] + matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w
        y: Array = self.origin[1] + matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w
        return x, y

    def depth(self, x: Array, y: Array, z: float) -> Array:
        """Place w along the axis of points of the stack."""
        axis = self.matrix[:, 2]
        result: Array = (x - self.origin[0]) * axis[0] + (y - self.origin[1]) * axis[1] + (z - self.origin[2]) * axis[2]
        return result


def _leaning(right: float, down: float) -> Array:
    """The smallest rotation that takes the slices' normal to the direction (right, down, 1)."""
    axis = np.array([right, down, 1.0]) / np.sqrt(right**2 + down**2 + 1)
    cross = np.array([[0.0, 0.0, axis[0]], [0.0, 0.0, axis[1]], [-axis[0], -axis[1], 0.0]])
    result: Array = np.eye(3) + cross + cross @ cross / (1 + axis[2])
    return result
