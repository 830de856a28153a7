"""Draw the noise of a whole scan once more: its spectrum within slices, what slices share of it, its level at every place."""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.image import Voxels
from demottle.noise.local import NoiseMap
from demottle.noise.synthesis import resample_spectrum

_LAGS = 8
_GRID = 64


def repeated_noise(
    spectrum: NDArray[np.floating], rho: Sequence[float], levels: NoiseMap, random: np.random.Generator
) -> Iterator[Voxels]:
    """Yield slices (rows, columns) of new noise, in the unit of the levels, one after the other.

    Each is `s(p) sum_k h_k u_z+k`, u_z independent fields of variance 1 with the given spectrum, s the local level, and h the
    symmetric filter of length 1 whose autocorrelation is rho (where there is such noise, else the nearest that there is).

    Args:
        spectrum: noise power within slices (n, n), FFT order, any unit; (1, 1): white.
        rho: correlation of the noise of slices 1, 2, ... apart; what is not finite counts as 0.
        levels: standard deviation at every place.
        random: where chance comes from.
    """
    rows, columns = levels.shape
    side = fft.next_fast_len(max(rows, columns) + len(spectrum) // 2)  # a part of it has edges that do not meet
    power = resample_spectrum(spectrum, side)
    power[0, 0] = 0
    amplitude = np.sqrt(power / power.mean())[:, : side // 2 + 1].astype(np.float32)

    def field() -> Voxels:
        white = random.standard_normal((side, side), dtype=np.float32)
        whole = fft.irfft2(fft.rfft2(white) * amplitude, s=(side, side))
        return np.asarray(whole[:rows, :columns], np.float32)

    weights = across_slices(rho)
    near = deque((field() for _ in weights), maxlen=len(weights))
    for index in range(len(levels.coarse)):
        if index:
            near.append(field())
        mixed = sum(np.float32(weight) * plane for weight, plane in zip(weights, near, strict=True) if weight)
        yield np.asarray(mixed * levels.plane(index), np.float32)


def across_slices(rho: Sequence[float]) -> NDArray[np.float64]:
    """Return the symmetric filter (2 n + 1,) of length 1 that gives independent slices the correlation `rho` (lags 1, 2, ...).

    n is 0 where all of it is 0 or less, else 8. The filter is the inverse Fourier transform of the root of the spectrum.
    """
    known = np.maximum(np.nan_to_num(np.asarray(rho, np.float64)), 0)[:_LAGS]
    if not known.any():
        return np.ones(1)
    covariance = np.zeros(_GRID)
    covariance[0] = 1.0
    covariance[1 : 1 + len(known)] = known
    covariance[-1 : -1 - len(known) : -1] = known
    response = np.fft.ifft(np.sqrt(np.maximum(np.fft.fft(covariance).real, 0))).real
    weights = np.roll(response, _LAGS)[: 2 * _LAGS + 1]
    return np.asarray(weights / np.sqrt((weights**2).sum()), np.float64)
