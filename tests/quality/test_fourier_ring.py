import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.quality.truth.fourier_ring import ring_correlation


@pytest.fixture
def truth() -> np.ndarray:
    return gaussian_filter(np.random.default_rng(1).standard_normal((3, 160, 192)), (0, 1.5, 1.5)) * 200 + 40


def test_a_filtered_truth_is_wholly_explained_and_noise_is_not(truth) -> None:
    found = ring_correlation(gaussian_filter(truth, (0, 1, 1)), truth, 0.8)
    assert found.correlation[:16] == pytest.approx(1, abs=0.02)
    assert found.frequency[-1] == pytest.approx(0.5 / 0.8)
    noise = np.random.default_rng(2).normal(0, 20, truth.shape)
    # The rings end at Nyquist: white noise has pi / 4 of its power there.
    unexplained = ring_correlation(truth + noise, truth, 0.8).unexplained
    assert np.sqrt((unexplained**2).mean()) == pytest.approx(20 * np.sqrt(np.pi / 4), rel=0.02)


def test_the_correlation_is_that_of_signal_and_noise_power(truth) -> None:
    white = np.random.default_rng(3).normal(0, 10, (40, 128, 128))
    found = ring_correlation(white + np.random.default_rng(4).normal(0, 20, white.shape), white, 1.0)
    assert found.correlation[3:] == pytest.approx(1 / np.sqrt(5), abs=0.02)
    assert found.resolution < 0.1


def test_the_patch_with_an_invented_structure_is_the_worst(truth) -> None:
    image = truth.copy()
    y, x = np.mgrid[:160, :192]
    image[1] += 25 * np.sin(x / 2) * np.exp(-((y - 100) ** 2 + (x - 130) ** 2) / 200)
    found = ring_correlation(image, truth, 0.8, size=32)
    plane, row, column = found.places[found.worst]
    assert plane == 1
    assert row <= 100 < row + 32 and column <= 130 < column + 32


def test_only_patches_inside_the_mask_count_and_bad_input_is_refused(truth) -> None:
    mask = np.zeros(truth.shape, bool)
    mask[0, :64, :96] = True
    assert ring_correlation(truth, truth, 0.8, mask=mask).places == ((0, 0, 0), (0, 0, 32))
    with pytest.raises(InputError, match="wholly inside"):
        ring_correlation(truth, truth, 0.8, mask=np.zeros(truth.shape, bool))
    with pytest.raises(InputError, match="one shape"):
        ring_correlation(truth, truth[:2], 0.8)
    with pytest.raises(InputError, match="spacing"):
        ring_correlation(truth, truth, -1)
