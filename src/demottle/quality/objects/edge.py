"""Sharpness at a given contrast: the task transfer function (TTF) from the edge of a disc (AAPM TG-233).

TTF = |FFT(w * d/dr ESF(r))| * K, normalized to 1 at zero frequency. ESF: mean value by distance r from the fitted center, in
bins of 0.1 pixel; w: a Tukey window centered on the edge, flat over its inner half, since a Hann window would make wide
edges look sharper. K(f) undoes what curvature, bins and window do to an edge: the exact profile of a disc of the fitted
radius blurred by the fitted Gaussian (a noncentral chi-square distribution) goes the same way, and K is what it should give
over what it gives. For a linear system the TTF is its MTF; for any other it depends on contrast and noise, and so do f50 and
f10, the frequencies where it falls to one half and one tenth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import chndtr

from demottle.errors import InputError
from demottle.quality.arrays import planes_of, spacing_of
from demottle.windows import tukey

Array = NDArray[np.float64]

LOWEST_CNR = 15.0
_BIN = 0.1
_PADDED = 8192  # samples after zero padding: frequencies finer than 0.002 per pixel
_SECTORS = 12
_WIDEST = 0.3  # edge width over radius; a disc more blurred than that has no flat middle
_WIDTHS = 10.0  # half of the window in edge widths, where there is room: the tails of a kernel belong to it
_LEAST_HALF = 8.0  # pixels
_TRUSTED = 0.05  # K is held where the Gaussian's own curve falls below: a ratio of two small numbers


@dataclass(frozen=True, eq=False)
class EdgeResponse:
    """A disc's edge.

    Attributes:
        frequency, ttf: curve to the Nyquist frequency, 1/mm; 1 at zero.
        f50, f10: frequency in 1/mm where the curve falls to 0.5 and 0.1; infinite where it stays above.
        contrast: disc minus surroundings in HU.
        cnr: contrast over the noise of the (averaged) plane.
        center: fitted (row, column) in pixels; radius: fitted, in pixels.
        f50_error, f10_error: standard errors in 1/mm (jackknife over 12 sectors of the disc); NaN where a curve stays above.
    """

    frequency: Array
    ttf: Array
    f50: float
    f10: float
    contrast: float
    cnr: float
    center: tuple[float, float]
    radius: float
    f50_error: float = float("nan")
    f10_error: float = float("nan")


@dataclass(frozen=True)
class _Fit:
    """A disc blurred by a Gaussian: position, radius and width in pixels, background and contrast in HU."""

    row: float
    column: float
    radius: float
    width: float
    background: float
    contrast: float


def disc_edge(
    planes: NDArray[np.floating],
    spacing: float,
    center: tuple[float, float],
    radius: float,
    lowest_cnr: float = LOWEST_CNR,
    drift: tuple[float, float] = (0.0, 0.0),
) -> EdgeResponse:
    """Measure the edge of a disc.

    Args:
        planes: (rows, columns), or (n, rows, columns): slices or repeats that show the same disc and are averaged.
        spacing: pixel spacing in mm, the same for rows and columns.
        center: about where the disc is, (row, column) in pixels; fitted from there. Where it moves: in the middle plane.
        radius: about its radius in pixels, at least 5; an empty surrounding of one radius is needed.
        lowest_cnr: refuse below this contrast-to-noise ratio of the averaged plane.
        drift: pixels (rows, columns) that the disc moves from plane to plane, as a tilted rod does; the planes are then not
            averaged, but each is read at its own distances.

    Raises:
        InputError: contrast-to-noise below 15 (noise makes an edge look sharper than it is: average more slices), a disc
            too small or too blurred for its size, one that is not there (any more), one whose surroundings leave the slice,
            NaN, or no spacing.
    """
    stack = planes_of(planes, "planes of the disc")
    plane, y, x = _placed(stack, drift)
    step = spacing_of(spacing)[0]
    reach = 1.9 * radius
    if radius < 5:
        raise InputError(f"A disc of radius {radius:.2g} px is too small for an edge; it needs at least 5 px.")
    _refuse_outside(stack, center, radius, reach)
    fit = _fit(plane, (y, x), center, radius)
    if not radius / 2 < fit.radius < min(1.5 * radius, reach):
        raise InputError(
            f"There is no disc of radius {radius:.1f} px at row {center[0]:.1f}, column {center[1]:.1f}: what fits best has a "
            f"radius of {fit.radius:.1f} px."
        )
    dy, dx = y - fit.row, x - fit.column
    distance = np.hypot(dy, dx)
    cnr = _contrast_to_noise(stack, fit, reach, drift)
    if not cnr >= lowest_cnr:
        raise InputError(
            f"The disc's contrast-to-noise ratio is {cnr:.1f}; an edge needs at least {lowest_cnr:.0f}: average more slices "
            "or repeats that show the same disc."
        )
    if fit.width > _WIDEST * fit.radius:
        raise InputError(
            f"The disc's edge is {fit.width:.1f} px wide for a radius of {fit.radius:.1f} px: too blurred to have a flat "
            "middle; use a larger disc."
        )
    half = min(0.95 * fit.radius, 0.95 * (reach - fit.radius), max(_WIDTHS * fit.width, _LEAST_HALF))
    sector = np.floor((np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * _SECTORS).astype(int) % _SECTORS
    frequency, curves = _transfer(_spread(plane, distance - fit.radius, sector, half), step)
    known = _transfer(_spread(_model(distance, fit), distance - fit.radius, sector, half), step)[1][0]
    curves = curves * _correction(frequency * step, known, fit.width)
    f50, f10 = ([_falls_to(level, frequency, curve) for curve in curves] for level in (0.5, 0.1))
    return EdgeResponse(
        frequency, curves[0], f50[0], f10[0], fit.contrast, cnr, (fit.row, fit.column), fit.radius,
        _jackknife(f50[1:]), _jackknife(f10[1:]),
    )  # fmt: skip


def _refuse_outside(stack: Array, center: tuple[float, float], radius: float, reach: float) -> None:
    rows, columns = stack.shape[1:]
    if min(center) < reach or center[0] > rows - 1 - reach or center[1] > columns - 1 - reach:
        raise InputError(
            f"The surroundings of the disc at row {center[0]:.1f}, column {center[1]:.1f} (radius {radius:.1f} px) leave "
            "the slice."
        )


def _placed(stack: Array, drift: tuple[float, float]) -> tuple[Array, Array, Array]:
    """Values, and their rows and columns as if the disc stood still: the mean of planes where it does."""
    y: Array = np.arange(stack.shape[1], dtype=np.float64)[:, None]
    x: Array = np.arange(stack.shape[2], dtype=np.float64)[None, :]
    if drift == (0.0, 0.0):
        return stack.mean(axis=0), y, x
    away = _from_middle(len(stack))[:, None, None]
    return stack, y - drift[0] * away, x - drift[1] * away


def _from_middle(count: int) -> Array:
    result: Array = np.arange(count, dtype=np.float64) - (count - 1) / 2
    return result


def _fit(plane: Array, at: tuple[Array, Array], center: tuple[float, float], radius: float) -> _Fit:
    """Least squares fit of a disc blurred by a Gaussian."""
    rows, columns = (np.broadcast_to(part, plane.shape) for part in at)
    away = np.hypot(rows - center[0], columns - center[1])
    near = away < 1.9 * radius
    y, x, values, away = rows[near], columns[near], plane[near], away[near]
    low, high = float(values[away > 1.4 * radius].mean()), float(values[away < 0.6 * radius].mean())
    scale = abs(high - low) or 1.0  # parameters of like size make the fit stop where it should

    def misfit(p: Array) -> Array:
        fit = _Fit(p[0], p[1], abs(p[2]), abs(p[3]), p[4] * scale, p[5] * scale)
        difference: Array = (_model(np.hypot(y - p[0], x - p[1]), fit) - values) / scale
        return difference

    start = [*center, radius, 1.0, low / scale, (high - low) / scale]
    row, column, fitted, width, low, contrast = (float(v) for v in least_squares(misfit, start).x)
    return _Fit(row, column, abs(fitted), abs(width), low * scale, contrast * scale)


def _model(distance: Array, fit: _Fit) -> Array:
    """Exact value of a Gaussian-blurred disc at distances from its center: P(chi'^2_2(r^2 / s^2) < R^2 / s^2)."""
    width = max(fit.width, 0.1)
    table = np.arange(0, float(distance.max()) + 0.1, 0.05)
    profile = chndtr((fit.radius / width) ** 2, 2, (table / width) ** 2)
    value: Array = fit.background + fit.contrast * np.interp(distance, table, profile)
    return value


def _contrast_to_noise(stack: Array, fit: _Fit, reach: float, drift: tuple[float, float]) -> float:
    """Contrast over the noise of the mean of all planes, which are moved onto each other by whole pixels where the disc moves."""
    steps = np.rint(_from_middle(len(stack))[:, None] * drift).astype(int)
    if steps.any():
        plane = np.mean([np.roll(p, (-a, -b), (0, 1)) for p, (a, b) in zip(stack, steps, strict=True)], axis=0)
    else:
        plane = stack.mean(axis=0)
    away = np.hypot(np.arange(plane.shape[0])[:, None] - fit.row, np.arange(plane.shape[1])[None, :] - fit.column)
    distance = away - fit.radius
    far = (distance > 4 * fit.width + 1) & (distance < reach - fit.radius)
    noise = float(plane[far].std()) if far.any() else 0.0
    if noise > 0 or fit.contrast == 0:
        return abs(fit.contrast) / max(noise, 1e-12)
    return float("inf")


def _spread(plane: Array, distance: Array, sector: NDArray[np.int_], half: float) -> Array:
    """Line spread functions: derivative of the mean profile over -half to half pixels, windowed around the edge.

    The first row is of the whole disc, the others leave out one sector each.
    """
    bins = int(half / _BIN)
    index = np.floor(distance / _BIN).astype(int) + bins
    inside = (index >= 0) & (index < 2 * bins)
    place = index[inside] + 2 * bins * sector[inside]
    count = np.bincount(place, minlength=2 * bins * _SECTORS).reshape(_SECTORS, -1)
    total = np.bincount(place, plane[inside], minlength=2 * bins * _SECTORS).reshape(_SECTORS, -1)
    counts = np.vstack([count.sum(axis=0), count.sum(axis=0) - count])
    totals = np.vstack([total.sum(axis=0), total.sum(axis=0) - total])
    at = np.arange(2 * bins)
    profiles = [np.interp(at, at[n > 0], t[n > 0] / n[n > 0]) for n, t in zip(counts, totals, strict=True)]
    result: Array = np.diff(np.stack(profiles), axis=1) * tukey(2 * bins - 1, 0.5)
    return result


def _transfer(spread: Array, spacing: float) -> tuple[Array, Array]:
    padded = max(_PADDED, spread.shape[1])
    magnitude = np.abs(np.fft.rfft(spread, padded, axis=1))
    frequency: Array = np.fft.rfftfreq(padded, _BIN * spacing).astype(np.float64)
    upto = frequency <= 0.5 / spacing
    ttf: Array = (magnitude / magnitude[:, :1])[:, upto].astype(np.float64)
    return frequency[upto], ttf


def _correction(per_pixel: Array, found: Array, width: float) -> Array:
    """K(f): true over found curve of the fitted Gaussian disc."""
    true = np.exp(-2 * (np.pi * width * per_pixel) ** 2)
    trusted = int(np.argmax(true < _TRUSTED)) if (true < _TRUSTED).any() else len(true)
    ratio: Array = true / np.maximum(found, 1e-9)
    ratio[trusted:] = ratio[max(trusted - 1, 0)]
    return ratio


def _jackknife(values: list[float]) -> float:
    """Standard error from values that each leave out one of n parts."""
    found = np.array(values)
    return float(np.sqrt((len(found) - 1) * found.var())) if np.isfinite(found).all() else float("nan")


def _falls_to(level: float, frequency: Array, ttf: Array) -> float:
    below = np.flatnonzero(ttf < level)
    if not len(below):
        return float("inf")
    i = int(below[0])
    return float(np.interp(level, [ttf[i], ttf[i - 1]], [frequency[i], frequency[i - 1]]))
