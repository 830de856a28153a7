"""Patch2Self is the least-squares prediction of every volume from the others."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.methods.rivals import patch2self
from demottle.noise.sequence.fingerprint import measure_sequence


def series(count: int = 30, side: int = 48, sigma: float = 20.0, bright: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Volumes that are mixtures of three images, with independent noise; some twice as bright as the rest."""
    random = np.random.default_rng(2)
    parts = random.uniform(50, 150, (3, side, side))
    clean = np.einsum("ts,sij->tij", random.uniform(0.5, 1.5, (count, 3)), parts)
    clean[:bright] *= 3
    return clean, clean + sigma * random.standard_normal(clean.shape)


def test_each_volume_is_regressed_on_all_others() -> None:
    noisy = series(6, 12)[1].reshape(6, -1).astype(np.float32)
    predicted = patch2self.predictions(noisy)
    others = np.column_stack([np.delete(noisy, 2, axis=0).T.astype(np.float64), np.ones(noisy.shape[1])])
    wanted = others @ np.linalg.lstsq(others, noisy[2].astype(np.float64), rcond=None)[0]
    assert predicted[2] == pytest.approx(wanted, abs=1e-2)


def test_noise_of_a_series_goes_and_its_mean_stays() -> None:
    clean, noisy = series()
    image = Image(noisy.astype(np.float32), (3.0, 2.0, 2.0), "MR", sequence=True)
    made = patch2self.fit(image, patch2self.Patch2SelfSettings(), measure_sequence(image))
    out = made(image).voxels
    assert (out - clean).std() < 0.5 * 20
    assert out.mean(axis=(1, 2)) == pytest.approx(noisy.mean(axis=(1, 2)), rel=1e-4)


def test_bright_volumes_are_a_group_of_their_own() -> None:
    noisy = series(20, bright=4)[1]
    groups = patch2self.groups_of(noisy.mean(axis=(1, 2)), 1.5)
    assert [list(group) for group in groups] == [list(range(4, 20)), list(range(4))]
    assert [len(group) for group in patch2self.groups_of(np.ones(5), 1.5)] == [5]


def test_two_volumes_come_back_as_they_are() -> None:
    noisy = series(2)[1].reshape(2, -1).astype(np.float32)
    assert np.array_equal(patch2self.predictions(noisy), noisy)
