"""An analytic neck with shoulders: the anatomy with the most uneven noise of any scan. Millimeters and HU.

Where the shoulders are, rays from the side are attenuated a hundred times more than those from the front, so that noise runs in
streaks from shoulder to shoulder; a few centimeters above it is a fifth as strong.
"""

from collections.abc import Callable, Iterator

import numpy as np

from demottle.image import Image
from demottle.physics.painting import Paint, paint_slices
from demottle.physics.shapes import Capsule, Common, Ellipsoid, Grown, Joined, Slab, Solid

_AIR = -1000.0


def neck(slices: int, size: int, spacing: tuple[float, float, float], seed: int) -> Image:
    """Return a noise-free neck (slices, size, size), the shoulders in its first half; 500 mm wide in all."""
    voxels, _ = paint_slices(_layers(np.random.default_rng([seed, 77])), slices, size, spacing, _AIR)
    return Image(voxels, spacing, modality="CT", unit="HU", slice_thickness=spacing[0])


def _layers(random: np.random.Generator) -> Iterator[Paint]:
    def about(value: float, share: float = 0.08) -> float:
        return float(value * random.uniform(1 - share, 1 + share))

    def paint(solid: Solid, value: float) -> Paint:
        return Paint(solid, value, 1)

    throat = Ellipsoid((0, 0, 0), (np.inf, about(62), about(66)))
    girdle = Ellipsoid((-30, 15, 0), (about(60), about(80), about(225)), power=2.6)
    skin = Joined((throat, girdle), 35)
    inside = Grown(skin, -about(9, 0.3))
    yield paint(skin, 40)
    yield paint(Grown(skin, -2), -100)
    yield paint(inside, -80)
    for _ in range(70):  # bundles of muscle, fat between them
        side = float(random.choice([-1, 1]))
        x, y = side * random.uniform(15, 205), random.uniform(-45, 80)
        at, radii = (random.uniform(-60, 40), y, x), (about(60, 0.5), random.uniform(6, 17), random.uniform(10, 34))
        yield paint(Common((Ellipsoid(at, radii, random.uniform(-0.7, 0.7), 2.3), Grown(inside, -1.5))), about(58, 0.1))
    for side in (-1, 1):
        yield from _side(side, random, inside, about)
    yield from _middle(about)


def _side(side: int, random: np.random.Generator, inside: Solid, about: Callable[[float, float], float]) -> Iterator[Paint]:
    """Humerus, shoulder blade, collar bone, vessels, thyroid and nodes of one side."""
    x = side * 180.0
    bones: list[tuple[Solid, float]] = [
        (Ellipsoid((-45, 20, x), (25, 24, 25)), 4.0),
        (Capsule((-30, -25, side * 20.0), (-20, -15, side * 140.0), 6.5, 6.5), 2.2),
        (Capsule((-60, 62, side * 70.0), (-25, 55, side * 165.0), 6.0, 9.0), 2.0),
        (Capsule((-45, 60, side * 40.0), (-60, 30, side * 95.0), 5.0, 4.5), 1.6),  # first rib
    ]
    for bone, cortex in bones:
        yield Paint(bone, 750, 2)
        yield Paint(Grown(bone, -cortex), 190, 2)
    for y, off, radius, value in ((-8, 27, 4.0, 190), (-12, 34, 6.0, 130), (0, 45, 2.2, 170)):
        yield Paint(Capsule((-90, y + 6, side * (off - 4.0)), (60, y, side * float(off)), radius, radius), value, 3)
    yield Paint(Ellipsoid((-5, -22, side * 17.0), (26, 11, 9)), 110, 4)
    for _ in range(9):
        at = (random.uniform(-40, 40), random.uniform(-15, 35), side * random.uniform(38, 90))
        radius = random.uniform(2.5, 6)
        yield Paint(Common((Ellipsoid(at, (radius,) * 3), Grown(inside, -4))), random.uniform(60, 95), 5)


def _middle(about: object) -> Iterator[Paint]:
    """Spine, windpipe and gullet."""
    column = Ellipsoid((0, 22, 0), (np.inf, 10, 13), power=2.4)
    yield Paint(column, 90, 2)
    canal = Ellipsoid((0, 42, 0), (np.inf, 8, 11))
    for level in range(-6, 7):
        z = 18.0 * level
        vertebra = Common((column, Slab(0, z - 6.5, z + 6.5)))
        yield Paint(vertebra, 600, 2)
        yield Paint(Grown(vertebra, -1.5), 260, 2)
        yield Paint(Common((Grown(canal, 4), Slab(0, z - 6, z + 4))), 560, 2)
        yield Paint(Capsule((z, 50, 0), (z - 6, 74, 0), 4.0, 3.0), 500, 2)
        for side in (-1, 1):
            yield Paint(Capsule((z, 26, side * 10.0), (z, 30, side * 26.0), 4.5, 3.5), 500, 2)
    yield Paint(canal, 15, 6)
    yield Paint(Ellipsoid((0, 42, 0), (np.inf, 4, 6)), 40, 6)
    yield Paint(Ellipsoid((0, -18, 0), (np.inf, 10.5, 11.5)), 110, 7)
    yield Paint(Ellipsoid((0, -18, 0), (np.inf, 8.5, 9)), _AIR, 7)
    yield Paint(Ellipsoid((0, 2, -3), (np.inf, 5, 7)), 40, 7)
