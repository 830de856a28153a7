import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.quality.edge import disc_edge

SPACING = 0.7
CENTER, RADIUS = (63.3, 64.8), 24.0


def blurred_disc(sigma: float, contrast: float = 35.0, oversampling: int = 8, size: int = 128) -> np.ndarray:
    """A disc blurred by a Gaussian of `sigma` pixels on a fine grid, then sampled (not averaged) at the pixels."""
    fine = np.arange(size * oversampling) / oversampling
    disc = np.hypot(fine[:, None] - CENTER[0], fine[None, :] - CENTER[1]) <= RADIUS
    return gaussian_filter(disc * contrast, sigma * oversampling)[::oversampling, ::oversampling] + 50


@pytest.mark.parametrize("sigma", [0.8, 1.6])
def test_the_curve_is_that_of_the_kernel_within_one_and_a_half_percent(sigma: float) -> None:
    found = disc_edge(blurred_disc(sigma), SPACING, (62, 66), 23)
    true = np.exp(-2 * (np.pi * sigma * SPACING * found.frequency) ** 2)
    assert np.abs(found.ttf - true).max() < 0.015
    half, tenth = (np.sqrt(np.log(level) / (-2 * (np.pi * sigma * SPACING) ** 2)) for level in (0.5, 0.1))
    assert found.f50 == pytest.approx(half, rel=0.015)
    if tenth < 0.5 / SPACING:
        assert found.f10 == pytest.approx(tenth, rel=0.015)
    assert found.center == pytest.approx(CENTER, abs=0.02)
    assert found.contrast == pytest.approx(35, rel=0.01)


def test_a_noisy_edge_is_refused_until_enough_repeats_are_averaged() -> None:
    random = np.random.default_rng(3)
    repeats = blurred_disc(1.2) + random.normal(0, 10, (100, 128, 128))
    with pytest.raises(InputError, match="average more"):
        disc_edge(repeats[0], SPACING, (63, 65), 24)
    found = disc_edge(repeats, SPACING, (63, 65), 24)
    assert found.cnr > 30
    true = np.sqrt(np.log(2) / 2) / (np.pi * 1.2 * SPACING)
    assert found.f50 == pytest.approx(true, rel=0.08)


def test_discs_too_small_or_too_near_the_border_are_refused() -> None:
    with pytest.raises(InputError, match="too small"):
        disc_edge(blurred_disc(1), SPACING, (63, 65), 3)
    with pytest.raises(InputError, match="leave the slice"):
        disc_edge(blurred_disc(1), SPACING, (20, 65), 24)
