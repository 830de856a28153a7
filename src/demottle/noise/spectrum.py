"""Noise power spectrum (NPS): how the noise's power is spread over spatial frequencies, in the slice plane.

Definition (ICRU 87, AAPM TG-233): NPS(u, v) = dx dy / (Nx Ny) <|DFT2(region - trend)|^2>, in unit^2 mm^2. Its integral over
both frequencies is the variance, which is the check to make of any implementation.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.errors import InputError, are, only
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.matching import matched, tolerance_of
from demottle.noise.peak import Peak, fitted_peak
from demottle.noise.slices import spread
from demottle.threads import in_order
from demottle.windows import hann

REGION = 64
"""Side of a region in pixels; 32 is used where an image has no room for enough of them."""
_ENOUGH = 50
_FEWEST = 8
_MOST_SLICES = 24
_MATCHED_SHARE = 0.97
_LEAST_GAIN = 0.3  # of the trend: below, a frequency is lost
_CHUNK = 256  # regions transformed at once: bounds memory

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A measured noise power spectrum.

    Attributes:
        frequency: radial frequencies in 1/mm, from 0 to the lower of the two Nyquist frequencies.
        density: radial mean of the NPS at these frequencies, in unit^2 mm^2.
        density_2d: NPS of one region, (n, n), zero frequency first (numpy's FFT order), rows then columns.
        spacing: pixel spacing (rows, columns) in mm.
        sigma: square root of the NPS's integral, in the image's unit.
        peak: frequency of the largest radial density, in 1/mm, fitted (`noise.peak`); NaN where the spectrum has no peak.
        peak_interval: 95 % interval of the peak; NaN where there is none.
        mean: density-weighted mean radial frequency up to Nyquist, in 1/mm; what regions do to the density is put right.
        regions: how many regions were averaged.
        tapered: regions were multiplied by a Hann window: less of the strong frequencies leaks into the weak ones.
    """

    frequency: Array
    density: Array
    density_2d: Array
    spacing: tuple[float, float]
    sigma: float
    peak: float
    mean: float
    regions: int
    tapered: bool = False
    peak_interval: tuple[float, float] = (float("nan"), float("nan"))
    covariance: Array | None = None
    """Autocovariance (n, n) of the noise in unit^2, shift 0 first (FFT order), where it was measured without regions."""


def spectrum_of_noise(noise: Voxels, spacing: tuple[float, float], size: int = REGION) -> Spectrum:
    """NPS of pure noise, shape (n, rows, columns): every whole region of `size` pixels, half overlapping, is used.

    Args:
        noise: noise without anatomy, in the image's unit.
        spacing: pixel spacing (rows, columns) in mm.
        size: side of a region in pixels.

    Raises:
        InputError: where not one region fits.
    """
    regions = [region for plane in noise for region in _regions(plane, None, size)]
    return _average(regions, spacing, size)


def spectrum_of_regions(regions: Array, spacing: tuple[float, float], taper: bool = False) -> Spectrum:
    """NPS of square regions (n, size, size) of noise without anatomy; each is freed of its second-order trend.

    With `taper`, NPS = dx dy <|DFT2(w (region - trend))|^2> / sum(w^2), w a 2-D Hann window.

    Raises:
        InputError: where there is no region.
    """
    return _average(regions, spacing, regions.shape[-1], taper)


def spectrum_of_density(
    density_2d: Array, spacing: tuple[float, float], regions: int = 0, in_regions: bool = False
) -> Spectrum:
    """Return the spectrum with a given NPS (n, n) in FFT order: known or synthetic, or put right after it was measured.

    Args:
        density_2d: NPS.
        spacing: pixel spacing (rows, columns) in mm.
        regions: how many it was measured on, which the interval of its peak comes from; 0: it is known.
        in_regions: it is what detrended regions show, not put right yet.
    """
    return _spectrum(np.asarray(density_2d, np.float64), spacing, regions, whole=not in_regions)


def autocovariance(spectrum: Spectrum) -> Array:
    """Autocovariance (n, n) of the noise in unit^2, shift 0 first (FFT order), what regions do to it put right."""
    if spectrum.covariance is not None:
        return spectrum.covariance
    area = spectrum.spacing[0] * spectrum.spacing[1]
    right = _put_right(spectrum.density_2d, spectrum.tapered) if spectrum.regions else spectrum.density_2d
    found: Array = np.real(fft.ifft2(right)) / area
    return found


def radial_mean(density_2d: Array, spacing: tuple[float, float]) -> Array:
    """Return the mean (n, n) over all directions of an NPS in FFT order, for every frequency of it."""
    ring = _rings(len(density_2d), spacing)
    total = np.bincount(ring.ravel(), weights=density_2d.ravel()) / np.maximum(np.bincount(ring.ravel()), 1)
    return np.asarray(np.maximum(total, 0)[ring])


def trend_free(regions: Array) -> Array:
    """Return square regions (n, size, size) less their second-order trend, which is anatomy or shading."""
    return _detrend(regions)


def trend_gain(size: int, tapered: bool = False) -> Array:
    """Share (size, size) of white noise's power that the second-order detrend leaves at each frequency, near 0 at zero."""
    window = _window(size, tapered)
    basis = _trend_basis(size).T.reshape(-1, size, size) * window
    gain: Array = 1 - (np.abs(np.fft.fft2(basis)) ** 2).sum(axis=0) / (window**2).sum()
    return gain


def noise_spectrum(image: Image, correlation: Correlation | None = None) -> Spectrum:
    """NPS of a real image, from the difference of neighbouring slices where they show the same tissue.

    The difference of two slices holds no matched anatomy; its power is 2 (1 - rho) that of one slice's noise, rho being the
    correlation at lag 1. `scan_spectrum` decides between this and the spectrum of a slice by itself.

    Raises:
        InputError: for a single slice; where the image has too little uniform tissue for a spectrum.
    """
    if image.shape[0] < 2:
        raise InputError("A single slice has no neighbor to be compared with; `lone_spectrum` measures it by itself.")
    if correlation is None:
        correlation = slice_correlation(image)
    spacing = image.spacing[1], image.spacing[2]
    found: list[Array] = []
    size = REGION
    for size in (REGION, REGION // 2):
        found = _image_regions(image, correlation, size)
        if len(found) >= _ENOUGH:
            break
    if len(found) < _FEWEST and image.shape[0] > 2 and min(image.shape[1:]) >= REGION:
        # Of a chest at a small field of view there may be only the wall: better a coarse spectrum than none.
        size = REGION // 4
        found = _image_regions(image, correlation, size)
    if len(found) < _FEWEST:
        raise InputError(
            f"{only(len(found), 'region')} of {size} x {size} pixels in the image {are(len(found))} uniform tissue; a noise "
            f"spectrum needs at least {_FEWEST}, so none is used."
        )
    return _average(found, spacing, size)


def _image_regions(image: Image, correlation: Correlation, size: int) -> list[Array]:
    found: list[Array] = []
    rho = correlation.at(1)
    scale = np.float32(1 / np.sqrt(2 * (1 - min(rho, 0.95)))) if np.isfinite(rho) else np.float32(1 / np.sqrt(2))

    def regions(index: int) -> list[Array]:
        here, there = image.voxels[index], image.voxels[index + 1]
        difference = (here - there) * scale
        smooth_here, smooth_there = guide.smooth(here), guide.smooth(there)
        usable = tissue_mask(smooth_here, image.unit, valid_plane(image, index))
        usable &= matched(
            smooth_here, smooth_there, tolerance_of(image, float(np.std(difference[usable]) if usable.any() else 0))
        )
        return _regions(difference, usable, size)

    for some in in_order(regions, spread(image.shape[0] - 1, _MOST_SLICES)):
        found += some
    return found


def _regions(plane: Voxels, usable: Mask | None, size: int) -> list[Array]:
    """Half-overlapping regions that are (almost) wholly usable; the few unusable pixels are set to the region's mean."""
    rows, columns = plane.shape
    found = []
    for top in range(0, rows - size + 1, size // 2):
        for left in range(0, columns - size + 1, size // 2):
            region = plane[top : top + size, left : left + size].astype(np.float64)
            if usable is not None:
                inside = usable[top : top + size, left : left + size]
                if inside.mean() < _MATCHED_SHARE:
                    continue
                region[~inside] = region[inside].mean()
            found.append(region)
    return found


def _average(regions: list[Array] | Array, spacing: tuple[float, float], size: int, taper: bool = False) -> Spectrum:
    if not len(regions):
        raise InputError(
            f"No region of {size} x {size} pixels fits into the noise image; a spectrum needs at least one."
        )
    total, window = np.zeros((size, size)), _window(size, taper)
    for first in range(0, len(regions), _CHUNK):
        flat = _detrend(np.asarray(regions[first : first + _CHUNK], np.float64))
        total += (np.abs(fft.fft2(flat * window)) ** 2).sum(axis=0)
    scale = spacing[0] * spacing[1] / (window**2).sum() / len(regions)
    return _spectrum(total * scale, spacing, len(regions), taper)


def _window(size: int, taper: bool) -> Array:
    side = hann(size) if taper else np.ones(size)
    window: Array = np.outer(side, side)
    return window


def _spectrum(
    density_2d: Array, spacing: tuple[float, float], regions: int, tapered: bool = False, whole: bool = False
) -> Spectrum:
    sigma = float(np.sqrt(density_2d.sum() / (spacing[0] * spacing[1] * density_2d.size)))
    frequency, density = _radial(density_2d, spacing)
    right = density_2d if whole else _put_right(density_2d, tapered)
    peak = _peak(right, spacing, regions)
    weight = np.maximum(_radial(right, spacing)[1], 0) * frequency  # polar area: over the plane, not over the curve
    mean = float((frequency * weight).sum() / weight.sum()) if weight.sum() > 0 else 0.0
    return Spectrum(
        frequency, density, density_2d, spacing, sigma, peak.frequency, mean, regions, tapered, (peak.low, peak.high)
    )


def _peak(density_2d: Array, spacing: tuple[float, float], regions: int) -> Peak:
    frequency, density = _radial(density_2d, spacing)
    return fitted_peak(frequency, density, _radial_counts(len(density_2d), spacing), regions)


def _put_right(density_2d: Array, tapered: bool) -> Array:
    """The density as its peak and mean are looked for, what regions do to it put right.

    The power that went with the trend is put back: without, low-pass noise would seem to have a peak. The edges of regions
    weigh the covariance of far pixels less, which moves the peak down.
    """
    size = len(density_2d)
    density_2d = density_2d / np.maximum(trend_gain(size, tapered), _LEAST_GAIN)
    if tapered:
        return density_2d
    overlap = 1 - np.abs(np.fft.fftfreq(size))
    whole: Array = np.real(fft.fft2(fft.ifft2(density_2d) / np.outer(overlap, overlap)))
    return whole


@lru_cache(maxsize=4)
def _trend_basis(size: int) -> Array:
    """Orthonormal basis (size^2, 6) of second-order polynomials over a region."""
    axis = np.linspace(-1, 1, size)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=-1).reshape(size * size, 6)
    basis: Array = np.linalg.qr(terms)[0]
    return basis


def _detrend(regions: Array) -> Array:
    """Regions (n, size, size) less their second-order trend."""
    basis = _trend_basis(regions.shape[-1])
    flat = regions.reshape(len(regions), -1)
    out: Array = (flat - (flat @ basis) @ basis.T).reshape(regions.shape)
    return out


def _radial(density_2d: Array, spacing: tuple[float, float]) -> tuple[Array, Array]:
    """Mean over rings of one frequency step, up to the lower Nyquist frequency."""
    size = density_2d.shape[0]
    ring, last = _rings(size, spacing), size // 2
    inside = ring <= last
    total = np.bincount(ring[inside], weights=density_2d[inside], minlength=last + 1)
    step = 1 / (size * max(spacing))
    return np.arange(last + 1) * step, total / np.maximum(_radial_counts(size, spacing), 1)


def _radial_counts(size: int, spacing: tuple[float, float]) -> Array:
    ring = _rings(size, spacing)
    return np.bincount(ring[ring <= size // 2], minlength=size // 2 + 1).astype(np.float64)


def _rings(size: int, spacing: tuple[float, float]) -> NDArray[np.intp]:
    v = np.fft.fftfreq(size, spacing[0])[:, None]
    u = np.fft.fftfreq(size, spacing[1])[None, :]
    rings: NDArray[np.intp] = np.rint(np.hypot(u, v) * size * max(spacing)).astype(np.intp)
    return rings
