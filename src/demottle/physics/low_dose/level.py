"""From the noise measured on a scan to the photons of each of its slices.

The scan's own noise is the only dosimeter that every file has. Its level is measured slice by slice in flat soft tissue
(`demottle.noise.level`), and compared with what one photon per ray would give there; their ratio is the number of photons.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from demottle.errors import UnsuitableError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image, Voxels
from demottle.noise.flat import flat_plane
from demottle.noise.level import local_deviation
from demottle.noise.slices import spread
from demottle.physics.ct.projection import FloatArray, Kernel
from demottle.physics.low_dose.beam import Beam
from demottle.physics.low_dose.texture import median_deviation
from demottle.physics.low_dose.tube import Tube, rays_per_photon

STEP = 4
"""The expected variance is computed on every fourth row and column: it is smooth."""
_MOST_SLICES = 24
_FIT_WINDOW = 9  # steps: wide enough for the chance in single windows to even out
_FEWEST_PIXELS = 400  # of flat tissue for a slice to count
_SMOOTHING_MM = 6.0  # along the axis; one slice's level is known to a few per cent only


@dataclass(frozen=True, eq=False)
class Calibration:
    """Photons of each slice.

    Attributes:
        photons: at the unattenuated detector, per ray as wide as a pixel, for each slice, shape (slices,).
        scale: what the added variance is multiplied by in each slice, so that its level in flat tissue is right.
        levels: measured level of each slice in HU; NaN where it has too little flat tissue.
        fit: measured over expected local level across the flat tissue, 10th and 90th percentile: 1 and 1 for a perfect
            model of where the noise is strong and weak.
        electronic_share: electronic share of the scan's own variance in flat tissue, median over slices, 0 to 1.
    """

    photons: NDArray[np.float64]
    scale: NDArray[np.float64]
    levels: NDArray[np.float64]
    fit: tuple[float, float]
    electronic_share: float


@dataclass(frozen=True, eq=False)
class _SliceLevel:
    level: float
    quantum: float
    electronic: float
    ratio: NDArray[np.float64]
    squares: NDArray[np.float64]
    """Variances of the flat pixels: measured, quantum and electronic variance, shape (3, pixels)."""


def calibrate(
    image: Image,
    attenuating: Callable[[int], Voxels],
    beam: Beam,
    tube: Tube,
    kernel: Kernel | float,
    dose: float,
    current: tuple[float, ...] | None,
    listener: Listener,
    workers: int,
) -> Calibration:
    """Find the photons of every slice from its measured noise.

    Args:
        image: the scan.
        attenuating: gives a slice in HU as rays see it, padding as air.
        beam, tube, kernel: how the noise comes about.
        dose: fraction of the dose, for `Calibration.scale`.
        current: tube current of each slice in mA, where known: photons follow it between slices.
        listener: hears of every slice, stage "measure".
        workers: threads.

    Raises:
        UnsuitableError: where no slice has enough flat soft tissue, or it holds no noise.
    """
    _, row_mm, _ = image.spacing
    share = median_deviation(row_mm, kernel) ** 2

    def one(index: int) -> _SliceLevel:
        return _measure(image, index, attenuating(index), beam, tube, share)

    found: list[_SliceLevel] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done, measured in enumerate(pool.map(one, range(image.shape[0])), start=1):
                found.append(measured)
                listener(Progress(Stage.MEASURE, done, image.shape[0]))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    levels = np.array([each.level for each in found])
    if not np.isfinite(levels).any() or not np.nanmax(levels) > 0:
        raise UnsuitableError(
            "The noise of the scan cannot be measured: it has too little flat soft tissue (-150 to 200 HU), or no noise in it; "
            "a dose can only be simulated relative to measured noise."
        )
    quantum, electronic = (np.array([getattr(each, name) for each in found]) for name in ("quantum", "electronic"))
    photons = _along_axis(_photons(levels, quantum, electronic), current, image.spacing[0])
    own = quantum / photons + electronic / photons**2
    added = quantum / photons * (1 / dose - 1) + electronic / photons**2 * (1 / dose**2 - 1)
    known = np.isfinite(quantum)
    scale = np.where(known, own * (1 / dose - 1) / np.where(added > 0, added, 1), np.nan)
    scale = np.where(known, scale, np.nanmedian(scale)) if dose < 1 else np.ones_like(photons)
    scale = scale * _closing_factor(found, photons, scale, dose)
    ratios = np.concatenate([each.ratio / np.median(each.ratio) for each in found if each.ratio.size])
    low, high = np.percentile(ratios, [10, 90])
    part = float(np.nanmedian(electronic / photons**2 / own))
    return Calibration(photons, scale, levels, (float(low), float(high)), part)


def _measure(image: Image, index: int, plane: Voxels, beam: Beam, tube: Tube, share: float) -> _SliceLevel:
    """Level of one slice, and the variance in HU^2 that one photon per ray would give in the same places."""
    flat = flat_plane(image, index)
    if np.count_nonzero(flat) < _FEWEST_PIXELS:
        return _SliceLevel(np.nan, np.nan, np.nan, np.empty(0), np.empty((3, 0)))
    deviation = local_deviation(image.voxels[index])
    rays = rays_per_photon(beam.integrals(plane, tube.water), beam, tube)
    to_hu = np.float32((1000 / tube.water) ** 2 * share)
    quantum = beam.variance(rays, STEP) * to_hu
    electronic = beam.variance(rays**2 * np.float32(tube.electronic**2), STEP) * to_hu
    middle = slice(STEP // 2, None, STEP)  # of each block, where the coarse map holds
    coarse_flat = _fitted(flat[middle, middle], quantum.shape).astype(np.bool_)
    level = float(np.median(deviation[flat]))
    if not coarse_flat.any() or not level > 0:
        return _SliceLevel(level, np.nan, np.nan, np.empty(0), np.empty((3, 0)))
    measured = _fitted(deviation[middle, middle], quantum.shape)
    squares = np.stack([each[coarse_flat] for each in (measured**2, quantum, electronic)]).astype(np.float64)
    ratio = _local_ratio(measured, quantum, coarse_flat)
    return _SliceLevel(level, float(np.median(squares[1])), float(np.median(squares[2])), ratio, squares)


def _closing_factor(
    found: list[_SliceLevel], photons: NDArray[np.float64], scale: NDArray[np.float64], dose: float
) -> float:
    """Return what the added variance is to be multiplied by, so that the median level of the sum is right.

    Where the scan's noise and the model's are strong in different places, the median of a sum is more than the sum of
    medians; 1 where they agree.
    """
    if dose == 1:
        return 1.0
    own, added = [], []
    for each, count, share in zip(found, photons, scale, strict=True):
        variance, quantum, electronic = each.squares
        own.append(variance)
        added.append(share * (quantum / count * (1 / dose - 1) + electronic / count**2 * (1 / dose**2 - 1)))
    variance, more = np.concatenate(own), np.concatenate(added)
    wanted = np.median(variance) / dose

    def excess(factor: float) -> float:
        return float(np.median(variance + factor * more) - wanted)

    return float(brentq(excess, 0.5, 2.0, xtol=1e-4)) if excess(0.5) < 0 < excess(2.0) else 1.0


def _local_ratio(measured: FloatArray, variance: FloatArray, flat: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Measured over expected level around every flat pixel, up to a factor."""
    inside = flat.astype(np.float32)
    seen, expected = (
        cv2.blur(values * inside, (_FIT_WINDOW, _FIT_WINDOW), borderType=cv2.BORDER_REFLECT_101)[flat]
        for values in (measured**2, variance)
    )
    return np.asarray(np.sqrt(seen.astype(np.float64) / expected))


def level_where_flat(voxels: Voxels, image: Image) -> float:
    """Median local deviation of `voxels` over the flat soft tissue of `image`, as that of the slices in `demottle.noise.level`.

    The same places before and after: noise would otherwise have a say in what counts as flat.
    """
    values = [
        local_deviation(voxels[index])[flat_plane(image, index)] for index in spread(image.shape[0], _MOST_SLICES)
    ]
    found = np.concatenate(values)
    return float(np.median(found)) if found.size else float("nan")


def _fitted(plane: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Cut or fill with zeros at the end to `shape`; a last block may have no middle."""
    out = np.zeros(shape, plane.dtype)
    rows, columns = (min(a, b) for a, b in zip(plane.shape, shape, strict=True))
    out[:rows, :columns] = plane[:rows, :columns]
    return out


def _photons(
    level: NDArray[np.float64], quantum: NDArray[np.float64], electronic: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve `level^2 = quantum / N + electronic / N^2` for N."""
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (quantum + np.sqrt(quantum**2 + 4 * electronic * level**2)) / (2 * level**2)
    return np.where(np.isfinite(root) & (root > 0), root, np.nan)


def _along_axis(photons: NDArray[np.float64], current: tuple[float, ...] | None, spacing: float) -> NDArray[np.float64]:
    """Smooth the photons along the axis and give a value to slices that have none; they follow the current where known."""
    shape = (
        np.log(np.asarray(current)) if current is not None and len(current) == len(photons) else np.zeros(len(photons))
    )
    logarithm = np.log(photons) - shape
    known = np.isfinite(logarithm)
    width = max(_SMOOTHING_MM / spacing, 0.1)
    at = np.flatnonzero(known)
    smooth = np.array([_local_line(at, logarithm[at], int(index), width) for index in at])
    return np.asarray(np.exp(np.interp(np.arange(len(photons)), at, smooth) + shape))


def _local_line(at: NDArray[np.integer], values: NDArray[np.float64], index: int, width: float) -> float:
    """Value at `index` of a line through its neighborhood, Gaussian weights: unlike a mean, right at the ends too."""
    distance = (at - index).astype(np.float64)
    weight = np.exp(-0.5 * (distance / width) ** 2)
    weight /= weight.sum()
    middle, mean = float(weight @ distance), float(weight @ values)
    spread = float(weight @ (distance - middle) ** 2)
    slope = float(weight @ ((distance - middle) * (values - mean))) / spread if spread > 1e-3 else 0.0
    return mean - slope * middle
