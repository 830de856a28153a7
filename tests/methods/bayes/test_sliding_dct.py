"""The first look: noise goes, whatever its color; what stands out of it stays as it was."""

from typing import Any

import numpy as np
import pytest
import torch

from demottle.methods.bayes.cube_noise import cube_covariance
from demottle.methods.bayes.sliding_dct import margin_of, sliding_dct

CUBE, CPU = (4, 4, 4), torch.device("cpu")


def looked(volume: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    covariance = cube_covariance(spectrum, (), CUBE)
    return sliding_dct(torch.from_numpy(volume.astype(np.float32)), covariance, CUBE, 2.7, CPU).numpy()


def test_white_noise_goes_and_the_mean_stays() -> None:
    noise = np.random.default_rng(2).normal(7, 1, (30, 24, 24))  # more slices than are treated at once
    left = looked(noise, np.ones((1, 1)))
    assert left.std() < 0.2
    assert abs(left.mean() - noise.mean()) < 0.01


def test_grain_is_only_known_as_noise_where_its_spectrum_is_told() -> None:
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 6.0
    transfer = np.abs(np.fft.fft2(kernel, (32, 32)))
    white = np.random.default_rng(3).normal(size=(8, 32, 32))
    grain = np.fft.ifft2(np.fft.fft2(white) * transfer).real
    grain /= grain.std()
    assert looked(grain, transfer**2).std() < 0.75 * looked(grain, np.ones((1, 1))).std()


def test_strong_edges_stay_and_a_result_does_not_depend_on_how_slices_are_shared_out() -> None:
    volume = np.zeros((40, 16, 16))
    volume[:, :, 8:] = 200.0
    volume[20:, 4:10] += 100.0
    out = looked(volume, np.ones((1, 1)))
    assert np.abs(out - volume).max() < 1.0
    noisy = volume + np.random.default_rng(4).normal(size=volume.shape)
    np.testing.assert_allclose(
        looked(noisy, np.ones((1, 1)))[10:14], looked(noisy[2:26], np.ones((1, 1)))[8:12], atol=1e-3
    )


@pytest.mark.parametrize("slices", [13, 14])
@pytest.mark.parametrize("every", [1, 2])
def test_parts_and_either_order_of_slices_give_the_same_look(slices: int, every: int) -> None:
    volume = torch.from_numpy(np.random.default_rng(5).normal(size=(slices, 17, 18)).astype(np.float32))
    volume[5:, 6:] += 8.0
    covariance = cube_covariance(np.ones((1, 1)), (), CUBE)

    def look(part: torch.Tensor, **where: Any) -> torch.Tensor:
        return sliding_dct(part, covariance, CUBE, 2.7, CPU, every=every, **where)

    whole, margin = look(volume), margin_of(CUBE)
    for low, high in ((0, 3), (3, 4), (5, 10), (9, slices)):
        begin, end = max(0, low - margin), min(slices, high + margin)
        part = look(volume[begin:end], wanted=slice(low - begin, high - begin), lies=(begin, slices))
        torch.testing.assert_close(part, whole[low:high], atol=1e-4, rtol=0)
    torch.testing.assert_close(look(volume.flip(0)).flip(0), whole, atol=1e-3, rtol=0)
