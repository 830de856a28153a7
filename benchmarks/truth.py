"""A noise-free truth from a real scan: denoised once, then averaged over the matched pixels of its neighbouring slices.

The denoiser is BM3D told the scan's own noise spectrum, which is none of demottle's methods, so none of them is favored. The
average over neighbours is there so that what is left of a slice's own noise does not pass for anatomy.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

REACH = 2
"""Slices either way that the truth of a slice is averaged over."""
MARGIN = 8  # pixels of air kept round the body


def make_truth(
    scan: np.ndarray,
    rho: float,
    patch: int = 64,
    workers: int = 2,
    wanted: Sequence[int] | None = None,
    part: tuple[slice, slice] | None = None,
    measured: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Denoise a CT scan (slices, rows, columns; HU) whose adjacent slices' noise correlates by `rho`, for good.

    The noise spectrum is measured in flat patches of `patch` pixels, or `measured` (`own_noise`) already. Only the `wanted`
    slices are returned, and of them only a `part`, rows and columns; None: all.
    """
    chosen = list(range(len(scan)) if wanted is None else wanted)
    used = sorted({n for one in chosen for n in range(one - REACH, one + REACH + 1) if 0 <= n < len(scan)})
    spectrum, level = measured or own_noise(scan, rho, patch)
    _, rows, columns = np.nonzero(scan[:, ::MARGIN, ::MARGIN] > -300)
    box = (slice(None), *(slice(max(0, MARGIN * (n.min() - 1)), MARGIN * (n.max() + 2)) for n in (rows, columns)))
    if part is not None:
        scan, level = scan[:, *part], level[:, *part]
        box = (slice(None), slice(None), slice(None))
    jobs = [(plane, sigma, spectrum, patch) for plane, sigma in zip(scan[box][used], level[box][used], strict=True)]
    once = scan.copy()
    context = get_context("spawn")
    cores = context.SimpleQueue()
    for worker in range(workers):
        cores.put(worker)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_pin, initargs=(cores,)) as pool:
        for index, plane in zip(used, pool.map(bm3d_slice, jobs), strict=True):
            once[index][box[1:]] = plane
    return average_matched(once, wanted=chosen)


def own_noise(scan: np.ndarray, rho: float, patch: int) -> tuple[np.ndarray, np.ndarray]:
    """Measure the radial spectrum of a scan's own noise, and the map of its level."""
    flat = flat_pairs(scan)
    return noise_spectrum(scan, flat, rho, patch), noise_level(scan, flat, rho)


def flat_pairs(scan: np.ndarray) -> np.ndarray:
    """Where soft tissue is flat in a slice and the same in the next one: bool, one slice less than the scan."""
    guide = np.stack([gaussian_filter(plane, 4) for plane in scan])
    soft = np.stack([_reach(plane, -60, 160) for plane in guide])
    slope = np.stack([np.hypot(*np.gradient(plane)) for plane in guide])
    flat = soft & (slope < 2.0)
    return flat[:-1] & flat[1:] & (np.abs(np.diff(guide, axis=0)) < 8)


def noise_spectrum(scan: np.ndarray, flat: np.ndarray, rho: float, patch: int) -> np.ndarray:
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
    if count < 20:
        raise ValueError(f"only {count} flat patches: the scan's noise spectrum cannot be measured")
    radial = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    low = patch // 16
    radial[:low] = np.minimum(
        radial[:low], radial[low]
    )  # a ramp-filtered image has less noise there; more is breathing
    return radial / radial[ring].mean()


def noise_level(scan: np.ndarray, flat: np.ndarray, rho: float) -> np.ndarray:
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
    return np.sqrt(local)


def average_matched(
    once: np.ndarray, reach: int = REACH, threshold: float = 10.0, wanted: Sequence[int] | None = None
) -> np.ndarray:
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


def _reach(plane: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where all pixels within 2 lie between two values."""
    return cv2.erode(((plane > low) & (plane < high)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _pin(cores: "SimpleQueue[int]") -> None:
    """Keep a worker on one core: BM3D's own threads wait for each other by spinning, which on a busy machine costs tenfold."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[cores.get() % len(allowed)]})


def bm3d_slice(job: tuple[np.ndarray, np.ndarray, np.ndarray, int]) -> np.ndarray:
    """Denoise one slice made even by its noise map: the slice, its noise level, the radial spectrum, its patch."""
    if not hasattr(np, "trapz"):
        setattr(np, "trapz", np.trapezoid)  # noqa: B010 - bm3d 4.0.3 still calls the name that numpy 2.4 took away
    import bm3d

    plane, level, radial, patch = job
    rows, columns = plane.shape
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(rows), np.fft.fftfreq(columns), indexing="ij"))
    power = np.interp(frequency * patch, np.arange(len(radial)), radial)
    power *= plane.size / power.mean()
    low, high = -1100.0, 1600.0  # bounded, so that metal does not change what BM3D takes for similar
    even = np.clip(plane, low, high) / level
    return (np.asarray(bm3d.bm3d(even, power)) * level + (plane - np.clip(plane, low, high))).astype(np.float32)
