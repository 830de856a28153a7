"""The noise of a cube is what its spectrum and its slice correlation say."""

import numpy as np
import pytest

from demottle.methods.bayes.cube_noise import cube_covariance

CUBE = (2, 3, 3)


def test_white_independent_noise_has_no_covariance() -> None:
    np.testing.assert_allclose(cube_covariance(np.ones((1, 1)), (), CUBE), np.eye(18), atol=1e-6)
    np.testing.assert_allclose(cube_covariance(np.full((32, 32), 5.0), (0.0,), CUBE), np.eye(18), atol=1e-6)


def test_it_is_the_covariance_of_noise_that_was_drawn() -> None:
    random = np.random.default_rng(1)
    kernel = np.zeros((32, 32))
    kernel[:2, :3] = [[1, 0.6, 0.2], [0.5, 0.3, 0.1]]
    transfer = np.fft.fft2(kernel)
    white = random.normal(size=(600, 3, 32, 32))
    grain = np.fft.ifft2(np.fft.fft2(white) * transfer).real / np.sqrt((kernel**2).sum())
    slices = np.stack([0.8 * grain[:, i] + 0.6 * grain[:, i + 1] for i in range(2)], 1)  # neighbors share 0.48
    cubes = np.concatenate(
        [slices[:, :, r : r + 3, c : c + 3].reshape(600, 18) for r in (0, 8, 16, 24) for c in (0, 8, 16, 24)]
    )
    found = cube_covariance(np.abs(transfer) ** 2, (0.48,), CUBE)
    np.testing.assert_allclose(found, cubes.T @ cubes / len(cubes), atol=0.06)
    np.testing.assert_allclose(np.diag(found), 1, atol=0.02)


def test_a_pattern_without_measured_noise_is_not_believed_to_have_none() -> None:
    spectrum = np.zeros((32, 32))
    spectrum[0, 0] = 1.0  # the same noise everywhere: all other patterns would be pure tissue
    assert np.linalg.eigvalsh(cube_covariance(spectrum, (1.0,), CUBE)).min() == pytest.approx(0.01, rel=0.1)
