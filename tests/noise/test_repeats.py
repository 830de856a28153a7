"""Noise drawn once more is noise of the same level, grain and likeness from slice to slice."""

import numpy as np
import pytest

from demottle.noise.local import NoiseMap
from demottle.noise.repeats import across_slices, repeated_noise


def levels(slices: int, size: int = 128) -> NoiseMap:
    across = np.linspace(10, 30, size // 4, dtype=np.float32)
    return NoiseMap(np.broadcast_to(across, (slices, size // 4, size // 4)), (size, size), 20.0)


def test_level_and_correlation_are_those_asked_for() -> None:
    random = np.random.default_rng(0)
    drawn = np.stack(list(repeated_noise(np.ones((8, 8)), (0.45, 0.1), levels(24), random)))
    assert drawn[:, :, 8:24].std() == pytest.approx(levels(1).plane(0)[:, 8:24].mean(), rel=0.05)
    assert drawn[:, :, -24:-8].std() == pytest.approx(levels(1).plane(0)[:, -24:-8].mean(), rel=0.05)
    even = drawn / levels(1).plane(0)
    for lag, rho in ((1, 0.45), (2, 0.1), (3, 0.0)):
        assert (even[lag:] * even[:-lag]).mean() == pytest.approx(rho, abs=0.02)


def test_grain_is_that_of_the_spectrum() -> None:
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32), indexing="ij"))
    spectrum = f * np.exp(-((f / 0.2) ** 2))
    drawn = np.stack(list(repeated_noise(spectrum, (), levels(8), np.random.default_rng(1)))) / levels(1).plane(0)
    covariance = np.fft.ifft2(spectrum).real
    for shift in (1, 2, 3):
        found = (drawn[:, :, shift:] * drawn[:, :, :-shift]).mean()
        assert found == pytest.approx(covariance[0, shift] / covariance[0, 0], abs=0.03)


@pytest.mark.parametrize("rho", [(), (float("nan"),), (0.0, -0.02)])
def test_slices_that_share_nothing_are_drawn_apart(rho: tuple[float, ...]) -> None:
    assert across_slices(rho) == pytest.approx([1.0])
