import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.quality.truth.similarity import gmsd, vif


@pytest.fixture
def truth() -> np.ndarray:
    return gaussian_filter(np.random.default_rng(5).standard_normal((96, 110)), 3) * 400 + 40


def test_figures_are_those_of_piq(truth) -> None:
    noisy = truth + np.random.default_rng(6).normal(0, 20, truth.shape)
    for image, expected in zip((noisy, gaussian_filter(truth, 2), truth * 1.2 - 8), PIQ, strict=True):
        assert (vif(image, truth), gmsd(image, truth)) == pytest.approx(expected, abs=1e-6)


def test_equal_images_are_perfect_and_more_noise_is_worse(truth) -> None:
    assert vif(truth, truth) == pytest.approx(1, abs=1e-6)
    assert gmsd(truth, truth) == 0
    grain = np.random.default_rng(7).standard_normal(truth.shape)
    assert vif(truth + 40 * grain, truth) < vif(truth + 10 * grain, truth) < 1
    assert gmsd(truth + 40 * grain, truth) > gmsd(truth + 10 * grain, truth) > 0


def test_values_outside_the_window_do_not_count(truth) -> None:
    bone = truth.copy()
    bone[10:20, 10:20] = 800
    assert vif(bone + 300 * (bone > 500), bone) == pytest.approx(1, abs=1e-6)


def test_bad_input_is_one_sentence(truth) -> None:
    with pytest.raises(InputError, match="one shape"):
        vif(truth, truth[:80])
    with pytest.raises(InputError, match="too small"):
        gmsd(truth[:20], truth[:20])
    with pytest.raises(InputError, match="no width"):
        vif(truth, truth, (40, 40))
    with pytest.raises(InputError, match="NaN"):
        vif(truth * np.nan, truth)


# piq 0.8.0, vif_p(..., data_range=255) and gmsd(..., data_range=255), window [-160, 240] HU mapped to 0 ... 255.
PIQ = [
    (0.329438003, 0.048350362),
    (0.627436999, 0.046131155),
    (1.074448170, 0.004489571),
]
