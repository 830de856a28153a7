"""What chest, shoulders and pelvis share: skin, fat with strands, a wall of muscle. Millimeters and HU."""

from collections.abc import Iterator

import numpy as np

from demottle.physics.phantoms.body import REACH, Body, Layer, Tissue
from demottle.physics.phantoms.shapes import Common, Ellipsoid, Grown, Solid
from demottle.physics.phantoms.vessels import chain, wander


class Trunk(Body):
    """A body of another size than the abdomen's."""

    def __init__(
        self, rng: np.random.Generator, width: float, depth: float, fat: tuple[float, float], power: float
    ) -> None:
        """Draw one about `width` by `depth` mm, under so much fat."""
        super().__init__(rng)
        self.half_width, self.half_depth = (half / 2 * rng.uniform(0.95, 1.05) for half in (width, depth))
        self.fat = rng.uniform(*fat)
        self.outline = Ellipsoid((0, 0, 0), (900, self.half_depth, self.half_width), power=power)
        self.wall = Grown(self.outline, -self.fat)
        self.cavity = Grown(self.outline, -self.fat - 15)


def shell(body: Body, strands: int = 40) -> Iterator[Layer]:
    """Skin, fat under it with strands, and muscle in all that is further inside."""
    yield Layer(body.outline, 45, Tissue.SKIN)
    yield Layer(Grown(body.outline, -2), -100, Tissue.FAT)
    for start, heading in starts_under_skin(body, strands):
        for piece in chain(wander(start, heading, 9, 4, body.rng), float(body.rng.uniform(0.4, 1.0))):
            yield Layer(Common((piece, Grown(body.outline, -3))), -30, Tissue.FAT)
    yield Layer(body.wall, 55, Tissue.MUSCLE)


def starts_under_skin(
    body: Body, count: int
) -> Iterator[tuple[tuple[float, float, float], tuple[float, float, float]]]:
    """Random places in the fat, each with a direction along the skin."""
    rng = body.rng
    for _ in range(count):
        angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(4, max(body.fat - 2, 5))
        y, x = (body.half_depth - depth) * np.sin(angle), (body.half_width - depth) * np.cos(angle)
        yield (
            (float(rng.uniform(-REACH, REACH)), float(y), float(x)),
            (float(rng.normal()), float(np.cos(angle)) * 0.7, -float(np.sin(angle)) * 0.7),
        )


def fat_planes(body: Body, inside: Solid, count: int, radius: tuple[float, float] = (0.7, 1.8)) -> Iterator[Layer]:
    """Fat between the bundles of muscle: winding sheets, here as tubes that run along the body."""
    rng = body.rng
    (_, low_y, low_x), (_, high_y, high_x) = inside.box()
    for _ in range(count):
        start = (-REACH, float(rng.uniform(low_y, high_y)), float(rng.uniform(low_x, high_x)))
        for piece in chain(wander(start, (1.5, 0, 0), 14, 16, rng), float(rng.uniform(*radius))):
            yield Layer(Common((piece, inside)), -75, Tissue.FAT)


def long_bone(points: np.ndarray, radius: float, wall: float, marrow: float, cortex: float = 850) -> Iterator[Layer]:
    """A bone along a path: cortex, and marrow inside."""
    pieces = chain(points, radius)
    for piece in pieces:
        yield Layer(piece, cortex, Tissue.BONE)
    for piece in pieces:
        yield Layer(Grown(piece, -wall), marrow, Tissue.MARROW)


def tube(points: np.ndarray, radius: float, hu: float, tissue: Tissue) -> Iterator[Layer]:
    """A vessel or a windpipe."""
    for piece in chain(points, radius):
        yield Layer(piece, hu, tissue)


def ball(center: tuple[float, float, float], radius: float, cortex: float, marrow: float) -> Iterator[Layer]:
    """The head of a long bone."""
    solid = Ellipsoid(center, (radius, radius, radius))
    yield Layer(solid, cortex, Tissue.BONE)
    yield Layer(Grown(solid, -1.6), marrow, Tissue.MARROW)
