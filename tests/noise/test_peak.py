"""The peak of noise spectra: where it is known, it is found, its interval holds it, and what has no peak is told none."""

import numpy as np
import pytest

from demottle.noise.spectrum import spectrum_of_noise
from demottle.noise.synthesis import NoiseSource

SIDE = 128


def frequencies(pixel: float) -> np.ndarray:
    return np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(SIDE, pixel)]))


def ramp(f: np.ndarray, peak: float) -> np.ndarray:
    return f * np.exp(-(f**2) / (2 * peak**2))  # largest at `peak`


def repeats(power: np.ndarray, pixel: float, count: int, planes: int = 6):
    source = NoiseSource(power, SIDE)
    for seed in range(count):
        yield spectrum_of_noise(source.draw(planes, np.random.default_rng(seed)), (pixel, pixel))


@pytest.mark.parametrize("pixel", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("peak", [0.05, 0.1, 0.15, 0.26, 0.35, 0.5])
def test_a_known_peak_is_found_or_none_is_told(pixel: float, peak: float) -> None:
    found = list(repeats(ramp(frequencies(pixel), peak), pixel, 20))
    told = [spectrum for spectrum in found if np.isfinite(spectrum.peak)]
    assert all(abs(spectrum.peak - peak) < 0.02 for spectrum in told)
    if 6 < peak * 64 * pixel < 24:  # in the middle of what regions of 64 pixels show
        assert len(told) == len(found)
        held = [low <= peak <= high for low, high in (spectrum.peak_interval for spectrum in told)]
        assert np.mean(held) >= 0.9


@pytest.mark.parametrize("pixel", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("kind", ["white", "low-pass", "softer"])
def test_noise_without_a_peak_has_none(pixel: float, kind: str) -> None:
    f = frequencies(pixel) * pixel
    power = {"white": np.ones_like(f), "low-pass": np.exp(-((f / 0.15) ** 2)), "softer": np.exp(-((f / 0.08) ** 2))}[
        kind
    ]
    found = list(repeats(power, pixel, 20))
    assert np.mean([np.isnan(spectrum.peak) for spectrum in found]) >= 0.95
