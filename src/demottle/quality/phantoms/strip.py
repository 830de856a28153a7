"""Values along a tangent of a ring around a phantom's axis: what wires and bars are read from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from demottle.image import Image
from demottle.physics.phantoms.qa.pose import Pose

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Strip:
    """Where values are read, in mm and degrees of the phantom.

    Attributes:
        angle, ring: middle of the strip.
        along: distances from it along the tangent, clockwise.
        across: distances from it outward.
    """

    angle: float
    ring: float
    along: Array
    across: Array

    def read(self, image: Image, pose: Pose, index: int, order: int = 1) -> Array:
        """Values (across, along) of a slice, by splines of an order; NaN outside of it."""
        angle, q = np.radians(self.angle), self.across[:, None]
        u = (self.ring + q) * np.cos(angle) - self.along * np.sin(angle)
        v = (self.ring + q) * np.sin(angle) + self.along * np.cos(angle)
        x, y = pose.crossing(u, v, index * image.spacing[0])
        row, column = y / image.spacing[1], x / image.spacing[2]
        top, left = (max(int(np.floor(part.min())) - _AROUND, 0) for part in (row, column))
        bottom, right = (int(np.ceil(part.max())) + _AROUND + 1 for part in (row, column))
        crop = image.voxels[index, top:bottom, left:right].astype(np.float64)
        if not crop.size:
            return np.full(row.shape, np.nan)
        values: Array = map_coordinates(crop, [row - top, column - left], order=order, mode="constant", cval=np.nan)
        return values


_AROUND = 8  # pixels: a spline of third order knows no more of what lies farther away
