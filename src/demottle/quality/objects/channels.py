"""Channels of a channelised Hotelling observer: a few smooth patterns through which it looks at an image."""

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.quality.arrays import spacing_of

Array = NDArray[np.float64]


def laguerre_gauss(
    shape: tuple[int, int],
    width: float,
    spacing: float | tuple[float, float],
    count: int = 6,
    center: tuple[float, float] | None = None,
) -> Array:
    """Laguerre-Gauss channels, (count, rows, columns), each of unit norm over the pixels.

    u_p(r) = exp(-pi r^2 / a^2) L_p(2 pi r^2 / a^2), p = 0 ... count - 1, L_p: Laguerre polynomials (Gallas & Barrett, JOSA A
    20 (2003)). For round objects; a width `a` of about 1 to 1.5 times the object's diameter in mm serves well.

    Args:
        shape: rows, columns.
        width: a in mm.
        spacing: pixel spacing in mm.
        count: number of channels.
        center: (row, column) in pixels of the object; the middle pixel (rows // 2, columns // 2) by default.

    Raises:
        InputError: for a width that is not positive or no channels.
    """
    if not (np.isfinite(width) and width > 0) or count < 1:
        raise InputError(
            f"Laguerre-Gauss channels need a positive width in mm and at least one channel, not {width}, {count}."
        )
    dy, dx = _offsets(shape, spacing, center)
    x = 2 * np.pi * (dy**2 + dx**2) / width**2
    terms = [np.ones_like(x), 1 - x]
    for p in range(1, count - 1):
        terms.append(((2 * p + 1 - x) * terms[p] - p * terms[p - 1]) / (p + 1))
    return _unit(np.stack(terms[:count]) * np.exp(-x / 2))


def difference_of_gaussians(
    shape: tuple[int, int],
    spacing: float | tuple[float, float],
    count: int = 10,
    center: tuple[float, float] | None = None,
) -> Array:
    """Dense difference-of-Gaussian channels, (count, rows, columns), each of unit norm over the pixels.

    In frequency: exp(-(f / (Q s_j))^2 / 2) - exp(-(f / s_j)^2 / 2), s_j = s_0 1.4^j, Q = 1.67, s_0 = 0.005 cycles per pixel
    (Abbey & Barrett, JOSA A 18 (2001)); human-like bands, for objects of any round size.
    """
    if count < 1:
        raise InputError(f"An observer needs at least one channel, not {count}.")
    step = min(spacing_of(spacing))
    dy, dx = _offsets(shape, spacing, center)
    r2 = (dy**2 + dx**2) / step**2
    deviation: Array = 0.005 * 1.4 ** np.arange(count, dtype=np.float64)[:, None, None]

    def blob(s: Array) -> Array:  # inverse Fourier transform of exp(-(f / s)^2 / 2)
        result: Array = 2 * np.pi * s**2 * np.exp(-2 * (np.pi * s) ** 2 * r2)
        return result

    return _unit(blob(1.67 * deviation) - blob(deviation))


def _offsets(
    shape: tuple[int, int], spacing: float | tuple[float, float], center: tuple[float, float] | None
) -> tuple[Array, Array]:
    row_step, column_step = spacing_of(spacing)
    row, column = (shape[0] // 2, shape[1] // 2) if center is None else center
    dy: Array = (np.arange(shape[0], dtype=np.float64)[:, None] - row) * row_step
    dx: Array = (np.arange(shape[1], dtype=np.float64)[None, :] - column) * column_step
    return dy, dx


def _unit(channels: Array) -> Array:
    norm: Array = channels / np.sqrt((channels**2).sum(axis=(1, 2), keepdims=True))
    return norm
