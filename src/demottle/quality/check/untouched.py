"""Was anything changed where there is nothing to denoise: in the air around the patient, and in metal?"""

from dataclasses import dataclass

import cv2
import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.slices import spread

METAL_HU = 2500.0
_MOST_SLICES = 24
_FEWEST = 50


@dataclass(frozen=True)
class Untouched:
    """Root mean square of after minus before, in HU, in air around the body and in metal; NaN where there is none.

    `air_voxels`, `metal_voxels`: how many voxels were looked at.
    """

    air: float
    metal: float
    air_voxels: int
    metal_voxels: int


def untouched(before: Image, after: Image) -> Untouched:
    """Measure the change in air (outside of the body and 3 pixels of margin) and in metal (above 2500 HU before).

    Metal is looked for in every slice, air in at most 24. Without HU neither can be told, and both are NaN.
    """
    if before.unit != "HU":
        return Untouched(float("nan"), float("nan"), 0, 0)
    squares = {"air": 0.0, "metal": 0.0}
    counts = {"air": 0, "metal": 0}
    with_air = set(spread(before.shape[0], _MOST_SLICES))
    for z in range(before.shape[0]):
        plane = before.voxels[z]
        places: dict[str, Mask] = {"metal": _valid(before, z, plane > METAL_HU)}
        if z in with_air:
            places["air"] = _valid(before, z, _around(plane))
        for name, where in places.items():
            if where.any():
                change = after.voxels[z][where].astype(np.float64) - plane[where]
                squares[name] += float(change @ change)
                counts[name] += change.size
    air, metal = (
        float(np.sqrt(squares[name] / counts[name])) if counts[name] >= _FEWEST else float("nan") for name in squares
    )
    return Untouched(air, metal, counts["air"], counts["metal"])


def _around(plane: Voxels) -> Mask:
    """Air outside of the body; the guide's reach is left out, since a table or a tube may lie there."""
    smooth = guide.smooth(np.nan_to_num(plane))
    outside = ~body_plane(smooth, "HU") & (smooth < -900)
    return np.asarray(cv2.erode(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _valid(image: Image, z: int, where: Mask) -> Mask:
    return where if image.valid is None else where & image.valid[z]
