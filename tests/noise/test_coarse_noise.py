"""Noise as iterative reconstruction leaves it, and little noise, are read right on anatomy."""

import numpy as np
import pytest

from demottle.benchmark.suites.decisions.noise_measures import Noise, measured, true_noise
from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices
from demottle.physics.ct.iterative import Shrinking, shrink_noise
from demottle.physics.phantoms.phantom import body_phantom


@pytest.fixture(scope="module")
def drawn() -> tuple[Image, np.ndarray]:
    truth = body_phantom(slices=10, size=224, spacing=(3.0, 1.4, 1.4), seed=5)
    return truth, np.stack([independent_noise(truth, 20.0, Scanner(angles=200), seed) for seed in (1, 2)])


def read(truth: Image, scans: np.ndarray) -> tuple[Noise, Noise]:
    """What is measured on the first scan, and what is so by both."""
    noise = (scans - scans.mean(axis=0)) * np.float32(2**0.5)
    return measured(truth.with_voxels(np.rint(scans[0]))), true_noise(truth, noise)


@pytest.mark.parametrize(("level", "shrinking"), [(5, None), (20, Shrinking(0.8, 1.8))], ids=["5 HU", "iterative"])
def test_level_correlation_and_mean_frequency_are_right(
    drawn: tuple[Image, np.ndarray], level: float, shrinking: Shrinking | None
) -> None:
    truth, alone = drawn
    noise = np.stack([mix_slices(one * np.float32(level / 20), 0.25) for one in alone])
    scans = truth.voxels + noise
    if shrinking is not None:
        scans = np.stack([shrink_noise(scan, np.full_like(scan, level), shrinking) for scan in scans])
    found, true = read(truth, scans)
    assert found.level == pytest.approx(true.level, rel=0.05)
    assert found.rho == pytest.approx(true.rho, abs=0.03)
    assert found.mean == pytest.approx(true.mean, rel=0.05)


def test_shrinking_takes_the_power_that_its_formula_says() -> None:
    noise = np.random.default_rng(0).normal(0, 10, (4, 128, 128)).astype(np.float32)
    after = shrink_noise(noise, np.full_like(noise, 10), Shrinking(0.7, 1.5, by="level"))
    f = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(128)]))
    left = (np.abs(np.fft.fft2(after)) ** 2).sum(axis=0) / (np.abs(np.fft.fft2(noise)) ** 2).sum(axis=0)
    wanted = (0.3 + 0.7 * np.exp(-2 * (np.pi * 1.5 * f) ** 2)) ** 2
    for low in (0.02, 0.1, 0.2):
        ring = (f > low) & (f < low + 0.05)
        assert left[ring].mean() == pytest.approx(wanted[ring].mean(), abs=0.06)


def test_shrinking_keeps_edges_and_refuses_what_cannot_be() -> None:
    edge = np.zeros((3, 64, 64), np.float32)
    edge[:, :, 32:] = 200
    kept = shrink_noise(edge, np.full_like(edge, 5), Shrinking(0.9, 1.5, by="edge"))
    blurred = shrink_noise(edge, np.full_like(edge, 5), Shrinking(0.9, 1.5, by="level"))
    assert np.abs(kept - edge).max() < 0.3 * np.abs(blurred - edge).max()
    with pytest.raises(InputError, match="strength has to"):
        Shrinking(1.2, 1.5)
