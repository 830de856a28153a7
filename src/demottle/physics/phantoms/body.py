"""What the body phantom is made of: tissues, layers of paint, and the sizes that several organs share. Millimeters and HU."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown, Joined, Solid

REACH = 110.0  # mm below and above the middle that are filled with anatomy


class Tissue(IntEnum):
    """Labels of the phantom's tissue map."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    MARROW = 5
    SPINAL_CANAL = 6
    LUNG = 7
    LIVER = 8
    SPLEEN = 9
    KIDNEY = 10
    PANCREAS = 11
    HEART = 12
    VESSEL = 13
    BOWEL_WALL = 14
    FLUID = 15
    GAS = 16
    LESION = 17
    BRAIN = 18
    METAL = 19


@dataclass(frozen=True)
class Layer:
    """One solid of one tissue with its CT number; `lesion` is its contrast to what it lies in, where it is a lesion."""

    solid: Solid
    hu: float
    tissue: Tissue
    lesion: float | None = None


class Body:
    """Sizes that several organs share."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw a patient; what is drawn later for single organs comes from the same generator."""
        self.rng = rng
        self.half_width, self.half_depth = 160 * rng.uniform(0.94, 1.06), 108 * rng.uniform(0.94, 1.06)
        self.fat = rng.uniform(11, 20)
        self.outline = Ellipsoid((0, 0, 0), (900, self.half_depth, self.half_width), power=2.3)
        self.wall = Grown(self.outline, -self.fat)
        self.cavity = Grown(self.outline, -self.fat - 13)
        middle = (rng.uniform(0, 6), -8 + rng.uniform(-3, 3), -self.half_width * 0.44)
        right = Ellipsoid(middle, (64 * rng.uniform(0.92, 1.08), 68, 68), rng.uniform(-0.2, 0.2), 2.3)
        left = Ellipsoid((26, -42 + rng.uniform(-4, 4), -5), (34, 26, 62), rng.uniform(0.05, 0.3))
        self.liver = Common((Joined((right, left), 25), self.cavity))
        spleen = (18 + rng.uniform(-6, 6), 38, self.half_width * 0.56)
        self.spleen = Common((Ellipsoid(spleen, (46 * rng.uniform(0.85, 1.1), 44, 25), -0.35), self.cavity))
