"""A pelvis: hip bones with trabecular marrow, sacrum, bladder, bowel and vessels; on request an artificial hip of metal."""

from collections.abc import Iterator

import numpy as np

from demottle.physics.phantoms.body import Body, Layer, Tissue
from demottle.physics.phantoms.regions.trunk import Trunk, ball, fat_planes, long_bone, shell, tube
from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown, Outside, Slab
from demottle.physics.phantoms.vessels import chain, smooth_path, wander

FIELD_OF_VIEW = 390.0
METAL_HU = 3071.0
"""The largest number that 12 bits hold: what scanners store of metal."""
_SACRUM, _HIPS = 30.0, -45.0  # mm: heights of the middle of the sacrum and of the hip joints


def layers(seed: int) -> Iterator[Layer]:
    """Yield everything, from the skin inward; later layers cover earlier ones."""
    return _layers(seed, metal=False)


def layers_with_metal(seed: int) -> Iterator[Layer]:
    """The same with a metal joint in the right hip."""
    return _layers(seed, metal=True)


def _layers(seed: int, metal: bool) -> Iterator[Layer]:
    body = Trunk(np.random.default_rng([seed, 14]), 345, 235, (14, 28), 2.3)
    yield from shell(body, 70)
    yield from fat_planes(body, body.wall, 140)
    yield Layer(Ellipsoid((0, -12, 0), (400, 68, 94), power=2.3), -98, Tissue.FAT)
    yield from _bowel(body)
    yield from _organs(body)
    for side in (-1, 1):
        yield from _hip(side, metal and side < 0)
    sacrum = Ellipsoid((_SACRUM, 60, 0), (70, 17, 44), power=2.4)
    yield Layer(sacrum, 560, Tissue.BONE)
    yield Layer(Grown(sacrum, -1.8), 170, Tissue.MARROW)
    for x in (-24, -12, 12, 24):
        yield from tube(np.array([(_SACRUM - 40, 60, x), (_SACRUM + 40, 60, x)]), 3.0, -40, Tissue.FAT)


def _bowel(body: Body) -> Iterator[Layer]:
    rng = body.rng
    inside = Ellipsoid((0, -14, 0), (400, 64, 88), power=2.3)
    for _ in range(18):
        start = (float(rng.uniform(-20, 100)), float(rng.uniform(-55, 20)), float(rng.uniform(-70, 70)))
        pieces = chain(
            wander(start, (0.3, float(rng.normal()), float(rng.normal())), 10, 6, rng), float(rng.uniform(7, 12))
        )
        for by, hu, tissue in ((0.0, 70.0, Tissue.BOWEL_WALL), (-2.2, float(rng.uniform(2, 40)), Tissue.FLUID)):
            for piece in pieces:
                yield Layer(Common((Grown(piece, by), inside)), hu, tissue)
        if rng.random() < 0.25:
            for piece in pieces:
                top = Slab(1, -400, start[1] - 2)
                yield Layer(Common((Grown(piece, -2.2), inside, top)), -930, Tissue.GAS)


def _organs(body: Body) -> Iterator[Layer]:
    rng = body.rng
    bladder = Ellipsoid((-52, -38 + rng.uniform(-5, 5), 0), (44, 28, 42))
    yield Layer(bladder, 48, Tissue.BOWEL_WALL)
    yield Layer(Grown(bladder, -4), 5, Tissue.FLUID)
    yield Layer(Ellipsoid((-62, 4, 0), (26, 15, 24)), 62, Tissue.PANCREAS)
    rectum = smooth_path([(60, 34, 12), (0, 34, 0), (-100, 38, 0)])
    yield from tube(rectum, 14, 52, Tissue.BOWEL_WALL)
    yield from tube(rectum, 10, 25, Tissue.FLUID)
    yield from tube(rectum + np.array((0, -4, 0)), 5, -930, Tissue.GAS)
    for side in (-1, 1):
        course = smooth_path([(110, 20, side * 26), (20, -20, side * 66), (-60, -70, side * 78)])
        yield from tube(course, 5, 165, Tissue.VESSEL)
        yield from tube(course + np.array((0, 9, -side * 5)), 6, 120, Tissue.VESSEL)
        for _ in range(3):
            place = course[rng.integers(3, len(course) - 2)] + rng.normal(0, 6, 3)
            yield Layer(Ellipsoid((float(place[0]), float(place[1]), float(place[2])), (6, 4, 5)), 60, Tissue.LESION)


def _hip(side: int, metal: bool) -> Iterator[Layer]:
    """Wing of the ilium above, socket and head of the thigh bone below."""
    wing = smooth_path([(90, -32, side * 122), (80, 0, side * 112), (60, 34, side * 76), (40, 56, side * 50)])
    for drop in (0, 24, 48):
        yield from long_bone(wing - (drop, 0, side * drop * 0.25), 8, 1.8, 200, 800)
    center = (_HIPS, -2.0, side * 92.0)
    joint = Ellipsoid(center, (32, 32, 32))
    socket = Common((joint, Outside(Grown(joint, -5)), Slab(2, -97, 97)))
    yield Layer(Common((Ellipsoid((_HIPS, 0, side * 70.0), (40, 34, 20)), Outside(Grown(joint, -5)))), 640, Tissue.BONE)
    yield Layer(Common((Ellipsoid((_HIPS, 0, side * 70.0), (38, 32, 18)), Outside(joint))), 210, Tissue.MARROW)
    neck = np.array([center, (_HIPS - 30, 4.0, side * 120.0), (_HIPS - 90, 6.0, side * 132.0)])
    if metal:
        yield Layer(Common((joint, Outside(Grown(joint, -4)), Slab(2, -96, 96))), METAL_HU, Tissue.METAL)
        yield Layer(Ellipsoid(center, (16, 16, 16)), METAL_HU, Tissue.METAL)
        yield from long_bone(neck[1:], 14, 4, 100)
        yield from tube(neck, 6, METAL_HU, Tissue.METAL)
        return
    yield Layer(socket, 750, Tissue.BONE)
    yield from ball(center, 24, 700, 290)
    yield from long_bone(neck, 15, 3.0, 180)
