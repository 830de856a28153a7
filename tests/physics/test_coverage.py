import numpy as np
import pytest

from demottle.physics.phantoms.coverage import disc_coverage, interval_coverage

PIXEL = (0.7, 0.9)


@pytest.mark.parametrize("radius", [0.05, 0.3, 0.5, 2.0, 6.0])
@pytest.mark.parametrize("center", [(9.0, 11.0), (9.3, 11.2), (9.5, 10.5)])
def test_area_is_exact_however_small_the_disc(radius, center):
    cover = disc_coverage((0, 20), (0, 22), PIXEL, center, radius)
    assert cover.sum() * PIXEL[0] * PIXEL[1] == pytest.approx(np.pi * radius**2, rel=1e-9)
    assert cover.min() >= 0 and cover.max() <= 1


def test_each_pixel_agrees_with_counting_points():
    fine = 200
    y = (np.arange(12 * fine) + 0.5) / fine - 0.5 - 5.3
    x = (np.arange(14 * fine) + 0.5) / fine - 0.5 - 6.8
    inside = (y[:, None] * PIXEL[0]) ** 2 + (x * PIXEL[1]) ** 2 < 2.5**2
    counted = inside.reshape(12, fine, 14, fine).mean(axis=(1, 3))
    np.testing.assert_allclose(disc_coverage((0, 12), (0, 14), PIXEL, (5.3, 6.8), 2.5), counted, atol=2e-3)


def test_a_box_gives_that_part_of_the_whole():
    whole = disc_coverage((0, 20), (0, 22), PIXEL, (9.3, 11.2), 5.0)
    np.testing.assert_allclose(disc_coverage((4, 9), (6, 21), PIXEL, (9.3, 11.2), 5.0), whole[4:9, 6:21], atol=1e-12)


def test_interval():
    np.testing.assert_allclose(interval_coverage(0, 5, 2.0, 2.0, 2.5), [0, 0.75, 1, 0.75, 0])
    np.testing.assert_array_equal(interval_coverage(0, 3, 2.0, 1.0, np.inf), [1, 1, 1])
