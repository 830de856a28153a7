from collections.abc import Callable

import numpy as np
import pytest
from tests.quality.analytic import blurred_disc

from demottle.errors import InputError
from demottle.quality.objects.edge import disc_edge


def gauss(sigma: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda f: np.exp(-2 * (np.pi * sigma * f) ** 2)


def apodized(f: np.ndarray) -> np.ndarray:
    return np.where(f < 0.45, 0.5 + 0.5 * np.cos(np.pi * f / 0.45), 0)


def tailed(f: np.ndarray) -> np.ndarray:
    return 0.85 * gauss(0.9)(f) + 0.15 * gauss(2.5)(f)


def sharpened(f: np.ndarray) -> np.ndarray:
    return gauss(0.9)(f) * (1 + 0.9 * (f / 0.25) ** 2)


def crossing(transfer: Callable[[np.ndarray], np.ndarray], level: float) -> float:
    f = np.linspace(0, 0.7, 70001)
    return float(f[np.argmax(transfer(f) < level)])


@pytest.mark.parametrize(
    ("transfer", "radius", "center", "spacing", "contrast"),
    [
        (gauss(0.7), 8.0, (64.0, 64.0), 0.7, 35.0),
        (gauss(1.0), 5.5, (64.2, 63.9), 1.0, 35.0),
        (gauss(1.6), 24.0, (63.3, 64.8), 0.5, -120.0),
        (gauss(2.5), 12.3, (63.4, 64.8), 0.7, 35.0),
        (apodized, 12.3, (63.4, 64.8), 0.7, -15.0),
        (apodized, 8.0, (64.5, 64.5), 0.7, 300.0),
        (tailed, 12.3, (63.4, 64.8), 0.9, 35.0),
        (tailed, 30.0, (64.0, 64.5), 0.9, 35.0),
        (sharpened, 8.0, (64.0, 64.25), 0.7, 35.0),
        (sharpened, 24.0, (63.3, 64.8), 0.4, -35.0),
    ],
)
def test_f50_and_f10_are_those_of_the_kernel_within_one_and_a_half_percent(
    transfer, radius, center, spacing, contrast
) -> None:
    plane = 50 + blurred_disc(center, radius, contrast, transfer)
    found = disc_edge(plane, spacing, (center[0] + 1, center[1] - 1), 0.95 * radius)
    assert found.f50 == pytest.approx(crossing(transfer, 0.5) / spacing, rel=0.015)
    assert found.f10 == pytest.approx(crossing(transfer, 0.1) / spacing, rel=0.015)
    assert found.center == pytest.approx(center, abs=0.02)
    assert found.radius == pytest.approx(radius, abs=0.02)
    assert found.contrast == pytest.approx(contrast, rel=0.025)


def test_noise_does_not_shift_the_figures_and_the_stated_error_is_right() -> None:
    random = np.random.default_rng(3)
    plane = blurred_disc((63.3, 64.8), 24, 35, gauss(1.0))
    found = [disc_edge(plane + random.normal(0, 35 / 60, plane.shape), 1.0, (63, 65), 24) for _ in range(16)]
    f50, f10 = (np.array([getattr(f, name) for f in found]) for name in ("f50", "f10"))
    assert f50.mean() == pytest.approx(crossing(gauss(1.0), 0.5), rel=0.015)
    assert f10.mean() == pytest.approx(crossing(gauss(1.0), 0.1), rel=0.015)
    assert f50 == pytest.approx(crossing(gauss(1.0), 0.5), rel=0.015)
    for values, name in ((f50, "f50_error"), (f10, "f10_error")):
        stated = np.sqrt(np.mean([getattr(f, name) ** 2 for f in found]))
        assert 0.6 < values.std(ddof=1) / stated < 1.6


def test_a_noisy_edge_is_refused_until_enough_repeats_are_averaged() -> None:
    random = np.random.default_rng(3)
    repeats = blurred_disc((63.3, 64.8), 24, 35, gauss(1.2)) + random.normal(0, 10, (100, 128, 128))
    with pytest.raises(InputError, match="average more"):
        disc_edge(repeats[0], 0.7, (63, 65), 24)
    assert disc_edge(repeats, 0.7, (63, 65), 24).cnr > 30


def test_discs_too_small_too_blurred_or_too_near_the_border_are_refused() -> None:
    plane = blurred_disc((63.3, 64.8), 8, 35, gauss(3.0))
    with pytest.raises(InputError, match="too small"):
        disc_edge(plane, 0.7, (63, 65), 3)
    with pytest.raises(InputError, match="leave the slice"):
        disc_edge(plane, 0.7, (10, 65), 8)
    with pytest.raises(InputError, match="too blurred"):
        disc_edge(plane, 0.7, (63, 65), 8)
    with pytest.raises(InputError, match="NaN"):
        disc_edge(np.full((128, 128), np.nan), 0.7, (63, 65), 8)
    with pytest.raises(InputError, match="spacing"):
        disc_edge(plane, 0.0, (63, 65), 8)


def test_where_no_disc_is_left_none_is_measured() -> None:
    rows, columns = np.mgrid[0:128, 0:128]
    with pytest.raises(InputError, match="contrast-to-noise"):
        disc_edge(0.5 * rows + 0.2 * columns, 0.7, (64.0, 64.0), 12.0)
    for radius in (18.5, 20.0):
        larger = np.where(np.hypot(rows - 64, columns - 64) < radius, 35.0, 0.0)
        with pytest.raises(InputError, match="no disc of radius 12"):
            disc_edge(larger, 0.7, (64.0, 64.0), 12.0)
