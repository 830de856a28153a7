"""The rod phantom: cylinders of several materials in water, whose edges give the task transfer function by contrast.

CT numbers of the materials are those of common phantom modules near 120 kVp (Catphan CTP404 manual); beam hardening is left
out, so they are what the truth says wherever a rod lies.
"""

from math import cos, inf, radians, sin

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.physics.phantoms.scenes import WATER_HU, Choices, Grid, Scene, check_pixels, water_cylinder
from demottle.physics.phantoms.structures import Structure

BODY_MM = 200.0
RING_MM = 55.0
ROD_MM = 20.0
MATERIALS: tuple[tuple[str, float], ...] = (("air", -1000), ("LDPE", -100), ("acrylic", 120), ("Teflon", 990))
_LEAST_PIXELS = 10  # an edge needs a radius of five


def rod_phantom(grid: Grid, choices: Choices | None = None, listener: Listener = silent) -> Scene:
    """Return six rods of 20 mm on a ring of 55 mm: four materials, and `choices.contrast` HU above and below water.

    There is water for one radius around each rod, as a TTF wants.

    Raises:
        InputError: as `water_cylinder`; for a contrast that is not positive, or pixels wider than a tenth of a rod.
    """
    choices = choices or Choices()
    if not (np.isfinite(choices.contrast) and 0 < choices.contrast < -WATER_HU + 1000):
        raise InputError(
            f"The contrast of the low-contrast rods is {choices.contrast:g} HU; give a positive number below 1000 "
            "(one rod is made brighter than water by it, another darker)."
        )
    low = choices.contrast
    named = [*MATERIALS[:2], (f"low contrast +{low:g}", low), *MATERIALS[2:], (f"low contrast -{low:g}", -low)]
    water, body = water_cylinder(grid, BODY_MM, choices.blur_mm)
    rods = [_rod(grid, 90 - 360 * number / len(named), *material) for number, material in enumerate(named)]
    check_pixels(grid, rods, _LEAST_PIXELS, "a transfer function")
    image = add_inserts(water, [rod.insert for rod in rods], choices.blur_mm)
    return Scene(image, (body, *rods), blur_mm=choices.blur_mm)


def _rod(grid: Grid, angle: float, material: str, hu: float) -> Structure:
    place = grid.at(-RING_MM * sin(radians(angle)), RING_MM * cos(radians(angle)))
    return Structure(material, Insert(place, ROD_MM / 2, hu - WATER_HU, inf), WATER_HU, "edge")
