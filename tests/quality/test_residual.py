import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import body, ct, noise

from demottle.quality.check.residual import edge_test, edge_tests


def test_removing_exactly_the_noise_shows_no_edges() -> None:
    truth = body()
    found = edge_test(ct(truth + noise(truth.shape)), ct(truth))
    assert abs(found.correlation) < 0.03
    assert abs(found.lost_share) < 0.03
    assert found.deviation == pytest.approx(1, abs=0.05)


def test_removing_noise_in_part_shows_no_edges() -> None:
    """What is left and what is removed correlate here, as in any real filter."""
    truth = body()
    grain = noise(truth.shape)
    found = edge_test(ct(truth + grain), ct(truth + gaussian_filter(grain, (0, 1.2, 1.2))))
    assert abs(found.correlation) < 0.03


@pytest.mark.parametrize("width", [0.8, 1.5])
def test_blurred_edges_are_found_and_measured(width: float) -> None:
    truth = body()
    found = edge_test(ct(truth + noise(truth.shape)), ct(gaussian_filter(truth, (0, width, width))))
    assert found.correlation > 0.3
    assert found.correlation > 4 * found.error


def test_sharpened_edges_give_a_negative_correlation() -> None:
    truth = body()
    sharper = truth + 0.5 * (truth - gaussian_filter(truth, (0, 2, 2)))
    assert edge_test(ct(truth + noise(truth.shape)), ct(sharper)).correlation < -0.2


def test_the_share_lost_is_that_of_the_structure() -> None:
    truth = body()
    band = gaussian_filter(truth, (0, 1, 1)) - gaussian_filter(truth, (0, 3, 3))
    found = edge_test(ct(truth + noise(truth.shape, 5)), ct(truth - 0.1 * band))
    assert found.lost_share == pytest.approx(0.1, abs=0.01)


def test_an_image_without_foreground_is_unknown_not_good() -> None:
    assert np.isnan(edge_test(ct(np.full((2, 64, 64), -1000.0)), ct(np.full((2, 64, 64), -1000.0))).correlation)


def test_the_rims_of_skin_and_gas_and_the_mattress_are_not_called_lung() -> None:
    """Air, skin, tissue with a bubble of gas, a mattress: all have a lung's CT numbers somewhere, but no lung is there."""
    y, x = np.mgrid[:160, :160]
    plane = np.where((x - 80) ** 2 + (y - 80) ** 2 < 65**2, 40.0, -1000.0)
    plane[(x - 60) ** 2 + (y - 80) ** 2 < 15**2] = -1000
    plane[(y > 100) & (plane == -1000)] = -870
    truth = gaussian_filter(np.repeat(plane[None], 6, axis=0), (0, 1, 1))
    scan = ct(truth + noise(truth.shape))
    assert [test.region for test in edge_tests(scan, ct(truth))] == ["soft tissue"]


def test_a_lung_with_vessels_is_a_lung() -> None:
    y, x = np.mgrid[:160, :160]
    plane = np.where((x - 80) ** 2 + (y - 80) ** 2 < 70**2, 40.0, -1000.0)
    plane[(x - 60) ** 2 + (y - 80) ** 2 < 40**2] = -850
    plane[(x % 16 < 2) & (y % 16 < 2) & (plane == -850)] = 40
    truth = gaussian_filter(np.repeat(plane[None], 6, axis=0), (0, 1, 1))
    scan = ct(truth + noise(truth.shape))
    assert {test.region for test in edge_tests(scan, ct(truth))} == {"soft tissue", "lung"}
