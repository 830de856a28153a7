"""The wire phantom: a thin tungsten wire in water, slightly tilted, for the point spread function and the MTF.

The tilt moves the wire by a part of a pixel from slice to slice, so that slices together sample the point spread finer than
pixels. Blooming and beam hardening are left out: the wire is a point of known strength.
"""

from math import cos, inf, radians, tan

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.physics.phantoms.scenes import WATER_HU, Choices, Grid, Scene, water_cylinder
from demottle.physics.phantoms.structures import Structure

BODY_MM = 50.0
WIRE_MM = 0.05
TUNGSTEN_HU = 347_000.0
"""19.3 g/cm3 times 3.71 cm2/g against 0.206 1/cm of water, at 60 keV (NIST XCOM)."""
TILT_DEGREES = 2.0
HIGHEST_HU = 32767.0  # what 16 bits hold
_PARTS = 8  # positions per slice whose mean is the slice: it smears the wire by thickness times tan(tilt)


def wire_phantom(grid: Grid, choices: Choices | None = None, listener: Listener = silent) -> Scene:
    """Return a wire of 0.05 mm in 50 mm of water, tilted by 2 degrees towards rows and columns alike.

    The wire's integral over a slice is its cross-section times its contrast, right to 0.1 %.

    Raises:
        InputError: as `water_cylinder`; where the wire leaves the water, or its voxels exceed what DICOM's 16 bits hold.
    """
    choices = choices or Choices(blur_mm=0.5)
    water, body = water_cylinder(grid, BODY_MM, choices.blur_mm)
    slope = tan(radians(TILT_DEGREES)) / np.sqrt(2)
    length = grid.slices * grid.spacing[0]
    if length * tan(radians(TILT_DEGREES)) > 0.5 * BODY_MM:
        raise InputError(
            f"The tilted wire leaves the water within {length:g} mm; ask for fewer or thinner slices (at most "
            f"{0.5 * BODY_MM / tan(radians(TILT_DEGREES)):.0f} mm in all)."
        )
    # a horizontal cut through a tilted wire is an ellipse: a circle of the same area stands for it
    wire = Insert(grid.middle, WIRE_MM / 2 / np.sqrt(cos(radians(TILT_DEGREES))), TUNGSTEN_HU - WATER_HU, inf)
    structure = Structure("tungsten wire", wire, WATER_HU, "point", (float(slope), float(slope)))
    voxels = water.voxels.copy()
    for index in range(grid.slices):
        voxels[index] = _slice(water.voxels[index], structure, grid, index, choices.blur_mm)
        listener(Progress(Stage.PHANTOM, index + 1, grid.slices))
    if voxels.max() > HIGHEST_HU:
        raise InputError(
            f"The wire reaches {voxels.max():.0f} HU, more than the 16 bits of a DICOM file hold; "
            "ask for more blur or larger pixels."
        )
    return Scene(water.with_voxels(voxels), (body, structure), blur_mm=choices.blur_mm)


def _slice(plane: Voxels, wire: Structure, grid: Grid, index: int, blur_mm: float) -> Voxels:
    """One slice with the wire as it lies at several heights within it."""
    parts = []
    for part in range(_PARTS):
        place = wire.in_slice(index + (part + 0.5) / _PARTS - 0.5, grid.spacing)
        if place is None:
            continue
        parts.append(Insert((0.0, *place[:2]), wire.insert.radius_mm, wire.insert.contrast / _PARTS, inf))
    image = Image(plane[None], grid.spacing, "CT", "HU")
    with_wire: Voxels = add_inserts(image, parts, blur_mm).voxels[0]
    return with_wire
