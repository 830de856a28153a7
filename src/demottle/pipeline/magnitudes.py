"""Magnitudes have no sign."""

import numpy as np

from demottle.image import Image


def without_sign(image: Image) -> Image:
    """Put at zero what a method left below it; what was not measured stays as it is."""
    where = True if image.valid is None else image.valid
    return image.with_voxels(np.maximum(image.voxels, 0, out=image.voxels.copy(), where=where))
