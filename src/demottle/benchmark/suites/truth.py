"""A noise-free truth from a real scan: denoised once, then averaged over the matched pixels of its neighboring slices.

The denoiser is BM3D told the scan's own noise spectrum, which is not one of demottle's methods, so none of them is favored. The
average over neighbors is there so that what is left of a slice's own noise does not pass for anatomy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.image import Mask, Voxels

REACH = 2
"""Slices either way that the truth of a slice is averaged over."""
MARGIN = 8  # pixels of air kept round the body
_FEWEST_PATCHES = 20
Part = tuple[slice, slice]
Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class OwnNoise:
    """The noise that a real scan has itself.

    Attributes:
        spectrum: radial power per frequency bin of 1/patch per pixel, of unit variance.
        level: map of its standard deviation in HU, the shape of the scan.
        patch: pixels across the flat patches that the spectrum was measured in.
    """

    spectrum: Floats
    level: Voxels
    patch: int


def make_truth(scan: Voxels, noise: OwnNoise, wanted: Sequence[int], part: Part | None = None) -> Voxels:
    """Denoise slices of a CT scan, for good. Needs the package bm3d and several seconds a slice.

    Args:
        scan: (slices, rows, columns) in HU.
        noise: the scan's own.
        wanted: the slices that are returned.
        part: rows and columns that are returned; None: all.
    """
    used = sorted({n for one in wanted for n in range(one - REACH, one + REACH + 1) if 0 <= n < len(scan)})
    level = noise.level
    if part is not None:
        scan, level, box = scan[:, *part], level[:, *part], (slice(None), slice(None))
    else:
        box = _around_body(scan)
    once = scan.copy()
    for index in used:
        once[index][box] = bm3d_slice(scan[index][box], level[index][box], noise)
    return average_matched(once, wanted=wanted)


def _around_body(scan: Voxels) -> Part:
    _, rows, columns = np.nonzero(scan[:, ::MARGIN, ::MARGIN] > -300)
    top, left = (slice(max(0, MARGIN * (int(n.min()) - 1)), MARGIN * (int(n.max()) + 2)) for n in (rows, columns))
    return top, left


def own_noise(scan: Voxels, rho: float, patch: int) -> OwnNoise:
    """Measure the noise of a CT scan in HU, of which adjacent slices share `rho`, in flat patches of `patch` pixels.

    Raises:
        InputError: where too little of the scan is flat.
    """
    flat = flat_pairs(scan)
    return OwnNoise(noise_spectrum(scan, flat, rho, patch), noise_level(scan, flat, rho), patch)


def flat_pairs(scan: Voxels) -> Mask:
    """Where soft tissue is flat in a slice and the same in the next one: bool, one slice less than the scan."""
    guide = np.stack([gaussian_filter(plane, 4) for plane in scan])
    soft = np.stack([_reach(plane, -60, 160) for plane in guide])
    slope = np.stack([np.hypot(*np.gradient(plane)) for plane in guide])
    flat = soft & (slope < 2.0)
    both: Mask = flat[:-1] & flat[1:] & (np.abs(np.diff(guide, axis=0)) < 8)
    return both


def noise_spectrum(scan: Voxels, flat: Mask, rho: float, patch: int) -> Floats:
    """Radial noise power of slice differences in flat tissue, per frequency bin of 1/patch per pixel, of unit variance."""
    frequency = np.fft.fftfreq(patch)
    ring = np.round(np.hypot(*np.meshgrid(frequency, frequency)) * patch).astype(int)
    window = np.outer(np.hanning(patch), np.hanning(patch))
    power, count = np.zeros((patch, patch)), 0
    for index, ok in enumerate(flat):
        difference = (scan[index + 1] - scan[index]) / np.sqrt(2 * (1 - rho))
        for row in range(0, ok.shape[0] - patch, patch // 2):
            for column in range(0, ok.shape[1] - patch, patch // 2):
                box = (slice(row, row + patch), slice(column, column + patch))
                if ok[box].mean() > 0.9:
                    noise = difference[box] - difference[box].mean()
                    power += np.abs(np.fft.fft2(noise * window)) ** 2
                    count += 1
    if count < _FEWEST_PATCHES:
        raise InputError(f"The scan has only {count} flat patches, too few to measure the spectrum of its noise.")
    radial = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    low = patch // 16
    radial[:low] = np.minimum(
        radial[:low], radial[low]
    )  # a ramp-filtered image has less noise there; more is breathing
    even: Floats = radial / radial[ring].mean()
    return even


def noise_level(scan: Voxels, flat: Mask, rho: float) -> Voxels:
    """Smooth map of the noise's standard deviation in HU, from flat tissue; spread from there over the slice."""
    variance = np.zeros(scan.shape, np.float32)
    weight = np.zeros(scan.shape, np.float32)
    for index, ok in enumerate(flat):
        difference = (scan[index + 1] - scan[index]) / np.sqrt(2 * (1 - rho))
        squared = np.where(ok, (difference - gaussian_filter(difference, 8)) ** 2, 0)
        for slice_ in (index, index + 1):
            variance[slice_] += squared
            weight[slice_] += ok
    overall = variance.sum() / weight.sum()
    width = (2, 24, 24)
    little = 0.02  # where there is no flat tissue near, the level of the whole scan
    local = (gaussian_filter(variance, width) + little * overall) / (gaussian_filter(weight, width) + little)
    level: Voxels = np.sqrt(local)
    return level


def average_matched(
    once: Voxels, reach: int = REACH, threshold: float = 10.0, wanted: Sequence[int] | None = None
) -> Voxels:
    """Average soft tissue over up to `reach` slices either way where the denoised slices agree within `threshold` HU.

    The weight falls smoothly to zero at the threshold; air, lung and bone stay as they are, with a soft passage.
    """
    guide = np.stack([gaussian_filter(plane, 1.5) for plane in once])
    chosen = list(range(len(once)) if wanted is None else wanted)
    truth = np.empty((len(chosen), *once.shape[1:]), once.dtype)
    for made, index in zip(truth, chosen, strict=True):
        plane = once[index]
        total, weights = plane.copy(), np.ones_like(plane)
        for other in range(max(0, index - reach), min(len(once), index + reach + 1)):
            if other == index:
                continue
            weight = np.clip(1 - (guide[other] - guide[index]) ** 2 / threshold**2, 0, 1)
            weight *= np.clip(1 - (once[other] - plane) ** 2 / (2 * threshold) ** 2, 0, 1)
            total += weight * once[other]
            weights += weight
        soft = gaussian_filter(_reach(plane, -160, 220).astype(np.float32), 1)
        made[...] = soft * total / weights + (1 - soft) * plane
    return truth


def _reach(plane: Voxels, low: float, high: float) -> Mask:
    """Where all pixels within 2 lie between two values."""
    mask: Mask = cv2.erode(((plane > low) & (plane < high)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return mask


def bm3d_slice(plane: Voxels, level: Voxels, noise: OwnNoise) -> Voxels:
    """Denoise a slice in HU, made even by the map of its noise, by BM3D that is told the spectrum.

    Raises:
        InputError: where the package is not installed.
    """
    from demottle.methods.filters.block_matching import package
    from demottle.methods.filters.bm3d import NAME, Bm3dSettings
    from demottle.methods.registry import refuse_missing

    refuse_missing(NAME)
    module, profile = package(NAME, Bm3dSettings())
    rows, columns = plane.shape
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(rows), np.fft.fftfreq(columns), indexing="ij"))
    power = np.interp(frequency * noise.patch, np.arange(len(noise.spectrum)), noise.spectrum)
    power *= plane.size / power.mean()
    low, high = -1100.0, 1600.0  # bounded, so that metal does not change what BM3D takes for similar
    even = np.clip(plane, low, high) / level
    made = np.asarray(module.bm3d(even, power, profile)) * level
    return (made + (plane - np.clip(plane, low, high))).astype(np.float32)
