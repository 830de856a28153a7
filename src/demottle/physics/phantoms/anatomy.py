"""The abdomen of the body phantom: what is painted over what, in mm, from the lung bases to the lower poles of the kidneys.

An adult 320 mm wide in the portal venous phase of contrast, after textbook anatomy; CT numbers are typical of 120 kVp. The
seed moves, turns and scales the organs and draws vessels, bowel, and lesions.
"""

from collections.abc import Iterator

import numpy as np

from demottle.physics.phantoms.body import REACH, Body, Layer, Tissue
from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown, Joined, Point, Slab, distance_at
from demottle.physics.phantoms.skeleton import muscles, ribs, spine
from demottle.physics.phantoms.vessels import chain, smooth_path, tree, wander


def layers(seed: int) -> list[Layer]:
    """Everything the phantom is made of, from the skin inward; later layers cover earlier ones."""
    body = Body(np.random.default_rng([seed, 1]))
    parts = (
        _shell,
        _lungs,
        _bowel,
        _solid_organs,
        _kidneys,
        _great_vessels,
        _stomach,
        muscles,
        spine,
        ribs,
        _lesions,
    )
    return [layer for part in parts for layer in part(body)]


def _shell(body: Body) -> Iterator[Layer]:
    rng = body.rng
    yield Layer(body.outline, 40, Tissue.SKIN)
    yield Layer(Grown(body.outline, -2), -105, Tissue.FAT)
    for _ in range(40):  # septa and small vessels under the skin
        angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(4, max(body.fat - 2, 5))
        y, x = (body.half_depth - depth) * np.sin(angle), (body.half_width - depth) * np.cos(angle)
        start = (rng.uniform(-REACH, REACH), float(y), float(x))
        heading = (rng.normal(), float(np.cos(angle)) * 0.7, -float(np.sin(angle)) * 0.7)
        for piece in chain(wander(start, heading, 9, 4, rng), rng.uniform(0.5, 1.0)):
            yield Layer(Common((piece, Grown(body.outline, -3))), -30, Tissue.FAT)
    yield Layer(body.wall, 55, Tissue.MUSCLE)
    for depth in (4.5, 8.5):  # fat between the layers of the abdominal wall
        yield Layer(Grown(body.wall, -depth), -60, Tissue.FAT)
        yield Layer(Grown(body.wall, -depth - 0.9), 55, Tissue.MUSCLE)
    yield Layer(body.cavity, -100, Tissue.FAT)


def _lungs(body: Body) -> Iterator[Layer]:
    rng = body.rng
    for side in (-1, 1):
        lung = Common((Ellipsoid((95, 18, side * 78), (75, 78, 62), power=2.3), Grown(body.cavity, -1)))
        yield Layer(lung, -860, Tissue.LUNG)
        for _ in range(3):
            start = (85 + rng.uniform(-10, 10), 15 + rng.uniform(-20, 20), side * 45.0)
            for piece in tree(start, (-0.6, rng.normal(0, 0.5), side * 0.7), 3.0, 22, 4, rng):
                yield Layer(Common((piece, Grown(lung, -2))), 40, Tissue.VESSEL)
    yield Layer(Ellipsoid((92, -28, 22), (44, 46, 58), 0.3), 60, Tissue.HEART)
    yield Layer(Ellipsoid((92, -28, 26), (34, 34, 44), 0.3), 150, Tissue.VESSEL)


def _bowel(body: Body) -> Iterator[Layer]:
    rng = body.rng
    edge = body.half_width - body.fat - 13
    ascending: list[Point] = [(-130, 5, -edge + 24), (-85, 0, -edge + 26), (-62, -15, -edge + 30)]
    transverse: list[Point] = [ascending[-1], (-52, -58, -60), (-60, -72, 0), (-48, -62, 55), (-20, -20, edge - 24)]
    descending: list[Point] = [transverse[-1], (-60, 25, edge - 18), (-130, 30, edge - 16)]
    for points, radius in ((ascending, 21.0), (transverse, 16.0), (descending, 13.0)):
        yield from _loop(body, smooth_path(points), radius * rng.uniform(0.85, 1.1), rng.uniform(5, 45), True)
    for _ in range(16):
        start = (rng.uniform(-130, -40), rng.uniform(-62, -5), rng.uniform(-75, 85))
        path = wander(start, (rng.normal(0, 0.5), rng.normal(), rng.normal()), 11, 6, rng)
        yield from _loop(body, path, rng.uniform(8, 12), rng.uniform(5, 40), bool(rng.random() < 0.3))
    for _ in range(5):  # mesentery
        start = (rng.uniform(-30, 0), -15.0, rng.uniform(-5, 15))
        for piece in tree(start, (-1, -0.5, rng.normal(0, 0.6)), 3.2, 24, 4, rng):
            yield Layer(Common((piece, Grown(body.cavity, -5))), 140, Tissue.VESSEL)


def _loop(body: Body, path: np.ndarray, radius: float, content: float, gas: bool) -> Iterator[Layer]:
    """A loop of bowel: wall, content, and gas where it has risen."""
    inside = Grown(body.cavity, -2)
    widths = list(radius * (1 + 0.12 * np.sin(1.7 * np.arange(len(path)))))
    pieces = chain(path, widths)
    for piece in pieces:
        yield Layer(Common((piece, inside)), 75, Tissue.BOWEL_WALL)
    for piece in pieces:
        yield Layer(Common((Grown(piece, -2.2), inside)), content, Tissue.FLUID)
    if gas:
        level = float(np.median(path[:, 1])) - radius * 0.25  # gas rises to the front
        for piece in pieces:
            yield Layer(Common((Grown(piece, -2.2), inside, Slab(1, -400, level))), -930, Tissue.GAS)


def _solid_organs(body: Body) -> Iterator[Layer]:
    rng = body.rng
    yield Layer(body.liver, 108, Tissue.LIVER)
    yield Layer(body.spleen, 122, Tissue.SPLEEN)
    inner = Grown(body.liver, -3)
    porta = (6.0, -8.0, -28.0)
    for heading, radius in (
        ((0.2, 0.1, -1), 5.5),
        ((0.6, -0.2, -0.8), 4.5),
        ((-0.7, 0.1, -0.7), 4.5),
        ((0.5, -1, 0.2), 4),
    ):
        for piece in tree(porta, heading, radius, 26, 5, rng):
            yield Layer(Common((piece, inner)), 165, Tissue.VESSEL)
    for heading in ((-0.6, -0.1, -0.8), (-0.7, -0.5, -0.3), (-0.3, -0.9, 0.3)):  # hepatic veins meet at the top
        for piece in tree((50, 5, -25), heading, 4.5, 28, 4, rng):
            yield Layer(Common((piece, inner)), 155, Tissue.VESSEL)
    gallbladder = Ellipsoid((-28, -42 + rng.uniform(-5, 5), -52), (26, 17, 14), 0.3)
    yield Layer(gallbladder, 60, Tissue.BOWEL_WALL)
    yield Layer(Grown(gallbladder, -1.8), 8, Tissue.FLUID)
    pancreas: list[Point] = [(-24, -8, -22), (-12, -18, 0), (-2, -14, 28), (6, 2, 62)]
    for piece in chain(smooth_path(pancreas), [float(r) for r in np.linspace(12, 8, 16)]):
        yield Layer(piece, 92, Tissue.PANCREAS)
    for piece in chain([(-2.0, -7.0, 4.0), (4.0, 8.0, 60.0), (14.0, 22.0, 80.0)], 4):
        yield Layer(piece, 165, Tissue.VESSEL)  # splenic vein


def _kidneys(body: Body) -> Iterator[Layer]:
    rng = body.rng
    for side, height in ((-1, -38.0), (1, -26.0)):
        z, y, x = height + rng.uniform(-6, 6), 40.0, side * (70 + rng.uniform(-3, 3))
        kidney = Ellipsoid((z, y, x), (52, 24, 27), side * 0.4, 2.2)
        yield Layer(Grown(kidney, 1), -20, Tissue.FAT)
        yield Layer(kidney, 190, Tissue.KIDNEY)
        for dz in range(-36, 37, 12):
            for angle in (-0.9, 0.0, 0.9):
                out = 15 * np.sqrt(1 - (dz / 52) ** 2)
                place = (z + dz, y + out * np.sin(angle), x + side * out * np.cos(angle))
                yield Layer(Ellipsoid(place, (5.5, 5.0, 6.5)), 135, Tissue.KIDNEY)
        sinus = Ellipsoid((z, y - 3, x - side * 13), (28, 9, 17), side * 0.3)
        yield Layer(sinus, -85, Tissue.FAT)
        yield Layer(Ellipsoid((z - 4, y - 2, x - side * 12), (14, 5, 9)), 20, Tissue.FLUID)
        for width, hu, dy in ((3.0, 175.0, -4.0), (5.0, 165.0, -9.0)):  # artery and vein
            for piece in chain(
                [(z + 4, 12.0 + dy, side * 8.0), (z + 3, 24.0 + dy, side * 36.0), (z, y + dy, x - side * 8)], width
            ):
                yield Layer(piece, hu, Tissue.VESSEL)


def _great_vessels(body: Body) -> Iterator[Layer]:
    aorta = smooth_path([(130, 26, 22), (60, 20, 14), (0, 13, 9), (-60, 12, 6), (-130, 14, 4)])
    for wall, hu in ((1.2, 60), (0.0, 178)):
        for piece in chain(aorta, [float(r + wall) for r in np.linspace(11.5, 8.5, len(aorta))]):
            yield Layer(piece, hu, Tissue.VESSEL)
    for piece in chain(smooth_path([(130, -5, -20), (55, 3, -24), (0, 10, -22), (-130, 14, -20)]), 11.5):
        yield Layer(piece, 150, Tissue.VESSEL)
    for _ in range(4):  # plaque in the wall of the aorta
        angle, point = body.rng.uniform(0, 2 * np.pi), aorta[body.rng.integers(4, len(aorta) - 2)]
        place = (point[0], point[1] + 10 * np.sin(angle), point[2] + 10 * np.cos(angle))
        yield Layer(Ellipsoid(place, (4, 1.6, 1.6)), 650, Tissue.BONE)
    portal = chain([(-25.0, -6.0, 2.0), (-8.0, -8.0, -6.0), (6.0, -8.0, -28.0)], [6.0, 7.0, 6.0])
    mesenteric = chain(
        [(-4.0, 4.0, 8.0), (-10.0, -8.0, 8.0), (-60.0, -14.0, 8.0), (-130.0, -20.0, 2.0)], [4.0, 3.6, 3.3, 3.0]
    )
    coeliac = chain([(8.0, 4.0, 9.0), (10.0, -8.0, 6.0), (8.0, -12.0, -14.0)], 3.4)
    for piece in [*portal, *mesenteric, *coeliac]:
        yield Layer(piece, 172, Tissue.VESSEL)


def _stomach(body: Body) -> Iterator[Layer]:
    fundus = Ellipsoid((34, -18, 70), (46, 42, 34), -0.3)
    antrum = Ellipsoid((2, -52, 30), (22, 20, 44), 0.25)
    outer = Common((Joined((fundus, antrum), 20), Grown(body.cavity, -2)))
    inner = Grown(outer, -4.5)
    yield Layer(outer, 78, Tissue.BOWEL_WALL)
    yield Layer(inner, 22, Tissue.FLUID)
    yield Layer(Common((inner, Slab(1, -400, -32 + body.rng.uniform(-8, 4)))), -940, Tissue.GAS)


def _lesions(body: Body) -> Iterator[Layer]:
    """Round lesions of 5 to 20 mm and 10 to 35 HU, most of them dark, well inside liver and spleen and apart."""
    rng = body.rng
    placed: list[tuple[np.ndarray, float]] = []
    for organ, hu, count in ((body.liver, 108, 12), (body.spleen, 122, 3)):
        low, high = organ.box()
        radii = np.sort(rng.uniform(2.5, 10, count))[::-1]  # the large ones first, while there is room
        for radius in radii if organ is body.liver else radii * 0.7:
            for _ in range(200):
                place = rng.uniform(np.maximum(low, -55), np.minimum(high, 55))
                point = (float(place[0]), float(place[1]), float(place[2]))
                apart = all(np.linalg.norm(place - other) > radius + reach + 6 for other, reach in placed)
                if apart and distance_at(organ, point) < -radius - 4:
                    contrast = float(rng.uniform(10, 35) * rng.choice([-1, -1, 1]))
                    placed.append((place, radius))
                    yield Layer(Ellipsoid(point, (radius, radius, radius)), hu + contrast, Tissue.LESION, contrast)
                    break
