"""Noise power spectra of phantoms: uniform regions, repeats and differences (ICRU 87, AAPM TG-233).

NPS(u, v) = dx dy / (Nx Ny) <|DFT2(region - second-order trend)|^2> in HU2 mm2; its integral is the variance. The estimator
is `demottle.noise.spectrum`; here are the ways to come by noise without anatomy, with at least 50 regions. What detrend and
taper did to the spectrum is put right (`without_trend_loss`) unless `restore` is False.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from demottle.errors import InputError, are, only
from demottle.noise.spectrum import REGION, Spectrum, spectrum_of_density, spectrum_of_regions, trend_gain
from demottle.quality.arrays import planes_of, same_shape, spacing_of

FEWEST_REGIONS = 50
_KNOWN = 0.9
_NEXT = 6.0  # frequency steps
_HANN_POWER = [1 / 6, 2 / 3, 1 / 6]  # what a Hann window does to a smooth power spectrum
Mask = NDArray[np.bool_]
Density = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Restored(Spectrum):
    """A spectrum that was put right already: `without_trend_loss` gives it back as it is."""


def nps_of_uniform(
    planes: NDArray[Any],
    spacing: float | tuple[float, float],
    mask: Mask | None = None,
    size: int = REGION,
    fewest: int = FEWEST_REGIONS,
    taper: bool = True,
    restore: bool = True,
) -> Spectrum:
    """NPS of a uniform object, from half-overlapping regions that lie wholly inside the mask.

    Args:
        planes: (rows, columns) or (n, rows, columns) in HU; slices or repeats.
        spacing: pixel spacing in mm, one number or (rows, columns).
        mask: where the object is uniform, (rows, columns) or like `planes`; None: everywhere.
        size: side of a region in pixels.
        fewest: least number of regions; with N of them a radial bin of M frequencies is known to about sqrt(2 / (N M)).
        taper: multiply regions by a Hann window: what is strong leaks less into what is weak.
        restore: put back what detrend and taper did (`without_trend_loss`); the plain definition is without both.

    Raises:
        InputError: too few regions, NaN, no spacing, a mask of another shape.
    """
    stack = planes_of(planes, "planes")
    return _averaged(_tiles(stack, _mask_for(mask, stack), size), spacing, size, fewest, taper, restore)


def nps_of_places(
    planes: NDArray[Any],
    spacing: float | tuple[float, float],
    centers: Sequence[tuple[int, int]],
    size: int = REGION,
    fewest: int = FEWEST_REGIONS,
    taper: bool = True,
    restore: bool = True,
) -> Spectrum:
    """NPS from regions of `size` pixels around given centers (row, column), the same in every plane.

    Raises:
        InputError: as `nps_of_uniform`; also where a region leaves the image.
    """
    stack = planes_of(planes, "planes")
    corners = np.asarray(centers, int).reshape(-1, 2) - size // 2
    outside = (corners < 0).any(axis=1) | (corners + size > np.array(stack.shape[1:])).any(axis=1)
    if outside.any():
        row, column = corners[outside][0] + size // 2
        raise InputError(
            f"The region of {size} x {size} pixels around row {row}, column {column} leaves the image of "
            f"{stack.shape[1]} x {stack.shape[2]} pixels; move it or use smaller regions."
        )
    found = [stack[:, top : top + size, left : left + size] for top, left in corners]
    return _averaged(
        np.concatenate(found) if found else np.empty((0, size, size)), spacing, size, fewest, taper, restore
    )


def nps_of_repeats(
    repeats: NDArray[Any],
    spacing: float | tuple[float, float],
    mask: Mask | None = None,
    size: int = REGION,
    fewest: int = FEWEST_REGIONS,
    taper: bool = True,
    restore: bool = True,
) -> Spectrum:
    """NPS of repeats of one plane, (n, rows, columns): each less the mean of all, times sqrt(n / (n - 1)).

    What is in every repeat (anatomy, artifacts) cancels. Raises InputError as `nps_of_uniform`, and for a single repeat.
    """
    stack = planes_of(repeats, "repeats")
    if len(stack) < 2:
        raise InputError("A noise spectrum from repeats needs at least two of them, but got one plane.")
    noise = (stack - stack.mean(axis=0)) * np.sqrt(len(stack) / (len(stack) - 1))
    return _averaged(_tiles(noise, _mask_for(mask, stack), size), spacing, size, fewest, taper, restore)


def nps_of_difference(
    first: NDArray[Any],
    second: NDArray[Any],
    spacing: float | tuple[float, float],
    mask: Mask | None = None,
    size: int = REGION,
    fewest: int = FEWEST_REGIONS,
    taper: bool = True,
    restore: bool = True,
) -> Spectrum:
    """NPS of one of two images with the same anatomy and independent noise, from (first - second) / sqrt(2).

    Raises InputError as `nps_of_uniform`, and where the shapes differ.
    """
    one, other = planes_of(first, "first planes"), planes_of(second, "second planes")
    same_shape("two realizations", one, other)
    return _averaged(
        _tiles((one - other) / np.sqrt(2), _mask_for(mask, one), size), spacing, size, fewest, taper, restore
    )


def without_trend_loss(spectrum: Spectrum) -> Spectrum:
    """Return the spectrum with the power that detrending took from its lowest frequencies put back.

    Each frequency is divided by the share of locally white noise that the second-order detrend leaves there; where less than
    0.9 is left (zero frequency and its neighbors), a parabola in |f| through the next ones is continued. What a taper
    smoothed is sharpened by one step of Van Cittert's: 2 S - S * smoothing. Observers of large objects need this, or d' is
    wrong by several percent. Curve, sigma, peak and mean are those of the new density.
    """
    if spectrum.regions == 0 or isinstance(spectrum, Restored):  # known and not measured, or done: nothing is lost
        return spectrum
    size = len(spectrum.density_2d)
    gain = trend_gain(size, spectrum.tapered)
    f = np.hypot(np.fft.fftfreq(size, spectrum.spacing[0])[:, None], np.fft.fftfreq(size, spectrum.spacing[1]))
    lost = gain < _KNOWN
    near = ~lost & (f < _NEXT / (size * min(spectrum.spacing)))
    density_2d = _continued(spectrum.density_2d / np.maximum(gain, _KNOWN), f, near, lost)
    if spectrum.tapered:
        smoothed = density_2d
        for axis in (0, 1):
            smoothed = convolve1d(smoothed, _HANN_POWER, axis=axis, mode="wrap")
        density_2d = _continued(np.maximum(2 * density_2d - smoothed, 0), f, near, lost)
    return with_density(spectrum, density_2d)


def _continued(density: Density, f: Density, near: Mask, lost: Mask) -> Density:
    """Density with its lost frequencies continued from the near ones."""
    parabola = np.polynomial.Polynomial.fit(f[near], density[near], 2)
    result: Density = density.copy()
    result[lost] = np.maximum(parabola(f[lost]), 0)
    return result


def with_density(spectrum: Spectrum, density_2d: NDArray[np.float64]) -> Restored:
    """Return a spectrum with another 2-D density of the same shape; curve, sigma, peak and mean follow from it."""
    made = spectrum_of_density(density_2d, spectrum.spacing, spectrum.regions)
    values = {field.name: getattr(made, field.name) for field in fields(made)}
    return Restored(**{**values, "regions": spectrum.regions, "tapered": spectrum.tapered})


def band_power(spectrum: Spectrum, edges: Sequence[float]) -> NDArray[np.float64]:
    """Mean NPS in HU2 mm2 over rings of radial frequency between consecutive `edges` in 1/mm (lower edge included).

    Raises:
        InputError: where a band holds no frequency of the spectrum.
    """
    size = len(spectrum.density_2d)
    f = np.hypot(np.fft.fftfreq(size, spectrum.spacing[0])[:, None], np.fft.fftfreq(size, spectrum.spacing[1]))
    band = np.digitize(f.ravel(), np.asarray(edges, float)) - 1
    inside = (band >= 0) & (band < len(edges) - 1)
    count = np.bincount(band[inside], minlength=len(edges) - 1)
    if (count == 0).any():
        lowest = int(np.argmin(count))
        raise InputError(
            f"The band {edges[lowest]} to {edges[lowest + 1]} per mm holds no frequency of a region of {size} pixels; "
            "use wider bands or larger regions."
        )
    power: NDArray[np.float64] = np.bincount(band[inside], spectrum.density_2d.ravel()[inside], len(edges) - 1) / count
    return power


def _mask_for(mask: Mask | None, stack: NDArray[np.float64]) -> Mask | None:
    if mask is None:
        return None
    if mask.shape not in (stack.shape, stack.shape[1:]):
        raise InputError(f"The mask has shape {mask.shape}, but the planes have {stack.shape}.")
    return np.broadcast_to(mask, stack.shape)


def _tiles(stack: NDArray[np.float64], mask: Mask | None, size: int) -> NDArray[np.float64]:
    """Half-overlapping regions (n, size, size) wholly inside the mask."""
    if size < 8 or size > min(stack.shape[1:]):
        raise InputError(
            f"No region of {size} x {size} pixels fits into planes of {stack.shape[1]} x {stack.shape[2]} pixels (at least 8)."
        )
    step = (slice(None), slice(None, None, max(size // 2, 1)), slice(None, None, max(size // 2, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(stack, (size, size), (1, 2))[step]
    if mask is None:
        return windows.reshape(-1, size, size)
    inside = np.lib.stride_tricks.sliding_window_view(mask, (size, size), (1, 2))[step].all(axis=(-2, -1))
    return windows[inside]


def _averaged(
    regions: NDArray[np.float64],
    spacing: float | tuple[float, float],
    size: int,
    fewest: int,
    taper: bool,
    restore: bool,
) -> Spectrum:
    pair = spacing_of(spacing)
    if len(regions) < fewest:
        raise InputError(
            f"{only(len(regions), 'region')} of {size} x {size} pixels {are(len(regions))} wholly in the uniform part; a noise "
            "spectrum needs at least "
            f"{fewest}: give more planes, a larger uniform region or smaller regions."
        )
    found = spectrum_of_regions(regions, pair, taper)
    return without_trend_loss(found) if restore else found
