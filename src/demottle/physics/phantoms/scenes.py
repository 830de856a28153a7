"""What all kinds of phantom volume share: the grid they are painted on, the choices a user has, and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.physics.phantoms.structures import Structure

AIR = -1000.0
WATER_HU = 0.0


@dataclass(frozen=True)
class Grid:
    """Where a phantom is sampled: number of slices, rows and columns, and mm between slices, rows, columns.

    Raises:
        InputError: for counts or distances that are not positive.
    """

    slices: int
    size: int
    spacing: tuple[float, float, float]

    def __post_init__(self) -> None:
        """Refuse a grid that holds nothing."""
        if self.slices < 1 or self.size < 1 or not all(np.isfinite(step) and step > 0 for step in self.spacing):
            raise InputError(
                f"A phantom of {self.slices} slices of {self.size} x {self.size} with spacing {self.spacing} mm cannot be "
                "made; counts and distances have to be positive."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self.slices, self.size, self.size

    @property
    def middle(self) -> tuple[float, float, float]:
        """Middle of the volume in voxels; between voxels where a count is even."""
        return (self.slices - 1) / 2, (self.size - 1) / 2, (self.size - 1) / 2

    def at(self, row_mm: float, column_mm: float) -> tuple[float, float, float]:
        """Place in voxels of a point so many mm below and right of the middle."""
        slice_, row, column = self.middle
        return slice_, row + row_mm / self.spacing[1], column + column_mm / self.spacing[2]


@dataclass(frozen=True)
class Lie:
    """How a QA phantom lies: degrees that it is turned clockwise, and that its axis leans towards columns and rows; mm that it
    is shifted along columns and rows; slice thickness in mm, None: their distance.
    """

    roll: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    shift: tuple[float, float] = (0.0, 0.0)
    thickness: float | None = None


@dataclass(frozen=True)
class Choices:
    """What a user may decide; which of them a kind of phantom takes, `catalog.KINDS` says.

    Attributes:
        seed: another seed gives another patient (body, brain).
        diameter: diameter of the water cylinder in mm (water, low-contrast).
        contrast: contrast of the low-contrast rods in HU (rods).
        blur_mm: standard deviation of a Gaussian blur in mm (all but body and brain).
        weighting: contrast between the tissues, "t1" or "t2" (brain).
        lie: how a QA phantom lies.
    """

    seed: int = 0
    diameter: float = 200.0
    contrast: float = 35.0
    blur_mm: float = 0.0
    weighting: str = "t1"
    lie: Lie = Lie()


@dataclass(frozen=True)
class Scene:
    """A noise-free phantom.

    Attributes:
        image: CT in HU; MR in units of its own.
        structures: what is in it.
        absent: the same phantom without what is to be detected, where an observer needs one.
        blur_mm: standard deviation of the Gaussian blur it has been given, in mm.
        averaged: pixels hold the mean over their area; False: the value at their middle.
        settings: what else belongs into `truth.json`; plain values.
    """

    image: Image
    structures: tuple[Structure, ...]
    absent: Image | None = None
    blur_mm: float = 0.0
    averaged: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


def water_cylinder(grid: Grid, diameter: float, blur_mm: float = 0.0) -> tuple[Image, Structure]:
    """Return a cylinder of water (0 HU) in air along the slices' normal, in the middle, and its record.

    Raises:
        InputError: for a diameter that is not positive, or wider than the slice.
    """
    if not (np.isfinite(diameter) and diameter > 0):
        raise InputError(f"The diameter of the phantom is {diameter} mm; it has to be a positive number.")
    shown = grid.size * min(grid.spacing[1:])
    if shown < diameter:
        raise InputError(
            f"The phantom is {diameter:g} mm wide, but {grid.size} pixels of {min(grid.spacing[1:]):g} mm show {shown:g} mm; "
            "ask for more or larger pixels."
        )
    air = Image(np.full(grid.shape, AIR, np.float32), grid.spacing, "CT", "HU", slice_thickness=grid.spacing[0])
    water = Insert(grid.middle, diameter / 2, WATER_HU - AIR, inf)
    return add_inserts(air, [water], blur_mm), Structure("water", water, AIR, "uniform")


def check_pixels(grid: Grid, structures: Sequence[Structure], least: float, why: str) -> None:
    """Raise InputError where the smallest of the structures is less than `least` pixels wide."""
    smallest = min(structures, key=lambda structure: structure.insert.radius_mm)
    diameter, pixel = 2 * smallest.insert.radius_mm, max(grid.spacing[1:])
    if diameter < least * pixel:
        raise InputError(
            f"Pixels of {pixel:g} mm are too large for {smallest.name} ({diameter:g} mm): {why} needs at least {least:g} pixels "
            "across; ask for more and smaller pixels."
        )
