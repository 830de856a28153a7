"""The analytic brain phantom: a head in MR whose signal is known exactly at every voxel.

Scalp, skull with marrow, cerebrospinal fluid, a folded cortex, white matter, ventricles, deep gray matter, vessels and round
lesions, after textbook anatomy, in mm. The seed draws folds, sizes, places of the lesions, and the shading of the coil. There
is no signal in air and no noise: `mr_noise.rician_scan` adds it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.painting import Paint, paint_slices, places
from demottle.physics.phantoms.scenes import Grid
from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown, Joined, Outside, Point, Slab, Solid, distance_at
from demottle.physics.phantoms.structures import Structure
from demottle.physics.phantoms.vessels import chain, smooth_path, wander
from demottle.physics.phantoms.waves import Sheet, Waves

FIELD_OF_VIEW = 220.0  # mm that the head needs; in a smaller one the whole head is scaled down
_CORTEX = 3.0  # mm
_LESIONS = 16
_TEXTURE = 0.015  # of the signal: tissue is not all alike

Weighting = Literal["t1", "t2"]


class BrainTissue(IntEnum):
    """Labels of the phantom's tissue map."""

    AIR = 0
    SKIN = 1
    FAT = 2
    BONE = 3
    MARROW = 4
    FLUID = 5
    GRAY = 6
    WHITE = 7
    DEEP_GRAY = 8
    VESSEL = 9
    LESION = 10


SIGNAL: dict[Weighting, dict[BrainTissue, float]] = {
    "t1": {
        BrainTissue.AIR: 0, BrainTissue.SKIN: 520, BrainTissue.FAT: 880, BrainTissue.BONE: 60, BrainTissue.MARROW: 600,
        BrainTissue.FLUID: 180, BrainTissue.GRAY: 560, BrainTissue.WHITE: 800, BrainTissue.DEEP_GRAY: 640,
        BrainTissue.VESSEL: 120,
    },
    "t2": {
        BrainTissue.AIR: 0, BrainTissue.SKIN: 330, BrainTissue.FAT: 560, BrainTissue.BONE: 40, BrainTissue.MARROW: 400,
        BrainTissue.FLUID: 880, BrainTissue.GRAY: 580, BrainTissue.WHITE: 400, BrainTissue.DEEP_GRAY: 470,
        BrainTissue.VESSEL: 70,
    },
}  # fmt: skip
"""Signal of each tissue before the coil's shading, in units of its own."""


@dataclass(frozen=True)
class Brain:
    """A noise-free image, the `BrainTissue` at each voxel (uint8), and its lesions within the slices, which are spheres."""

    image: Image
    tissue: NDArray[np.uint8]
    lesions: tuple[Structure, ...]


def weighting_named(name: str) -> Weighting:
    """Look a weighting up by its name.

    Raises:
        InputError: for a name that is not one.
    """
    for weighting in get_args(Weighting):
        if weighting == name:
            return cast(Weighting, weighting)
    raise InputError(f"There is no weighting {name!r}; choose one of {', '.join(get_args(Weighting))}.")


def brain_phantom(
    slices: int = 32,
    size: int = 192,
    spacing: tuple[float, float, float] = (2.0, 1.15, 1.15),
    seed: int = 0,
    weighting: Weighting = "t1",
    listener: Listener = silent,
) -> Brain:
    """Paint the phantom.

    Args:
        slices: number of slices, from the neck to the crown, around the middle of the ventricles.
        size: rows and columns.
        spacing: mm between slices, rows, columns. Edges are as wide as a pixel, and slices as thick as their distance.
        seed: another seed gives another head.
        weighting: contrast between the tissues.
        listener: hears of every slice.

    Returns:
        The phantom, values 0 to about 1000.

    Raises:
        InputError: for a count or a spacing that is not positive, or a weighting that is not known.
    """
    Grid(slices, size, spacing)
    signal = SIGNAL[weighting_named(weighting)]
    head = Head(np.random.default_rng([seed, 3]), signal)
    scale = min(1.0, size * min(spacing[1:]) / FIELD_OF_VIEW)
    step = (spacing[0] / scale, spacing[1] / scale, spacing[2] / scale)
    voxels, tissue = paint_slices(head.paints, slices, size, step, 0.0, listener)
    for index in range(slices):
        voxels[index] *= head.shading(float(places(slices, step[0])[index]), size, step)
    image = Image(voxels, spacing, modality="MR", unit="a.u.", slice_thickness=float(spacing[0]))
    middle = ((slices - 1) / 2, (size - 1) / 2, (size - 1) / 2)
    return Brain(image, tissue, tuple(_inside(head, middle, step, scale, slices)))


class Head:
    """One head: what is painted, in order, the lesions, and the shading."""

    def __init__(self, rng: np.random.Generator, signal: Mapping[BrainTissue, float]) -> None:
        """Draw a head whose tissues have the given values."""
        self.rng, self.signal = rng, signal
        wide, long = (size * rng.uniform(0.95, 1.05) for size in (76, 96))
        self.outline = Ellipsoid((-12, 0, 0), (118, long, wide), power=2.2)
        self.brain = Grown(self.outline, -16)
        self.folds = Waves(rng, 20, 42)
        self._slow, self._grain = Waves(rng, 250, 500, 8), Waves(rng, 10, 40)
        self._tilt = rng.normal(0, 0.0008, 3)
        ventricles = [self._horn(side) for side in (-1, 1)]
        third = Ellipsoid((-8, 4, 0), (14, 16, 2.2))
        self.ventricles = Joined((*ventricles[0], *ventricles[1], third), 2)
        self.deep = tuple(solid for side in (-1, 1) for solid in self._nuclei(side))
        self.lesions: list[tuple[Ellipsoid, float]] = []
        self.paints = list(self._painted())

    def shading(self, z: float, size: int, step: tuple[float, float, float]) -> Voxels:
        """How much brighter the coil and the tissue's own unevenness make each place of a plane; about 1."""
        y, x = places(size, step[1])[:, None], places(size, step[2])[None]
        near = (y / 96) ** 2 + (x / 76) ** 2 + (z / 118) ** 2  # coils see what is near them best
        tilt = self._tilt[0] * z + self._tilt[1] * y + self._tilt[2] * x
        coil = 0.86 + 0.16 * near + 0.04 * self._slow.at(z, y, x) + tilt
        return np.asarray(np.clip(coil, 0.5, 1.15) * (1 + _TEXTURE * self._grain.at(z, y, x)), np.float32)

    def _paint(self, solid: Solid, tissue: BrainTissue) -> Paint:
        return Paint(solid, self.signal[tissue], tissue)

    def _painted(self) -> Iterator[Paint]:
        for depth, tissue in (
            (0.0, BrainTissue.SKIN), (2.0, BrainTissue.FAT), (6.5, BrainTissue.BONE), (8.5, BrainTissue.MARROW),
            (11.0, BrainTissue.BONE), (13.0, BrainTissue.FLUID),
        ):  # fmt: skip
            yield self._paint(Grown(self.outline, -depth), tissue)
        white = Grown(self.brain, -_CORTEX)
        yield self._paint(self.brain, BrainTissue.GRAY)
        yield self._paint(white, BrainTissue.WHITE)
        fissure = Slab(2, -0.9, 0.9)
        for cleft, depth in ((Sheet(self.folds, 0.8), 15.0), (fissure, 34.0)):
            # The cortex follows each cleft down and around its bottom.
            around = Common((Grown(cleft, _CORTEX), self.brain, Outside(Grown(self.brain, -depth - _CORTEX))))
            yield self._paint(around, BrainTissue.GRAY)
        for cleft, depth in ((Sheet(self.folds, 0.8), 15.0), (fissure, 34.0)):
            yield self._paint(Common((cleft, self.outline_of_clefts(depth))), BrainTissue.FLUID)
        for solid in self.deep:
            yield self._paint(solid, BrainTissue.DEEP_GRAY)
        yield self._paint(self.ventricles, BrainTissue.FLUID)
        yield from self._vessels()
        yield from self._painted_lesions()

    def outline_of_clefts(self, depth: float) -> Solid:
        """The outer part of the brain, as deep as clefts go."""
        return Common((self.brain, Outside(Grown(self.brain, -depth))))

    def _horn(self, side: int) -> list[Solid]:
        """A lateral ventricle: front horn, body, back horn."""
        wide = self.rng.uniform(0.8, 1.3)
        course: list[Point] = [(2, -30, side * 7), (10, -8, side * 8), (12, 18, side * 13), (2, 42, side * 22)]
        return list(chain(smooth_path(course, 4), [float(r) for r in wide * np.linspace(5.5, 4.0, 13)]))

    def _nuclei(self, side: int) -> Iterator[Solid]:
        """Caudate nucleus, lentiform nucleus and thalamus."""
        jitter = self.rng.uniform(0.9, 1.1, 3)
        yield Ellipsoid((6, -22, side * 14), (12 * jitter[0], 9, 4.5), side * 0.25)
        yield Ellipsoid((-2, -6, side * 25), (13, 15 * jitter[1], 6), side * -0.2)
        yield Ellipsoid((0, 14, side * 10.5), (11, 12, 7 * jitter[2]), side * 0.3)

    def _vessels(self) -> Iterator[Paint]:
        for _ in range(14):
            place = self.rng.uniform((-60, -60, -45), (60, 60, 45))
            start, heading = (float(place[0]), float(place[1]), float(place[2])), self.rng.normal(size=3)
            course = wander(start, (float(heading[0]), float(heading[1]), float(heading[2])), 7, 8, self.rng)
            for piece in chain(course, float(self.rng.uniform(0.5, 1.1))):
                yield self._paint(Common((piece, self.brain)), BrainTissue.VESSEL)
        sinus = chain([(70.0, -20.0, 0.0), (68.0, 30.0, 0.0), (40.0, 74.0, 0.0), (-60.0, 78.0, 0.0)], 3.5)
        for piece in sinus:
            yield self._paint(piece, BrainTissue.VESSEL)

    def _painted_lesions(self) -> Iterator[Paint]:
        """Round lesions of 3 to 16 mm and 6 to 30 % of the white matter's signal, inside it and apart."""
        white, rng = self.signal[BrainTissue.WHITE], self.rng
        darker = self.signal[BrainTissue.GRAY] < white  # lesions look as gray matter does, or a little the other way
        for radius in np.sort(rng.uniform(1.5, 8, _LESIONS))[::-1]:
            for _ in range(400):
                place = rng.uniform((-50, -66, -50), (50, 66, 50))
                point = (float(place[0]), float(place[1]), float(place[2]))
                if self._free(point, float(radius)):
                    contrast = white * rng.uniform(0.06, 0.3) * rng.choice([1, 1, -1]) * (-1 if darker else 1)
                    lesion = Ellipsoid(point, (radius, radius, radius))
                    self.lesions.append((lesion, float(contrast)))
                    yield Paint(lesion, white + float(contrast), BrainTissue.LESION)
                    break

    def _free(self, point: Point, radius: float) -> bool:
        """White matter alone for `radius` and a margin around."""
        reach = radius + 2.0
        if distance_at(self.brain, point) > -_CORTEX - reach:
            return False
        cleft = Joined((Sheet(self.folds, 0.8), Slab(2, -0.9, 0.9)))
        if distance_at(Common((cleft, self.outline_of_clefts(15 + _CORTEX))), point) < reach + _CORTEX:
            return False
        others = (self.ventricles, *self.deep, *(lesion for lesion, _ in self.lesions))
        return all(distance_at(solid, point) > reach for solid in others)


def _inside(
    head: Head, middle: tuple[float, float, float], step: tuple[float, float, float], scale: float, slices: int
) -> Iterator[Structure]:
    """Lesions that lie in the slices, numbered, with the signal that the coil's shading leaves them."""
    white = head.signal[BrainTissue.WHITE]
    for number, (solid, contrast) in enumerate(head.lesions, 1):
        z, y, x = (m + c / s for m, c, s in zip(middle, solid.centre, step, strict=True))
        if not -0.5 <= z <= slices - 0.5:
            continue
        size = round(2 * middle[1] + 1)
        shade = float(head.shading(solid.centre[0], size, step)[round(y), round(x)])
        sphere = Insert((float(z), float(y), float(x)), float(solid.radii[1] * scale), round(contrast * shade, 3))
        yield Structure(f"lesion {number}", sphere, round(white * shade, 3), "detection")
