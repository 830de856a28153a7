"""Structure of tissue that is weaker than the noise: a denoiser takes it out, and nothing in the scan tells how much there was.

So it is assumed. The figures were chosen on simulated patients whose tissues have grain and whose marrow has trabeculae
(`demottle benchmark --suite uncertainty`, the tuning half); no scan of a patient decided them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from demottle.image import Voxels
from demottle.quality.check.lung import lung_plane

FAT_HU, SOFT_HU, LUNG_HU, BONE_HU = 4.6, 4.2, 19.0, 35.0
"""Standard deviation of the structure assumed in each tissue, HU."""
NAMES = ("lung", "between", "fat", "between fat and soft tissue", "soft tissue", "bright", "bone")
"""What a pixel can be, by its place in `kind_plane`."""
_UP_TO = (-500.0, -150.0, -40.0, 22.0, 130.0, 300.0)
_ASSUMED = (SOFT_HU, SOFT_HU, FAT_HU, SOFT_HU, SOFT_HU, SOFT_HU, BONE_HU)
_LUNG, _SOFT, _BONE = 0, 4, 6
_CORTICAL_HU, _MARROW_HU, _SHELL_MM = 350.0, 100.0, 8.0
_ON_EDGES = 0.5

Kinds = NDArray[np.uint8]


def kind_plane(clean: Voxels, smooth: Voxels, spacing: tuple[float, float]) -> tuple[Kinds, Voxels]:
    """Say what each pixel of a clean slice is (see `NAMES`), and what structure is assumed there, HU.

    Bone is what is denser than 300 HU, and what is brighter than soft tissue inside of closed cortical bone: marrow.

    Args:
        clean: the slice in HU (rows, columns), in which thin cortical bone is seen.
        smooth: the same smoothed by about a pixel.
        spacing: mm between rows and columns.
    """
    kinds = np.searchsorted(_UP_TO, smooth).astype(np.uint8)
    height, width = (2 * max(1, round(_SHELL_MM / step)) + 1 for step in spacing)
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, height))
    shell = binary_fill_holes(cv2.morphologyEx((clean > _CORTICAL_HU).astype(np.uint8), cv2.MORPH_CLOSE, shape))
    kinds[shell & (smooth > _MARROW_HU)] = _BONE
    assumed = np.asarray(_ASSUMED, np.float32)[kinds]
    if (kinds == _LUNG).any():
        assumed[lung_plane(smooth, spacing) & (kinds <= _LUNG + 1)] = LUNG_HU
    return kinds, assumed


def lost(assumed: Voxels, level: Voxels, steepness: Voxels, steep: float) -> Voxels:
    """Return the standard deviation of what is lost of assumed structure, HU: g s / sqrt(g^2 + s^2), half of it on edges.

    That of a Wiener filter: at most the structure g, and at most the noise s.

    Args:
        assumed: g.
        level: s.
        steepness: gradient per pixel, in noise levels.
        steep: from where it is an edge.
    """
    found = assumed * level / np.sqrt(assumed**2 + level**2)
    return np.asarray(found * np.where(steepness > steep, np.float32(_ON_EDGES), np.float32(1)), np.float32)
