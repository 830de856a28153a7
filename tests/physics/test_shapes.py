import numpy as np
import pytest

from demottle.physics.phantoms.shapes import Capsule, Common, Ellipsoid, Grown, Joined, Slab, distance_at

BALL = Ellipsoid((0, 0, 0), (10, 10, 10))


@pytest.mark.parametrize(
    ("solid", "point", "expected"),
    [
        (BALL, (0, 9, 0), -1),
        (BALL, (0, 0, 12), 2),
        (Grown(BALL, 2), (0, 12, 0), 0),
        (Ellipsoid((0, 0, 0), (5, 20, 10), turn=np.pi / 2), (0, 0, 20), 0),
        (Ellipsoid((0, 0, 0), (np.inf, 4, 4)), (500, 0, 5), 1),
        (Capsule((0, 0, 0), (0, 0, 10), 2, 4), (0, 3, 5), 0),
        (Capsule((0, 0, 0), (0, 0, 10), 2, 4), (0, 0, -5), 3),
        (Slab(0, -2, 6), (7, 50, 50), 1),
        (Common((BALL, Slab(1, -20, 0))), (0, 5, 0), 5),
        (Joined((BALL, Ellipsoid((0, 0, 30), (5, 5, 5)))), (0, 0, 25), 0),
    ],
)
def test_distance(solid, point, expected):
    assert distance_at(solid, point) == pytest.approx(expected, abs=1e-3)


def test_middle_of_an_ellipsoid_is_inside():
    assert distance_at(BALL, (0, 0, 0)) < 0


@pytest.mark.parametrize(
    "solid",
    [
        Ellipsoid((3, -4, 5), (9, 20, 8), turn=0.7, power=2.4),
        Capsule((0, 5, -9), (12, -8, 6), 2, 5),
        Joined((BALL, Ellipsoid((0, 0, 16), (8, 8, 8))), 6),
        Grown(Common((BALL, Slab(2, -3, 30))), 1.5),
    ],
)
def test_nothing_of_a_solid_lies_outside_its_box(solid):
    low, high = solid.box()
    grid = np.linspace(-40, 40, 81, dtype=np.float32)
    planes = [(z, solid.distance(float(z), grid[:, None], grid[None]) < 0) for z in grid]
    assert any(inside.any() for _, inside in planes)
    for z, inside in planes:
        if inside.any():
            assert low[0] <= z <= high[0]
            rows, columns = np.nonzero(inside)
            assert low[1] <= grid[rows].min() and grid[rows].max() <= high[1]
            assert low[2] <= grid[columns].min() and grid[columns].max() <= high[2]
