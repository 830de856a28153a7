"""The base of the neck between the shoulders: where rays cross most bone, and noise is most uneven."""

from collections.abc import Iterator

import numpy as np

from demottle.physics.phantoms.body import Body, Layer, Tissue
from demottle.physics.phantoms.regions.trunk import Trunk, ball, fat_planes, long_bone, shell, tube
from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown
from demottle.physics.phantoms.skeleton import spine
from demottle.physics.phantoms.vessels import smooth_path

FIELD_OF_VIEW = 470.0


def layers(seed: int) -> Iterator[Layer]:
    """Yield everything, from the skin inward; later layers cover earlier ones."""
    body = Trunk(np.random.default_rng([seed, 13]), 430, 215, (8, 15), 2.3)
    yield from shell(body, 60)
    yield from fat_planes(body, body.wall, 160)
    for side in (-1, 1):
        yield from _axilla(body, side)
    yield from _neck(body)
    yield from spine(body)
    for side in (-1, 1):
        yield from _girdle(body, side)


def _axilla(body: Body, side: int) -> Iterator[Layer]:
    rng = body.rng
    yield Layer(Ellipsoid((-20, -8, side * 118), (60, 26, 24), side * 0.3), -100, Tissue.FAT)
    for _ in range(4):
        place = (float(rng.uniform(-30, 30)), float(rng.uniform(-26, 8)), side * float(rng.uniform(102, 132)))
        yield Layer(Ellipsoid(place, (6, 4.5, 5.5)), 48, Tissue.LESION)
    path = smooth_path([(10, -10, side * 40), (-2, -12, side * 85), (-20, 0, side * 130)])
    yield from tube(path, 4.5, 170, Tissue.VESSEL)
    lung = Ellipsoid((-48, 18, side * 58), (58, 48, 36), power=2.2)
    yield Layer(lung, -850, Tissue.LUNG)
    for _ in range(5):
        start, end = (rng.uniform((-60, -5, 40), (0, 45, 80)) * (1, 1, side) for _ in range(2))
        for layer in tube(np.stack([start, end]), float(rng.uniform(0.8, 1.8)), 40, Tissue.VESSEL):
            yield Layer(Common((layer.solid, Grown(lung, -2))), layer.hu, layer.tissue)


def _neck(body: Body) -> Iterator[Layer]:
    rng = body.rng
    yield Layer(Ellipsoid((0, -28, 0), (400, 34, 44)), -90, Tissue.FAT)
    for side in (-1, 1):
        yield Layer(Ellipsoid((10, -34, side * 19), (28, 13, 9), side * 0.3), 112 + rng.uniform(-8, 8), Tissue.PANCREAS)
        yield from tube(smooth_path([(120, -22, side * 30), (-60, -18, side * 26)]), 4.2, 185, Tissue.VESSEL)
        yield from tube(smooth_path([(120, -26, side * 40), (-60, -28, side * 36)]), 6.5, 165, Tissue.VESSEL)
        yield from tube(smooth_path([(120, -40, side * 40), (-60, -58, side * 14)]), 7.5, 58, Tissue.MUSCLE)
    windpipe = smooth_path([(120, -30, 0), (-120, -16, 0)])
    yield from tube(windpipe, 10.5, 60, Tissue.BOWEL_WALL)
    yield from tube(windpipe, 8.5, -985, Tissue.GAS)
    yield from tube(smooth_path([(120, -4, 5), (-120, 6, 6)]), 7.5, 46, Tissue.BOWEL_WALL)


def _girdle(body: Body, side: int) -> Iterator[Layer]:
    """Upper arm, shoulder blade, collar bone and the first ribs."""
    reach = body.half_width - body.fat - 40
    yield from ball((-4, 6, side * reach), 24, 800, 260)
    blade = smooth_path([(0, 22, side * (reach - 30)), (-5, 48, side * (reach - 70)), (-10, 64, side * (reach - 105))])
    yield from long_bone(blade, 5.5, 2.0, 240)
    collar = smooth_path([(26, -30, side * (reach - 8)), (14, -52, side * 90), (-8, -62, side * 28)])
    yield from long_bone(collar, 6.5, 2.0, 230)
    for z, depth in ((-8, 62), (-34, 72)):
        angles = np.linspace(1.2, -0.7, 12)
        path = np.stack([z + 8 * angles, depth * np.sin(angles) + 5, side * (72 + depth / 6) * np.cos(angles)], axis=1)
        yield from long_bone(path, 4.8, 1.7, 220)
