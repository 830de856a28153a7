"""Where flat soft tissue is, judged on a smoothed guide: what the noise level and the noise map look at."""

import cv2
import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide

WINDOW = 11
"""Side in pixels of the window of the local standard deviation."""
SOFT_TISSUE_HU = (-150.0, 200.0)
_FLATTEST = 0.3  # of the tissue, the share with the lowest gradient counts as flat


def tissue_mask(plane_guide: Voxels, unit: str, valid: Mask | None = None) -> Mask:
    """Soft tissue of one guide slice: CT numbers in `SOFT_TISSUE_HU`; without absolute units, the brighter part.

    Without a scale the threshold is a quarter of the 99th percentile, which separates tissue from the dark background of
    MR and of X-ray frames.
    """
    if unit == "HU":
        low, high = SOFT_TISSUE_HU
        mask = (plane_guide > low) & (plane_guide < high)
    else:
        mask = plane_guide > 0.25 * np.percentile(plane_guide, 99)
    if valid is not None:
        mask &= guide.erode(valid, 3)
    out: Mask = mask
    return out


def flat_plane(image: Image, index: int) -> Mask:
    """Flat soft tissue of one slice: inside tissue by some pixels, and of its flattest third by the guide's gradient.

    The guide is averaged over the slice and its two neighbors, so that vessels stand out from what is left of the noise.
    """
    around = range(max(0, index - 1), min(image.shape[0], index + 2))
    averaged = np.mean([guide.smooth(image.voxels[i], 1.5 * guide.GUIDE_SIGMA) for i in around], axis=0)
    tissue = guide.erode(tissue_mask(averaged, image.unit, valid_plane(image, index)), 4)
    if not tissue.any():
        return tissue
    # Dilated, because the windows whose deviation is taken reach that far.
    steep = cv2.dilate(guide.gradient(averaged), np.ones((WINDOW, WINDOW), np.uint8))
    return np.asarray(tissue & (steep <= np.quantile(steep[tissue], _FLATTEST)))


def flat_mask(image: Image) -> Mask:
    """Flat soft tissue of a whole image, shape (slices, rows, columns)."""
    return np.stack([flat_plane(image, index) for index in range(image.shape[0])])


def valid_plane(image: Image, index: int) -> Mask | None:
    """The mask of valid voxels of one slice, or None where all are valid."""
    return None if image.valid is None else image.valid[index]
