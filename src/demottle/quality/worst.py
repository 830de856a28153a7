"""Where to look first: one figure for each slice, and the slice that fares worst."""

from dataclasses import dataclass

import cv2
import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane

LUMP_MM = 2.0
_METAL_HU = 2500.0


@dataclass(frozen=True)
class WorstSlice:
    """A figure for each slice and where the worst is.

    Attributes:
        what: what the figure is, for a reader.
        values: one for each slice, in the image's unit; NaN where a slice holds no body.
        slice: number of the worst slice, from 0.
        row, column: the place in it that stands out.
    """

    what: str
    values: tuple[float, ...]
    slice: int
    row: int
    column: int


def worst_slice(before: Image, after: Image, truth: Image | None = None) -> WorstSlice | None:
    """Find the slice with the largest error, or without a truth the one where most was taken away in one lump.

    With a truth the figure is the root mean square error in the body. Without one it is the largest absolute value of what
    was removed (before minus after) smoothed by a Gaussian of 2 mm: noise averages out there, structure does not. The place
    is that of the largest smoothed error, or of the lump. None where no slice holds a body.
    """
    values, places = [], []
    for z in range(before.shape[0]):
        here = np.nan_to_num(before.voxels[z])
        reference = here if truth is None else np.nan_to_num(truth.voxels[z])
        body = _body(reference, before, z)
        difference = np.nan_to_num(after.voxels[z]) - reference
        if not body.any():
            values.append(float("nan"))
            places.append((0, 0))
            continue
        lump = np.where(body, np.abs(_smoothed(np.where(body, difference, np.float32(0)), before)), 0)
        row, column = np.unravel_index(int(lump.argmax()), lump.shape)
        rms = float(np.sqrt(np.mean(difference[body].astype(np.float64) ** 2)))
        values.append(float(lump.max()) if truth is None else rms)
        places.append((int(row), int(column)))
    if not np.isfinite(values).any():
        return None
    worst = int(np.nanargmax(values))
    what = "largest lump removed" if truth is None else "root mean square error in the body"
    return WorstSlice(what, tuple(values), worst, *places[worst])


def _body(plane: Voxels, image: Image, z: int) -> Mask:
    body = body_plane(guide.smooth(plane), image.unit)
    if image.unit == "HU":
        body &= plane < _METAL_HU
    return body if image.valid is None else body & image.valid[z]


def _smoothed(plane: Voxels, image: Image) -> Voxels:
    sigma_y, sigma_x = (LUMP_MM / s for s in image.spacing[1:])
    return np.asarray(cv2.GaussianBlur(plane.astype(np.float32), (0, 0), sigma_x, sigmaY=sigma_y), np.float32)
