"""Voxels no method may change: padding, the air around the patient, metal."""

import cv2
import numpy as np

from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.flat import valid_plane

METAL_HU = 2500.0
"""Above this CT numbers are metal, or saturated; the densest bone, of ear and skull, ends below."""
_METAL_MARGIN = 2
_FEATHER = 1.0


def changeable(image: Image, index: int) -> Voxels:
    """Say how far each pixel of a slice may change: 1 in the body, 0 in air, metal and padding, with a short passage.

    Without absolute units there is no telling metal from bright tissue, so only padding and background are kept.
    """
    plane: Voxels = image.voxels[index]
    valid = valid_plane(image, index)
    filled = fill_invalid(image, index)
    if valid is not None and not valid.any():
        return np.zeros_like(plane)
    allowed = body_plane(guide.smooth(filled), image.unit).astype(np.uint8)
    if image.unit == "HU":
        metal = (filled > METAL_HU).astype(np.uint8)
        if metal.any():
            size = 2 * _METAL_MARGIN + 1
            allowed[cv2.dilate(metal, np.ones((size, size), np.uint8)) > 0] = 0
    if valid is not None:
        allowed &= valid.astype(np.uint8)
    # The passage lies inside what may change: what must not change does not change at all.
    soft = cv2.GaussianBlur(allowed.astype(np.float32), (0, 0), _FEATHER, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.where(allowed > 0, np.clip(2 * soft - 1, 0, 1), 0), np.float32)


def fill_invalid(image: Image, index: int) -> Voxels:
    """One slice with padding replaced by its lowest valid value, so that no filter sees a cliff of -2000."""
    plane: Voxels = image.voxels[index]
    valid = valid_plane(image, index)
    if valid is None or valid.all():
        return plane
    lowest = plane.min(where=valid, initial=np.inf)
    filled: Voxels = np.where(valid, plane, lowest if np.isfinite(lowest) else 0).astype(np.float32)
    return filled


def blended(plane: Voxels, made: Voxels, allowed: Voxels) -> Voxels:
    """Return what was made of a slice or a volume, as far as each pixel may change; what must not change is left to the bit."""
    return np.asarray(np.where(allowed > 0, plane + allowed * (made - plane), plane), np.float32)
