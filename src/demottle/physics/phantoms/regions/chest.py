"""A chest: lungs with vessels, airways and nodules, heart and great vessels, ribs and spine."""

from collections.abc import Iterator, Sequence

import numpy as np

from demottle.physics.phantoms.body import Body, Layer, Tissue
from demottle.physics.phantoms.regions.trunk import Trunk, fat_planes, shell, tube
from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown, Solid
from demottle.physics.phantoms.skeleton import ribs, spine
from demottle.physics.phantoms.vessels import smooth_path, tree

FIELD_OF_VIEW = 370.0
_NODULES = 14


def layers(seed: int) -> Iterator[Layer]:
    """Yield everything, from the skin inward; later layers cover earlier ones."""
    body = Trunk(np.random.default_rng([seed, 12]), 325, 225, (8, 18), 2.4)
    yield from shell(body)
    yield from fat_planes(body, body.wall, 70)
    yield Layer(body.cavity, -95, Tissue.FAT)
    for side in (-1, 1):
        yield from _lung(body, side)
    yield from _middle(body)
    yield from spine(body)
    yield from ribs(body)


def _lung(body: Body, side: int) -> Iterator[Layer]:
    rng = body.rng
    lung = Common((Ellipsoid((-5, 2, side * 78), (170, 90, 66), side * -0.08, 2.5), Grown(body.cavity, 2)))
    yield Layer(lung, -865 + rng.uniform(-15, 15), Tissue.LUNG)
    inner = Grown(lung, -1.5)
    for z in np.linspace(-100, 100, 9):
        for kind in ("vessel", "vessel", "airway"):
            start = (float(z + rng.normal(0, 6)), float(rng.normal(5, 14)), side * 34.0)
            heading = (float(rng.normal(0, 0.5)), float(rng.normal(0, 0.7)), side * 0.8)
            yield from _branches(tree(start, heading, 3.4 if kind == "vessel" else 3.8, 20, 5, rng), inner, kind)
    for _ in range(_NODULES):
        place = (float(rng.uniform(-60, 60)), float(rng.uniform(-60, 60)), side * float(rng.uniform(45, 115)))
        radius = float(rng.uniform(2.0, 5.5))
        nodule = Common((Ellipsoid(place, (radius, radius, radius)), inner))
        yield Layer(nodule, float(rng.choice([35.0, 35.0, -640.0])), Tissue.LESION)


def _branches(pieces: Sequence[Solid], inner: Solid, kind: str) -> Iterator[Layer]:
    for piece in pieces:
        yield Layer(Common((piece, inner)), 45 if kind == "vessel" else 0, Tissue.VESSEL)
    if kind == "airway":
        for piece in pieces:
            yield Layer(Common((Grown(piece, -0.9), inner)), -985, Tissue.GAS)


def _middle(body: Body) -> Iterator[Layer]:
    rng = body.rng
    yield Layer(Ellipsoid((0, 0, 0), (400, 62, 30), power=2.4), -95, Tissue.FAT)
    heart = Ellipsoid((-45, -22, 20 + rng.uniform(-5, 5)), (62, 46, 58), 0.35)
    yield Layer(Grown(heart, 3), -95, Tissue.FAT)
    yield Layer(heart, 62, Tissue.HEART)
    yield Layer(Grown(heart, -11), 160, Tissue.VESSEL)
    yield from tube(smooth_path([(120, 20, 26), (40, 26, 24), (-120, 28, 20)]), 12.5, 165, Tissue.VESSEL)
    yield from tube(smooth_path([(25, -12, 14), (60, -14, -2), (84, 4, 18)]), 14, 168, Tissue.VESSEL)
    yield from tube(smooth_path([(120, -14, -26), (0, -8, -28)]), 9.5, 175, Tissue.VESSEL)
    yield from tube(smooth_path([(120, 14, 6), (-120, 24, 4)]), 8, 48, Tissue.BOWEL_WALL)
    windpipe = smooth_path([(130, -2, 0), (40, 4, 0)])
    yield from tube(windpipe, 10, 45, Tissue.BOWEL_WALL)
    yield from tube(windpipe, 8.5, -985, Tissue.GAS)
    for side in (-1, 1):
        bronchus = smooth_path([(42, 4, side * 4), (22, 8, side * 36)])
        yield from tube(bronchus, 7.5, 40, Tissue.BOWEL_WALL)
        yield from tube(bronchus, 6, -985, Tissue.GAS)
    for _ in range(8):  # lymph nodes
        place = (float(rng.uniform(-20, 80)), float(rng.uniform(-30, 30)), float(rng.uniform(-24, 24)))
        yield Layer(Ellipsoid(place, (5, 4, 6)), 52, Tissue.LESION)
