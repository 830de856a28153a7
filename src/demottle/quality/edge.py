"""Sharpness at a given contrast: the task transfer function (TTF) from the edge of a disc (AAPM TG-233).

TTF = |FFT(w * sqrt(r / R) * d/dr ESF(r))|, normalized to 1 at zero frequency. ESF: mean value by distance r from the fitted
center, in bins of 0.1 pixel; sqrt(r / R) undoes what the edge's curvature does to a blurred disc of radius R; w: a Tukey
window centered on the edge, flat over its inner half, since a Hann window would make wide edges look sharper. For a linear
system it is the MTF; for any other it depends on contrast and noise, and so do f50 and f10, the frequencies where it falls
to one half and one tenth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.signal.windows import tukey
from scipy.special import ndtr

from demottle.errors import InputError

Array = NDArray[np.float64]

LOWEST_CNR = 15.0
_BIN = 0.1
_PADDED = 8192  # samples after zero padding: frequencies finer than 0.002 per pixel


@dataclass(frozen=True, eq=False)
class EdgeResponse:
    """A disc's edge.

    Attributes:
        frequency, ttf: curve to the Nyquist frequency, 1/mm; 1 at zero.
        f50, f10: frequency in 1/mm where the curve falls to 0.5 and 0.1; infinite where it stays above.
        contrast: disc minus surroundings in HU.
        cnr: contrast over the noise of the (averaged) plane.
        center: fitted (row, column) in pixels; radius: fitted, in pixels.
    """

    frequency: Array
    ttf: Array
    f50: float
    f10: float
    contrast: float
    cnr: float
    center: tuple[float, float]
    radius: float


def disc_edge(planes: NDArray[np.floating], spacing: float, center: tuple[float, float], radius: float) -> EdgeResponse:
    """Measure the edge of a disc.

    Args:
        planes: (rows, columns), or (n, rows, columns): slices or repeats that show the same disc and are averaged.
        spacing: pixel spacing in mm, the same for rows and columns.
        center: about where the disc is, (row, column) in pixels; fitted from there.
        radius: about its radius in pixels, at least 5; an empty surrounding of one radius is needed.

    Raises:
        InputError: contrast-to-noise below 15 (noise makes an edge look sharper than it is: average more slices), a disc
            too small, or one whose surroundings leave the slice.
    """
    plane = np.asarray(planes, np.float64)
    plane = plane.mean(axis=0) if plane.ndim == 3 else plane
    reach = 1.9 * radius
    if radius < 5:
        raise InputError(f"A disc of radius {radius} px is too small for an edge; it needs at least 5 px.")
    if min(center) < reach or center[0] > plane.shape[0] - 1 - reach or center[1] > plane.shape[1] - 1 - reach:
        raise InputError(f"The surroundings of the disc at {center} (radius {radius} px) leave the slice.")
    row, column, fitted, width, _, contrast = _fit(plane, center, radius)
    distance = np.hypot(np.arange(plane.shape[0])[:, None] - row, np.arange(plane.shape[1])[None, :] - column) - fitted
    far = (distance > 4 * width + 1) & (distance < reach - fitted)
    noise = float(plane[far].std()) if far.any() else 0.0
    cnr = abs(contrast) / noise if noise > 0 else float("inf")
    if cnr < LOWEST_CNR:
        raise InputError(
            f"The disc's contrast-to-noise ratio is {cnr:.1f}; an edge needs at least {LOWEST_CNR:.0f}: average more slices "
            "or repeats that show the same disc."
        )
    half = min(fitted, reach - fitted) * 0.95
    frequency, ttf = _transfer(_spread(plane, distance, half, fitted), spacing)
    f50, f10 = (_falls_to(level, frequency, ttf) for level in (0.5, 0.1))
    return EdgeResponse(frequency, ttf, f50, f10, contrast, cnr, (row, column), fitted)


def _fit(plane: Array, center: tuple[float, float], radius: float) -> tuple[float, float, float, float, float, float]:
    """Row, column, radius, edge width, background and contrast of the disc, by least squares on a blurred disc."""
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    near = np.hypot(rows - center[0], columns - center[1]) < 1.9 * radius
    y, x, values = rows[near], columns[near], plane[near]
    inner = np.hypot(y - center[0], x - center[1]) < 0.6 * radius
    outer = np.hypot(y - center[0], x - center[1]) > 1.4 * radius
    low, high = float(values[outer].mean()), float(values[inner].mean())

    def misfit(p: Array) -> Array:
        edge = ndtr((p[2] - np.hypot(y - p[0], x - p[1])) / max(abs(p[3]), 0.05))
        difference: Array = p[4] + p[5] * edge - values
        return difference

    found = least_squares(misfit, [*center, radius, 1.0, low, high - low]).x
    row, column, fitted, width, low, contrast = (float(v) for v in found)
    return row, column, fitted, abs(width), low, contrast


def _spread(plane: Array, distance: Array, half: float, radius: float) -> Array:
    """Line spread function: derivative of the mean profile over -half to half pixels, windowed around the edge."""
    bins = int(half / _BIN)
    index = np.floor(distance / _BIN).astype(int) + bins
    inside = (index >= 0) & (index < 2 * bins)
    count = np.bincount(index[inside], minlength=2 * bins)
    total = np.bincount(index[inside], plane[inside], minlength=2 * bins)
    at = np.arange(2 * bins)
    profile = np.interp(at, at[count > 0], total[count > 0] / count[count > 0])
    slope = np.diff(profile)
    from_center = radius + _BIN * (np.arange(1, 2 * bins) - bins)
    result: Array = slope * np.sqrt(from_center / radius) * tukey(len(slope), 0.5)
    return result


def _transfer(spread: Array, spacing: float) -> tuple[Array, Array]:
    magnitude = np.abs(np.fft.rfft(spread, max(_PADDED, len(spread))))
    frequency = np.fft.rfftfreq(max(_PADDED, len(spread)), _BIN * spacing)
    upto = frequency <= 0.5 / spacing
    ttf: Array = (magnitude / magnitude[0]).astype(np.float64)
    return frequency[upto].astype(np.float64), ttf[upto]


def _falls_to(level: float, frequency: Array, ttf: Array) -> float:
    below = np.flatnonzero(ttf < level)
    if not len(below):
        return float("inf")
    i = int(below[0])
    return float(np.interp(level, [ttf[i], ttf[i - 1]], [frequency[i], frequency[i - 1]]))
