"""Objects and noise whose spectra are known exactly."""

from collections.abc import Callable

import numpy as np
from scipy import fft
from scipy.special import j1

Curve = Callable[[np.ndarray], np.ndarray]


def frequencies(size: int, spacing: float) -> np.ndarray:
    f = np.fft.fftfreq(size, spacing)
    return np.hypot(f[:, None], f)


def colored(power: np.ndarray, spacing: float, count: int, seed: int) -> np.ndarray:
    """Periodic Gaussian noise (count, n, n) of a known spectrum in HU2 mm2."""
    random, amplitude = np.random.default_rng(seed), (np.sqrt(power) / spacing)[:, : power.shape[1] // 2 + 1]
    planes = (random.standard_normal(power.shape, dtype=np.float32) for _ in range(count))
    return np.stack([fft.irfft2(fft.rfft2(p) * amplitude.astype(np.float32), s=power.shape) for p in planes])


def ramp(f: np.ndarray) -> np.ndarray:
    """A spectrum as filtered back-projection makes it, HU2 mm2."""
    return 400 * (f / 0.2 + 0.05) * np.exp(-((f / 0.3) ** 2))


def blurred_disc(
    center: tuple[float, float], radius: float, contrast: float, transfer: Curve, size: int = 128
) -> np.ndarray:
    """Disc of a radius in pixels through a transfer function (of cycles per pixel), sampled: exact but for its period."""
    n = size * 4
    v = np.fft.fftfreq(n, 0.25)[:, None]
    u = v.T
    f = np.maximum(np.hypot(u, v), 1e-9)
    disc = np.where(f < 1e-8, np.pi * radius**2, radius * j1(2 * np.pi * radius * f) / f)
    shift = np.exp(-2j * np.pi * (u * center[1] + v * center[0]))
    plane: np.ndarray = np.fft.ifft2(contrast * disc * transfer(f) * shift).real[::4, ::4] * 16
    return plane
