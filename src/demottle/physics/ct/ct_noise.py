"""Noise of a low-dose CT scan: correlated inside a slice, uneven over it, and correlated from slice to slice.

Quantum and electronic noise are drawn in the projections of every slice and go through the same filtered back-projection
as a scan's data. So the noise has the spectrum |f| times the kernel squared, is strongest where the rays are most
attenuated, and runs in streaks through the shoulders.

Variance of a logarithmised projection (J. Hsieh, Computed Tomography, chapter 7), for N0 photons at the unattenuated
detector, line integral L and electronic noise of `electronic` photons rms:

    var = exp(L) / N0 + electronic^2 exp(2 L) / N0^2

Noise is drawn as Gaussian with this variance: the skew of the logarithm at a few photons per ray is left out.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask, Voxels
from demottle.physics.ct.projection import (
    FloatArray,
    Kernel,
    backproject,
    bins_across,
    filtered_backprojection,
    forward_project,
    half_turn,
    noise_gain,
)

WATER = 0.0193  # attenuation of water in 1/mm at 70 keV, the mean energy of a 120 kVp beam (NIST XCOM)
BOW_TIE = 0.5  # part of the missing water path at the edge of the fan that the bow-tie filter makes up for
LARGEST_CORRELATION = 0.7
_COARSE = 160  # pixels across for line integrals: they are smooth


@dataclass(frozen=True)
class Scanner:
    """What decides the noise beside the dose.

    Attributes:
        angles: projections over half a turn.
        kernel: reconstruction kernel, "soft", "standard" or "sharp".
        electronic: electronic noise of the detector, photons rms.
        bow_tie: 0 for none, 1 for a filter that fully flattens a water cylinder as wide as the field of view.
    """

    angles: int = 512
    kernel: Kernel = "soft"
    electronic: float = 8.0
    bow_tie: float = BOW_TIE


def simulate_noise(
    image: Image,
    sigma: float,
    rho: float,
    kernel: Kernel = "soft",
    seed: int = 0,
    listener: Listener = silent,
    region: Mask | None = None,
    dose: float = 1.0,
) -> Voxels:
    """Draw the noise of a scan of `image`, without the image itself.

    Args:
        image: noise-free CT in HU with square pixels.
        sigma: standard deviation in HU inside `region` (root mean square over all slices). It sets the dose, which is the
            same for all slices: thicker parts of the body come out noisier.
        rho: correlation of the noise of adjacent slices, 0 to 0.7; at two slices it is `rho_of_mixing` says.
        kernel: reconstruction kernel, "soft", "standard" or "sharp".
        seed: the same seed gives the same noise, slice by slice.
        listener: hears of every slice.
        region: where `sigma` holds; None: the middle of the body (`central_body`).
        dose: share of the dose that gives `sigma`: that share of the photons. Quantum noise grows as its inverse square root,
            electronic noise as its inverse.

    Returns:
        float32, shape of the image, HU, zero mean.

    Raises:
        InputError: for an image that is not CT in HU or has no square pixels, or a sigma, rho or dose out of range.
    """
    angles = int(np.clip(1.25 * max(image.shape[1:]), 128, 512))  # what the resolution asks for
    unmixed = independent_noise(image, sigma, Scanner(angles, kernel), seed, listener, region, dose=dose)
    return mix_slices(unmixed, rho)


def mixing_weights(rho: float) -> NDArray[np.float64]:
    """Weights (a, 1, a), of unit sum of squares, that correlate adjacent slices by `rho`.

    This is what interpolation along a helix does. Correlation at lag 1 is `2a/(1+2a^2) = rho`, at lag 2 it is
    `a^2/(1+2a^2)` (0.02 for rho 0.28, 0.06 for 0.45, as real scans show), beyond it is zero.

    Raises:
        InputError: for a rho outside 0 to 0.7, the most that three slices can reach.
    """
    if not 0 <= rho <= LARGEST_CORRELATION:
        raise InputError(
            f"The correlation of adjacent slices is {rho}; it has to lie between 0 and {LARGEST_CORRELATION}."
        )
    side = 0.0 if rho == 0 else (1 - np.sqrt(1 - 2 * rho**2)) / (2 * rho)
    weights = np.array([side, 1.0, side])
    return np.asarray(weights / np.sqrt(np.sum(weights**2)))


def mix_slices(unmixed: Voxels, rho: float) -> Voxels:
    """Correlate adjacent slices of independent noise; the first and last slice are used up: shape (slices + 2, ...) in.

    The variance stays what it was, where it changes slowly from slice to slice.
    """
    before, here, after = mixing_weights(rho).astype(np.float32)
    mixed: Voxels = here * unmixed[1:-1]
    mixed += before * unmixed[:-2]
    mixed += after * unmixed[2:]
    return mixed


def independent_noise(
    image: Image,
    sigma: float,
    scanner: Scanner | None = None,
    seed: int = 0,
    listener: Listener = silent,
    region: Mask | None = None,
    workers: int = 2,
    dose: float = 1.0,
) -> Voxels:
    """Noise of every slice, independent between slices, with one more slice at either end for `mix_slices`.

    Arguments and errors as `simulate_noise`. Returns float32, shape (slices + 2, rows, columns), HU.
    """
    scanner = scanner or Scanner()
    pixel = _square_pixel(image)
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"The noise level is {sigma} HU; it has to be a positive number.")
    check_share(dose)
    region = central_body(image) if region is None else region
    if region.shape != image.shape or not region.any():
        raise InputError(
            "The region for the noise level is empty or has another shape than the image; mark soft tissue in it."
        )
    integrals = [_line_integrals(plane, pixel, scanner) for plane in image.voxels]
    photons = dose * _photons_for(sigma, region, integrals, pixel, scanner)

    def draw(index: int) -> Voxels:
        integral = integrals[min(max(index - 1, 0), len(integrals) - 1)]  # beyond the ends the anatomy goes on
        white = np.random.default_rng([seed, index]).standard_normal(integral.shape, dtype=np.float32)
        white *= np.sqrt(_variance(integral, photons, scanner))
        noise = filtered_backprojection(white, image.shape[1:], pixel, scanner.kernel)
        return noise * np.float32(1000 / WATER)

    count = len(integrals) + 2
    unmixed = np.empty((count, *image.shape[1:]), np.float32)
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done, noise in enumerate(pool.map(draw, range(count))):
                unmixed[done] = noise
                listener(Progress(Stage.SIMULATE, done + 1, count))
        except BaseException:  # canceled by the listener: do not draw the rest first
            pool.shutdown(cancel_futures=True)
            raise
    return unmixed


def check_share(dose: float) -> float:
    """Return a share of the dose; refuse what is none.

    Raises:
        InputError: not a positive number.
    """
    if not (np.isfinite(dose) and dose > 0):
        raise InputError(
            f"The dose is {dose}; it has to be a positive number, 1 for the dose that gives the noise asked for."
        )
    return dose


def central_body(image: Image) -> Mask:
    """Voxels of soft tissue (-150 to 200 HU) in the middle third of the body, slice by slice."""
    region = np.zeros(image.shape, np.bool_)
    for plane, inside in zip(image.voxels, region, strict=True):
        rows, columns = np.nonzero(plane > -300)
        if rows.size == 0:
            continue
        top, bottom = np.percentile(rows, [100 / 3, 200 / 3]).astype(int)
        left, right = np.percentile(columns, [100 / 3, 200 / 3]).astype(int)
        box = (slice(top, bottom + 1), slice(left, right + 1))
        inside[box] = (plane[box] > -150) & (plane[box] < 200)
    return region


def _square_pixel(image: Image) -> float:
    if image.modality != "CT" or image.unit != "HU":
        raise InputError(f"CT noise needs an image in HU; this is {image.modality} in {image.unit}.")
    _, row, column = image.spacing
    if abs(row - column) > 0.01 * row:
        raise InputError(f"Pixels are {row} mm x {column} mm; CT noise is simulated for square pixels: resample first.")
    return row


def coarse_attenuation(plane: Voxels, water: float = WATER) -> tuple[FloatArray, int]:
    """Attenuation in 1/mm of a slice in HU on a coarse grid, and how many pixels one of its pixels is wide.

    About `_COARSE` pixels across; what is missing to whole ones at the end is air. `water`: attenuation of water in 1/mm.
    """
    factor = max(1, round(max(plane.shape) / _COARSE))
    attenuation = np.maximum(plane / 1000 + 1, 0).astype(np.float32) * np.float32(water)
    padding = [(0, -size % factor) for size in plane.shape]
    padded = np.pad(attenuation, padding)
    coarse = cv2.resize(padded, (padded.shape[1] // factor, padded.shape[0] // factor), interpolation=cv2.INTER_AREA)
    return np.asarray(coarse, dtype=np.float32), factor


def resample_bins(sinogram: FloatArray, factor: float, bins: int) -> FloatArray:
    """Interpolate projections to `bins` bins that are `factor` times narrower, about the same middle."""
    t = np.arange(bins) - (bins - 1) / 2
    position = np.clip(t / factor + (sinogram.shape[1] - 1) / 2, 0, sinogram.shape[1] - 1.001)
    low = position.astype(int)
    high_part = (position - low).astype(np.float32)
    return np.asarray(sinogram[:, low] * (1 - high_part) + sinogram[:, low + 1] * high_part)


def bow_tie_path(t: NDArray[np.floating], radius: float, strength: float, water: float = WATER) -> FloatArray:
    """Attenuation that a bow-tie adds to rays `t` mm from the axis: `strength` of the water missing in a disc of `radius`.

    Strength 1 makes up for all of it: a cylinder of water of that radius would attenuate all rays alike.
    """
    missing = 2 * radius - 2 * np.sqrt(np.maximum(radius**2 - t**2, 0))
    return np.asarray((strength * water * missing).astype(np.float32))


def _line_integrals(plane: Voxels, pixel: float, scanner: Scanner) -> FloatArray:
    """Line integrals of a slice less what the bow-tie saves, shape (angles, bins), from a coarse copy of the slice."""
    coarse, factor = coarse_attenuation(plane)
    sinogram = forward_project(coarse, pixel * factor, half_turn(scanner.angles))
    bins = bins_across((plane.shape[0], plane.shape[1]))
    t = (np.arange(bins) - (bins - 1) / 2) * pixel
    fine = resample_bins(sinogram, factor, bins)
    path = bow_tie_path(t, max(plane.shape) * pixel / 2, scanner.bow_tie)
    return np.asarray(fine + path, np.float32)


def _variance(integral: FloatArray, photons: float, scanner: Scanner) -> FloatArray:
    ratio = np.exp(integral) / np.float32(photons)
    return np.asarray(ratio + (scanner.electronic * ratio) ** 2)


def _photons_for(
    sigma: float, region: Mask, integrals: list[FloatArray], pixel: float, scanner: Scanner, step: int = 4
) -> float:
    """Photons per ray for which the mean variance in the region is `sigma^2`.

    The filter's reach is short against the variance's changes, so the variance of a pixel is the sum over angles of the
    variance of its ray, times the filter's noise gain. With N0 unknown that is a quadratic equation in 1/N0.
    """
    quantum = electronic = 0.0
    voxels = 0
    for integral, inside in zip(integrals, region, strict=True):
        chosen = inside[::step, ::step]
        if not chosen.any():
            continue
        centre = (integral.shape[1] - 1) / 2
        quantum += float(backproject(np.exp(integral), chosen.shape, 1, centre, step)[chosen].sum())
        electronic += float(backproject(np.exp(2 * integral), chosen.shape, 1, centre, step)[chosen].sum())
        voxels += int(chosen.sum())
    gain = noise_gain(integrals[0].shape[1], pixel, scanner.kernel)
    scale = (1000 / WATER * np.pi / scanner.angles) ** 2 * gain / voxels
    linear, square = scale * quantum, scale * electronic * scanner.electronic**2
    if square == 0:
        return linear / sigma**2
    return float(2 * square / (np.sqrt(linear**2 + 4 * square * sigma**2) - linear))
