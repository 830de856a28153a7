"""From magnitudes to noise that is alike everywhere, and back without bias."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.local import NoiseMap
from demottle.noise.mr.magnitude import RICIAN, NoiseModel
from demottle.noise.mr.stabilization import stabilized, unbiased, with_bias

SIGMA = 20.0
BANDS = (0.0, 20.0, 60.0, 400.0)


def model(local: NoiseMap | None = None) -> NoiseModel:
    nothing = float("nan")
    return NoiseModel(RICIAN, SIGMA, nothing, nothing, nothing, nothing, (), local, correctable=True)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.repeat(np.array(BANDS, np.float32), 64)[None, :, None] * np.ones((3, 1, 256), np.float32)


@pytest.fixture(scope="module")
def scan(truth: np.ndarray) -> Image:
    real, imaginary = np.random.default_rng(0).normal(0, SIGMA, (2, *truth.shape))
    return Image(np.hypot(truth + real, imaginary).astype(np.float32), (3, 1, 1), "MR")


def bands(voxels: np.ndarray) -> list[np.ndarray]:
    return [voxels[:, 64 * i : 64 * (i + 1)] for i in range(len(BANDS))]


def test_noise_is_alike_at_every_signal_and_air_is_zero_on_average(scan: Image) -> None:
    found = bands(stabilized(scan, model()).voxels)
    assert [part.std() for part in found] == pytest.approx([SIGMA] * 4, rel=0.05)
    assert found[0].mean() == pytest.approx(0, abs=0.01 * SIGMA)


def test_the_mean_of_stabilized_values_comes_back_as_the_signal(scan: Image) -> None:
    given = stabilized(scan, model())
    denoised = np.concatenate([np.full_like(part, part.mean()) for part in bands(given.voxels)], axis=1)
    signal = bands(unbiased(scan, model(), denoised, given.voxels))
    for part, value in zip(signal[1:], BANDS[1:], strict=True):
        assert part.mean() == pytest.approx(value, abs=0.03 * SIGMA)
    assert signal[0].mean() < 0.2 * SIGMA  # the mean of magnitudes is 1.25 sigma there


def test_what_was_left_as_it_was_keeps_its_magnitude_and_padding_its_value(scan: Image) -> None:
    valid = np.ones(scan.shape, np.bool_)
    valid[:, :5] = False
    image = Image(np.where(valid, scan.voxels, -7).astype(np.float32), (3, 1, 1), "MR", valid=valid)
    given = stabilized(image, model())
    assert (given.voxels[~valid] == -7).all()
    denoised = given.voxels.copy()
    denoised[:, 100:] += 1
    signal = unbiased(image, model(), denoised, given.voxels)
    np.testing.assert_array_equal(signal[:, :100], image.voxels[:, :100])
    assert (signal[:, 100:] != image.voxels[:, 100:]).mean() > 0.9


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_with_its_bias_put_back_a_perfect_result_has_the_means_of_the_scan(
    scan: Image, truth: np.ndarray, strength: float
) -> None:
    after = scan.with_voxels(scan.voxels + np.float32(strength) * (truth - scan.voxels))
    again = with_bias(scan, after, model(), strength)
    for before, whole, part in zip(bands(scan.voxels), bands(after.voxels), bands(again.voxels), strict=True):
        assert part.mean() == pytest.approx(before.mean(), abs=0.02 * SIGMA)
        assert whole.mean() <= part.mean() + 1e-3


def test_sigma_may_differ_from_place_to_place(truth: np.ndarray) -> None:
    sigma = np.linspace(10, 30, 256, dtype=np.float32)[None, None] * np.ones(truth.shape, np.float32)
    real, imaginary = np.random.default_rng(0).normal(0, 1, (2, *truth.shape)) * sigma
    scan = Image(np.hypot(truth + real, imaginary).astype(np.float32), (3, 1, 1), "MR")
    local = NoiseMap(np.ascontiguousarray(sigma[:, ::4, 2::4]), (256, 256), SIGMA)
    flat = stabilized(scan, model(local)).voxels[:, 192:]
    assert flat[..., :64].std() == pytest.approx(13.0, rel=0.06)
    assert flat[..., -64:].std() == pytest.approx(27.5, rel=0.06)
