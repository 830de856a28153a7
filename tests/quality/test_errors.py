import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from demottle.errors import InputError
from demottle.quality.truth.errors import BODY_WINDOW, LUNG_WINDOW, bias, psnr, rmse, ssim


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    truth = random.normal(40, 80, (3, 48, 40)).astype(np.float32)
    return truth + random.normal(3, 25, truth.shape).astype(np.float32), truth


@pytest.mark.parametrize("window", [BODY_WINDOW, LUNG_WINDOW])
def test_ssim_and_psnr_are_those_of_scikit_image(pair, window) -> None:
    image, truth = pair
    expected = [
        structural_similarity(
            np.clip(a, *window).astype(float), np.clip(b, *window).astype(float), data_range=window[1] - window[0],
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
        for a, b in zip(image, truth, strict=True)
    ]  # fmt: skip
    assert ssim(image, truth, window=window) == pytest.approx(np.mean(expected), abs=1e-6)
    reference = peak_signal_noise_ratio(truth.astype(float), image.astype(float), data_range=window[1] - window[0])
    assert psnr(image, truth, window=window) == pytest.approx(reference, abs=1e-6)


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
