"""Fusion: neighbors count where they show the same, and only as far as that lowers the error. The truth is known here."""

from collections.abc import Callable

import numpy as np
import pytest

from demottle.image import Voxels
from demottle.methods.one_scan.slice_fusion import CAUTION, LAGS, Fusion, fuse, learn_fusion
from demottle.noise import guide
from demottle.noise.correlation import Correlation

COUNT, SIDE, SIGMA = 20, 96, 20.0


def scan(anatomy: Voxels, shared: float = 0.0) -> tuple[Voxels, Callable[[int, Voxels | None], Voxels]]:
    """White noise on the anatomy, part of it shared by all slices, and a Gaussian filter as the denoiser."""
    random = np.random.default_rng(0)
    own = random.standard_normal((COUNT, SIDE, SIDE), dtype=np.float32)
    common = random.standard_normal((1, SIDE, SIDE), dtype=np.float32)
    noisy = anatomy + np.float32(SIGMA) * (np.sqrt(1 - shared) * own + np.sqrt(shared) * common).astype(np.float32)

    def denoised(index: int, extra: Voxels | None) -> Voxels:
        return guide.smooth(noisy[index] if extra is None else noisy[index] + extra, 1.0)

    return noisy, denoised


def learned(noisy: Voxels, denoised: Callable[[int, Voxels | None], Voxels], rho: float = 0.0) -> Fusion | None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    sigma = np.full((SIDE, SIDE), SIGMA, np.float32)
    correlation = Correlation((rho, rho), 0.0, 10_000)
    return learn_fusion(
        denoised, lambda i: noisy[i], lambda _: sigma, lambda i, _: everywhere, COUNT, correlation, np.ones((64, 64)), 0
    )


def fused(noisy: Voxels, denoised: Callable[[int, Voxels | None], Voxels], fusion: Fusion) -> tuple[Voxels, Voxels]:
    before = np.stack([denoised(i, None) for i in range(COUNT)])
    after = before.copy()
    sigma = np.full((SIDE, SIDE), SIGMA, np.float32)
    fuse(after, lambda _: sigma, lambda _: np.ones((SIDE, SIDE), np.bool_), fusion)
    return before, after


def test_equal_slices_are_averaged_and_the_gain_is_as_foretold() -> None:
    noisy, denoised = scan(np.zeros((COUNT, SIDE, SIDE), np.float32))
    fusion = learned(noisy, denoised)
    assert fusion is not None
    before, after = fused(noisy, denoised, fusion)
    inner = slice(LAGS, -LAGS)
    gain = 1 - (after[inner] ** 2).mean() / (before[inner] ** 2).mean()
    assert gain > 0.3
    assert fusion.gain == pytest.approx(gain, abs=0.06)  # found without the truth


def test_no_slice_loses_its_own_voice() -> None:
    fusion = learned(*scan(np.zeros((COUNT, SIDE, SIDE), np.float32)))
    assert fusion is not None
    weights = np.asarray(fusion.weights)
    assert weights.min() >= 0
    assert weights.max() <= CAUTION / (2 * LAGS + 1)


def test_slices_that_differ_are_left_to_themselves() -> None:
    random = np.random.default_rng(3)
    coarse = random.normal(0, 200, (COUNT, SIDE, SIDE)).astype(np.float32)
    anatomy = np.stack([guide.smooth(plane, 3.0) for plane in coarse])  # another one in every slice
    assert learned(*scan(8 * anatomy)) is None


def test_noise_that_all_slices_share_is_no_reason_to_fuse() -> None:
    assert learned(*scan(np.zeros((COUNT, SIDE, SIDE), np.float32), shared=0.93), rho=0.93) is None


def test_a_lesion_in_one_slice_stays_there() -> None:
    anatomy = np.zeros((COUNT, SIDE, SIDE), np.float32)
    anatomy[10, 40:56, 40:56] = 4 * SIGMA
    noisy, denoised = scan(anatomy)
    fusion = learned(noisy, denoised)
    assert fusion is not None
    before, after = fused(noisy, denoised, fusion)
    place = (slice(44, 52), slice(44, 52))
    assert after[10][place].mean() == pytest.approx(before[10][place].mean(), abs=0.1)
    assert after[11][place].mean() == pytest.approx(before[11][place].mean(), abs=0.1 * SIGMA)


def test_too_few_slices() -> None:
    noisy, denoised = scan(np.zeros((COUNT, SIDE, SIDE), np.float32))
    sigma, everywhere = np.full((SIDE, SIDE), SIGMA, np.float32), np.ones((SIDE, SIDE), np.bool_)
    correlation = Correlation((0.0, 0.0), 0.0, 10_000)
    found = learn_fusion(
        denoised, lambda i: noisy[i], lambda _: sigma, lambda i, _: everywhere, 5, correlation, np.ones((64, 64)), 0
    )
    assert found is None


def test_weights_survive_a_model_file() -> None:
    fusion = Fusion((0.1, 0.05), 0.2)
    again = Fusion.from_dict(fusion.to_dict())
    assert (again.weights, again.gain) == (fusion.weights, fusion.gain)
