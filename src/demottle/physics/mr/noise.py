"""Noise of MR magnitude images: Gaussian in both parts of the complex signal, hence Rician in its magnitude.

M = |A + sigma (n_1 + i n_2)|, n_1 and n_2 standard normal (S. O. Rice 1944; H. Gudbjartsson and S. Patz, Magn Reson Med 34,
1995): one coil, or several combined with their known sensitivities. The sum of squares of several coils follows another law
(noncentral chi) and is not simulated here.
"""

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels


def rician_scan(
    truth: Image,
    percent: float,
    seed: int = 0,
    acquired: float = 1.0,
    uneven: float = 0.0,
    listener: Listener = silent,
) -> Image:
    """Return `truth` as an MR scanner shows it: the magnitude of the signal with complex Gaussian noise.

    Args:
        truth: noise-free signal, not negative.
        percent: standard deviation of the noise in each part of the complex signal, in percent of the truth's maximum.
        seed: another seed gives another scan of the same head.
        acquired: share of k-space that was measured along rows and columns, 0 to 1; the rest is filled with zeros, as a
            scanner does that interpolates: the noise has the same level then, but a coarser grain. (The truth is taken as it
            is.)
        uneven: how much stronger the noise is in the middle than at the rim, as after parallel imaging: 0.5 is half as
            strong again. `percent` holds at the rim.
        listener: hears of every slice.

    Raises:
        InputError: for a truth with negative values, or a value out of its range.
    """
    if not (np.isfinite(percent) and percent >= 0):
        raise InputError(f"The noise is {percent} %; it has to be 0 or more percent of the largest signal.")
    if not 0 < acquired <= 1:
        raise InputError(f"The acquired share of k-space is {acquired}; it has to lie above 0 and not above 1.")
    if not (np.isfinite(uneven) and uneven >= 0):
        raise InputError(f"The unevenness of the noise is {uneven}; it has to be 0 or more.")
    if truth.voxels.min() < 0:
        raise InputError("The truth has negative values; the magnitude of an MR signal has none.")
    level = noise_deviation(truth.shape[1:], float(truth.voxels.max()) * percent / 100, uneven)
    random = np.random.default_rng([seed, 4])
    out = np.empty(truth.shape, np.float32)
    for index, plane in enumerate(truth.voxels):
        noise = _complex_noise(plane.shape, acquired, random)
        out[index] = np.hypot(plane + level * noise.real, level * noise.imag)
        listener(Progress(Stage.NOISE, index + 1, truth.shape[0]))
    return truth.with_voxels(out)


def noise_deviation(shape: tuple[int, ...], level: float, uneven: float = 0.0) -> Voxels:
    """Standard deviation of the noise of each part of the signal, (rows, columns): `level (1 + uneven exp(-r^2 / 0.32))`.

    r is the distance from the middle in half widths of the slice: the g-factor of parallel imaging, roughly.
    """
    y, x = (np.linspace(-1, 1, count) for count in shape)
    radius = y[:, None] ** 2 + x[None] ** 2
    return np.asarray(level * (1 + uneven * np.exp(-radius / 0.32)), np.float32)


def _complex_noise(shape: tuple[int, ...], acquired: float, random: np.random.Generator) -> NDArray[np.complexfloating]:
    """Complex noise whose two parts have unit variance each."""
    white = random.standard_normal((2, *shape))
    noise: NDArray[np.complexfloating] = white[0] + 1j * white[1]
    if acquired == 1:
        return noise
    kept = [np.abs(np.fft.fftfreq(count)) <= acquired / 2 for count in shape]
    window = kept[0][:, None] & kept[1][None]
    out: NDArray[np.complexfloating] = np.fft.ifft2(np.fft.fft2(noise) * window) / np.sqrt(window.mean())
    return out
