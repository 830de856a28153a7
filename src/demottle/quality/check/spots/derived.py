"""The map of spots as an image of its own: a derived object beside the result."""

from dataclasses import replace

import numpy as np

from demottle.image import Image, ProcessingStep
from demottle.io.dicom.headers.marks import MAP_OF_SPOTS
from demottle.quality.check.spots.spots import SpotMap

STEP = MAP_OF_SPOTS
"""What headers call it."""
OF_NOISE = 100.0
"""What stands for the largest value that noise leaves anywhere in 19 of 20 scans."""


def map_image(scan: Image, found: SpotMap, version: str) -> Image:
    """Return the map on the grid of the scan, with the scan's headers: whole numbers, 0 outside of the body.

    100 is the largest value that noise leaves anywhere in 19 of 20 scans; above 0, less HU after than before.

    Args:
        scan: the scan that the map is of.
        found: its map.
        version: of demottle.
    """
    planes = [found.plane(z, scan.shape[1:]) for z in range(scan.shape[0])]
    voxels = np.clip(np.rint(OF_NOISE * np.stack(planes)), -1000, 1000).astype(np.float32)
    told = {"unit": "percent of the largest value that noise leaves anywhere in 19 of 20 scans"}
    return replace(scan.with_voxels(voxels), history=(*scan.history, ProcessingStep(STEP, version, told)))
