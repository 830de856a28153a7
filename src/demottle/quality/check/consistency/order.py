"""Is every slice in its place? What is left of its grain says which slice of the scan it was made from."""

import numpy as np

from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane

_GRAIN = 1.0  # pixels
_MARGIN = 8
_NEIGHBORS = 3
_FEWEST = 2000
_CLIP = 4.5  # medians of the absolute value: edges must not decide
_INDEPENDENT = 4  # pixels that say as much as one
SURE = 5.0
"""Standard errors by which another slice has to be more alike."""


def misplaced(before: Image, after: Image) -> tuple[tuple[int, int], ...]:
    """Return which slices of a result (numbers from 0) hold the grain of another slice of the scan, and of which one.

    The fine grain (what a Gaussian of a pixel takes away) of a slice is correlated with that of its scan's slices up to three
    away, in the body without its rim; a slice counts where another one is more alike by five standard errors.
    """
    slices = before.shape[0]
    rims = [_inside(before, z) for z in range(slices)]
    grain = [_grain(plane) for plane in before.voxels]
    found = []
    for z in range(slices):
        where = rims[z]
        if where.sum() < _FEWEST:
            continue
        left = _clipped(_grain(after.voxels[z])[where])
        alike = {
            other: _alike(left, _clipped(grain[other][where]))
            for other in range(max(0, z - _NEIGHBORS), min(slices, z + _NEIGHBORS + 1))
        }
        best = max(alike, key=lambda other: alike[other])
        if (alike[best] - alike[z]) * np.sqrt(left.size / _INDEPENDENT) > SURE:
            found.append((z, best))
    return tuple(found)


def _inside(image: Image, z: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    inside = guide.erode(body_plane(guide.smooth(np.nan_to_num(image.voxels[z])), "HU"), _MARGIN)
    return inside if image.valid is None else inside & image.valid[z]


def _grain(plane: Voxels) -> Voxels:
    plane = np.nan_to_num(plane)
    return plane - guide.smooth(plane, _GRAIN)


def _clipped(values: Voxels) -> Voxels:
    reach = np.float32(_CLIP * float(np.median(np.abs(values))))
    return np.clip(values, -reach, reach)


def _alike(one: Voxels, other: Voxels) -> float:
    power = float(one @ one) * float(other @ other)
    return float(one @ other) / np.sqrt(power) if power > 0 else 0.0
