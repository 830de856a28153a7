"""Small scans for the suite lies: a corner of a phantom or of an anatomy, with the noise of the whole patient."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from demottle.image import Image
from demottle.physics.ct.ct_noise import central_body, simulate_noise
from demottle.physics.phantoms.phantom import body_phantom
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.scenes import Grid

SLICES, SIZE = 12, 160
SPACING = (3.0, 1.1, 1.1)
_WHOLE = 336
_ROWS, _COLUMNS = slice(88, 88 + SIZE), slice(40, 40 + SIZE)
PHANTOM = "phantom"


def scan_of(recipe: Mapping[str, Any], seed: int) -> tuple[Image, Image]:
    """Return truth and scan, 12 x 160 x 160.

    Args:
        recipe: "what" (`PHANTOM` or a region of `physics.phantoms.regions`), "sigma" in HU, "rho", "kernel".
        seed: of patient and noise.
    """
    if recipe["what"] == PHANTOM:
        whole = body_phantom(SLICES, _WHOLE, SPACING, seed)
    else:
        whole = region_phantom(recipe["what"], Grid(SLICES, _WHOLE, SPACING), seed)
    part = (slice(None), _ROWS, _COLUMNS)
    region = np.zeros(whole.shape, np.bool_)
    region[part] = central_body(whole)[part]
    if not region.any():
        region[part] = (whole.voxels[part] > -150) & (whole.voxels[part] < 200)
    noise = simulate_noise(whole, recipe["sigma"], recipe["rho"], recipe["kernel"], seed, region=region)
    truth = Image(np.ascontiguousarray(whole.voxels[part]), SPACING, "CT", "HU", slice_thickness=SPACING[0])
    return truth, truth.with_voxels(np.rint(truth.voxels + noise[part]))
