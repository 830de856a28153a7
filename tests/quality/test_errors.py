import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio

from demottle.errors import InputError
from demottle.quality.truth.errors import BODY_WINDOW, LUNG_WINDOW, bias, psnr, rmse, ssim


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    truth = random.normal(40, 80, (3, 48, 40)).astype(np.float32)
    return truth + random.normal(3, 25, truth.shape).astype(np.float32), truth


@pytest.mark.parametrize("window", [BODY_WINDOW, LUNG_WINDOW])
def test_ssim_is_its_formula_and_psnr_that_of_scikit_image(pair, window) -> None:
    image, truth = pair
    scale, maps = window[1] - window[0], []
    for planes in zip(image, truth, strict=True):
        x, y = (np.clip(plane, *window).astype(float) for plane in planes)
        mean_x, mean_y = smooth(x), smooth(y)
        spread = smooth(x * x) - mean_x**2 + smooth(y * y) - mean_y**2
        shared = smooth(x * y) - mean_x * mean_y
        c1, c2 = (0.01 * scale) ** 2, (0.03 * scale) ** 2
        maps.append((2 * mean_x * mean_y + c1) * (2 * shared + c2) / ((mean_x**2 + mean_y**2 + c1) * (spread + c2)))
    assert ssim(image, truth, window=window) == pytest.approx(np.mean(np.array(maps)[:, 5:-5, 5:-5]), abs=1e-9)
    reference = peak_signal_noise_ratio(truth.astype(float), image.astype(float), data_range=scale)
    assert psnr(image, truth, window=window) == pytest.approx(reference, abs=1e-6)


def smooth(plane: np.ndarray) -> np.ndarray:
    """Gaussian mean of sigma 1.5, cut at 5 pixels."""
    return gaussian_filter(plane, 1.5, radius=5, mode="reflect")


def test_ssim_of_slices_smaller_than_its_window_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="outer 5 pixels"):
        ssim(np.zeros((2, 8, 40)), np.ones((2, 8, 40)))


def test_errors_count_inside_the_mask_only_and_are_not_clipped() -> None:
    truth = np.zeros((1, 4, 4), np.float32)
    image = truth.copy()
    image[0, 0, 0], image[0, 3, 3] = 3000, 500
    mask = np.zeros(truth.shape, bool)
    mask[0, 0] = True
    assert bias(image, truth, mask) == pytest.approx(750)
    assert rmse(image, truth, mask) == pytest.approx(1500)
    assert psnr(truth, truth) == float("inf")


def test_ssim_in_a_mask_ignores_damage_elsewhere(pair) -> None:
    _, truth = pair
    image = truth.copy()
    image[:, :, :20] = 0
    mask = np.zeros(truth.shape, bool)
    mask[:, :, 28:] = True
    assert ssim(image, truth, mask) == pytest.approx(1, abs=1e-9)
    assert ssim(image, truth) < 0.8


def test_an_empty_mask_and_different_shapes_are_refused_in_words(pair) -> None:
    image, truth = pair
    with pytest.raises(InputError, match="mask is empty"):
        rmse(image, truth, np.zeros(truth.shape, bool))
    with pytest.raises(InputError, match="one shape"):
        rmse(image, truth[:2])


def test_nan_outside_the_mask_does_not_matter_and_inside_is_refused(pair) -> None:
    image, truth = pair
    holed, mask = image.copy(), np.ones(image.shape, bool)
    holed[:, :, :8], mask[:, :, :8] = np.nan, False
    assert rmse(holed, truth, mask) == pytest.approx(rmse(image, truth, mask))
    assert 0 < ssim(holed, truth, mask) < 1
    with pytest.raises(InputError, match="NaN"):
        rmse(holed, truth)
