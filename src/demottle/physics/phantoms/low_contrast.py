"""The low-contrast phantom in the layout of CCT189 (MITA): four discs, the smaller the stronger, and a uniform twin.

Layout: a cylinder of water; discs on a ring of 0.2 body diameters around its middle, at 45, 135, 225 and 315 degrees
counterclockwise from the right. Source: the public phantom of the FDA's LCD_CT (github.com/DIDSR/LCD_CT, CC0), whose
noise-free image shows a body of 150 mm; the maker's own is 200 mm wide with the same discs.
"""

from math import cos, inf, radians, sin

from demottle.events import Listener, silent
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.physics.phantoms.scenes import WATER_HU, Choices, Grid, Scene, check_pixels, water_cylinder
from demottle.physics.phantoms.structures import Structure

BODY_MM = 150.0
RING = 0.2
"""Distance of the discs from the middle, in body diameters."""
DISCS: tuple[tuple[float, float, float], ...] = ((45, 3, 14), (135, 5, 7), (225, 7, 5), (315, 10, 3))
"""Angle in degrees, diameter in mm, contrast in HU."""
_LEAST_PIXELS = 2


def low_contrast_phantom(grid: Grid, choices: Choices | None = None, listener: Listener = silent) -> Scene:
    """Return the phantom with the discs, and without them in `absent`.

    Raises:
        InputError: as `water_cylinder`; for pixels larger than half of the smallest disc.
    """
    choices = choices or Choices(diameter=BODY_MM)
    absent, body = water_cylinder(grid, choices.diameter, choices.blur_mm)
    discs = [_disc(grid, choices.diameter * RING, *disc) for disc in DISCS]
    check_pixels(grid, discs, _LEAST_PIXELS, "detecting a disc")
    image = add_inserts(absent, [disc.insert for disc in discs], choices.blur_mm)
    return Scene(image, (body, *discs), absent, choices.blur_mm)


def _disc(grid: Grid, ring_mm: float, angle: float, diameter: float, contrast: float) -> Structure:
    place = grid.at(-ring_mm * sin(radians(angle)), ring_mm * cos(radians(angle)))
    disc = Insert(place, diameter / 2, contrast, inf)
    return Structure(f"disc {diameter:g} mm, {contrast:g} HU", disc, WATER_HU, "detection")
