"""MP-PCA: what it promises beyond the contract of methods for sequences."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods.filters.mp_pca import MpPca, MpPcaSettings, window_for, without_noise


def series(seed: int = 0, components: int = 3, volumes: int = 14) -> np.ndarray:
    """Smooth maps whose strength changes from volume to volume."""
    random = np.random.default_rng(seed)
    maps = np.cumsum(np.cumsum(random.normal(size=(components, 40, 44)), axis=1), axis=2)
    maps /= maps.std(axis=(1, 2), keepdims=True)
    return 200 + 10 * np.einsum("kyx,kt->tyx", maps, random.normal(size=(components, volumes)))


def filtered(voxels: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    image = Image(voxels.astype(np.float32), (2.0, 1.0, 1.0), "MR", sequence=True, valid=valid)
    return MpPca(MpPcaSettings(), {})(image).voxels


def test_pure_noise_has_no_component_and_its_variance_almost_goes() -> None:
    noise = np.random.default_rng(0).normal(size=(100, 20, 49))
    left, kept = without_noise(noise)
    assert kept.mean() < 0.2 and left.std() < 0.25


@pytest.mark.parametrize("shape", [(12, 49), (60, 25)])
def test_strong_components_are_kept_whichever_side_is_longer(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    signal = 20 * random.normal(size=(30, shape[0], 2)) @ random.normal(size=(30, 2, shape[1]))
    noisy = signal + random.normal(size=signal.shape)
    clean, kept = without_noise(noisy)
    assert (kept >= 2).all() and kept.mean() < 2.5
    assert (clean - signal).std() < 0.6


def test_a_series_comes_nearer_to_the_truth_and_what_one_volume_alone_shows_stays() -> None:
    truth = series()
    truth[5, 10:20, 10:20] += 15  # in one volume alone
    noisy = truth + np.random.default_rng(2).normal(size=truth.shape)
    clean = filtered(noisy)
    assert (clean - truth).std() < 0.75 * (noisy - truth).std()
    kept = (clean - truth)[5, 12:18, 12:18].mean()
    assert abs(kept) < 0.5


def test_slices_side_by_side_do_not_mix_and_padding_stays() -> None:
    truth = series(3)
    noisy = truth + np.random.default_rng(4).normal(size=truth.shape)
    valid = np.ones(truth.shape, np.bool_)
    valid[:, 18:24] = False
    noisy[:, 18:24] = 0
    clean = filtered(noisy, valid)
    assert np.array_equal(clean[~valid], np.float32(noisy[~valid]))
    np.testing.assert_array_equal(clean[:, :18], filtered(noisy[:, :18]))


def test_windows_grow_with_the_number_of_volumes() -> None:
    assert [window_for(count) for count in (7, 25, 30, 64, 100, 500)] == [5, 5, 7, 9, 11, 13]
    with pytest.raises(InputError, match="odd"):
        MpPcaSettings(window=4)


def test_four_volumes_are_enough_and_fewer_come_back_as_they_were() -> None:
    noisy = series(volumes=4) + np.random.default_rng(3).normal(size=(4, 40, 44))
    assert np.array_equal(filtered(noisy[:3]), noisy[:3].astype(np.float32))
    assert np.std(filtered(noisy) - noisy) > 0.1
