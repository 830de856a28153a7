"""From the noise measured on a scan to the photons of each of its slices, and to what the model of the scanner leaves open.

The scan's own noise is the only dosimeter that every file has. Its local level is compared with what one photon per ray would
give in the same places; their ratio is the number of photons. Where measured and expected level differ from place to place by
more than chance, the noise to add is scaled there.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import UnsuitableError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.flat import flat_plane
from demottle.noise.level import local_deviation
from demottle.noise.slices import spread
from demottle.physics.ct.projection import FloatArray, KernelLike
from demottle.physics.low_dose.beam import Beam
from demottle.physics.low_dose.fit import Fitted
from demottle.physics.low_dose.measured import Measured
from demottle.physics.low_dose.texture import windows_show
from demottle.physics.low_dose.tube import rays_per_photon

Values = NDArray[np.floating]

STEP = 4
"""Variances are computed on every fourth row and column: they are smooth."""
_MOST_SLICES = 24
_FEWEST_PIXELS = 400  # of tissue for a slice to count
_SMOOTHING_MM = 6.0  # along the axis; one slice's level is known to a few per cent only
_WIDTHS = (96.0, 32.0, 12.0)  # pixels, over which measured and expected level are compared
_DOUBT = 0.3  # of the weight of tissue all around: with so much the comparison is believed by half
_MOST_LEFT = 0.5  # logarithm of the variance: beyond it is anatomy
_TURNS = 4
_QUIETER = 0.3  # of the windows of a slice by itself: many others hold some anatomy


@dataclass(frozen=True, eq=False)
class Calibration:
    """Photons of each slice.

    Attributes:
        photons: at the unattenuated detector, per ray as wide as a pixel, for each slice, shape (slices,).
        left: logarithm of the measured over the expected variance as far as the scan tells it, on every fourth row and column,
            shape (slices, rows / 4, columns / 4).
        fit: measured over expected local level across the tissue, 10th and 90th percentile: 1 and 1 for a perfect model of where
            the noise is strong and weak.
        electronic_share: electronic share of the scan's own variance in tissue, median over slices, 0 to 1.
        flat: variances in flat tissue of up to 24 slices: the slice's own in windows, quantum and electronic variance at the
            scan's dose, shape (3, pixels).
    """

    photons: NDArray[np.float64]
    left: Voxels
    fit: tuple[float, float]
    electronic_share: float
    flat: NDArray[np.float64]

    def target(self, dose: float) -> float:
        """Noise level in flat tissue in HU at a fraction of the dose, NaN where none is flat: quantum / d + electronic / d^2."""
        own, quantum, electronic = self.flat
        if not own.size:
            return float("nan")
        return float(np.median(np.sqrt(own + quantum * (1 / dose - 1) + electronic * (1 / dose**2 - 1))))


@dataclass(frozen=True, eq=False)
class _SliceLevel:
    """Photons, NaN where the slice does not tell; electronic share; what is left; flat variances for one photon per ray."""

    photons: float
    share: float
    left: FloatArray
    ratio: NDArray[np.float64]
    flat: NDArray[np.float64]


def calibrate(
    image: Image,
    measured: Measured,
    attenuating: Callable[[int], Voxels],
    beam: Beam,
    fitted: Fitted,
    kernel: KernelLike,
    current: tuple[float, ...] | None,
    listener: Listener,
    workers: int,
) -> Calibration:
    """Find the photons of every slice from its measured noise.

    Args:
        image: the scan.
        measured: its noise.
        attenuating: gives a slice in HU as rays see it, padding as air.
        beam, fitted, kernel: how the noise comes about.
        current: tube current of each slice in mA, where known: photons follow it between slices.
        listener: hears of every slice, stage "measure".
        workers: threads.

    Raises:
        UnsuitableError: where no slice has enough soft tissue.
    """
    shown = [windows_show(image.spacing[1], kernel, quantile) for quantile in (0.5, _QUIETER)]
    scan = _Scan(image, measured, beam, fitted, *shown)

    def one(index: int) -> _SliceLevel:
        return _measure(scan, index, attenuating(index))

    found: list[_SliceLevel] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done, each in enumerate(pool.map(one, range(image.shape[0])), start=1):
                found.append(each)
                listener(Progress(Stage.MEASURE, done, image.shape[0]))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    told = np.array([each.photons for each in found])
    if not np.isfinite(told).any():
        raise UnsuitableError(
            "The noise of the scan cannot be measured: it has too little soft tissue (-150 to 200 HU); a dose can only be "
            "simulated relative to measured noise."
        )
    photons = _along_axis(told, current, image.spacing[0])
    low, high = np.percentile(np.concatenate([np.ones(1), *(each.ratio for each in found)]), [10, 90])
    return Calibration(
        photons=photons,
        left=np.stack([each.left for each in found]),
        fit=(float(low), float(high)),
        electronic_share=float(np.nanmedian([each.share for each in found])),
        flat=_flat(found, photons),
    )


def _flat(found: list[_SliceLevel], photons: NDArray[np.float64]) -> NDArray[np.float64]:
    """`Calibration.flat` of some of the slices."""
    of_one = [(found[index].flat, photons[index]) for index in spread(len(found), _MOST_SLICES)]
    return np.concatenate([flat / np.array([1, count, count**2])[:, None] for flat, count in of_one], axis=1)


@dataclass(frozen=True, eq=False)
class _Scan:
    """What all slices have in common: scan, its noise, rays, fit, and what windows show of such noise (`shown_in_windows`)."""

    image: Image
    measured: Measured
    beam: Beam
    fitted: Fitted
    median: float
    quantile: float


def _measure(scan: _Scan, index: int, plane: Voxels) -> _SliceLevel:
    """Compare the noise of one slice with what one photon per ray would give in the same places."""
    variance, weight = scan.measured.variance[index], scan.measured.weight[index]
    where = flat_plane(scan.image, index)
    tube, beam = scan.fitted.tube, scan.beam
    if np.count_nonzero(where) < _FEWEST_PIXELS or not weight.any():
        return _SliceLevel(np.nan, np.nan, np.zeros_like(weight), np.empty(0), np.zeros((3, 0)))
    rays = rays_per_photon(beam.integrals(plane, tube.water), beam, tube)
    outward = scan.fitted.outward((weight.shape[0], weight.shape[1]), scan.image.spacing[1] * STEP)
    to_hu = np.float32((1000 / tube.water) ** 2) * np.exp(outward)
    of_one = [beam.variance(rays, STEP) * to_hu, beam.variance((rays * np.float32(tube.electronic)) ** 2, STEP) * to_hu]
    known = weight > 0
    photons = _photons(variance[known], np.stack([each[known] for each in of_one]), weight[known])
    left = _left(variance, weight, of_one, photons)
    own = local_deviation(scan.image.voxels[index])[where].astype(np.float64) ** 2
    flat = np.stack([enlarged(each * np.exp(left), where.shape)[where] for each in of_one]).astype(np.float64)
    if scan.image.shape[0] == 1:
        # The map of a slice by itself tells where the noise is strong, the quieter windows of its flat places how strong it is.
        photons = _photons(own / scan.quantile**2, flat, np.ones(len(own)), _QUIETER)
    quantum, electronic = flat[0] / photons, flat[1] / photons**2
    part = float(np.median(electronic / (quantum + electronic)))
    ratio = np.exp(left[weight > 0.5 * weight.max()] / 2).astype(np.float64)
    return _SliceLevel(photons, part, left + outward, ratio, np.stack([own, *(flat * scan.median**2)]))


def _photons(own: Values, of_one: Values, weight: Values, quantile: float = 0.5) -> float:
    """Photons for which own over expected variance is 1 at a weighted quantile: anatomy makes a few places high."""
    photons = float((weight @ of_one[0]) / (weight @ own))
    for _ in range(_TURNS):
        ratio = own / (of_one[0] / photons + of_one[1] / photons**2)
        order = np.argsort(ratio)
        share = np.cumsum(weight[order], dtype=np.float64)
        photons /= float(ratio[order][np.searchsorted(share, quantile * share[-1])])
    return photons


def _left(variance: FloatArray, weight: FloatArray, of_one: list[FloatArray], photons: float) -> FloatArray:
    """What measured over expected variance shows beyond chance: wide differences first, narrow ones where much is known."""
    left, most = np.zeros_like(weight), float(weight.max())
    if not most > 0:
        return left
    expected = of_one[0] / np.float32(photons) + of_one[1] / np.float32(photons**2)
    logarithm = np.log(np.maximum(variance, 1e-6) / expected)
    # The level is not the map's to tell.
    logarithm = np.clip(logarithm - np.median(logarithm[weight > 0.5 * most]), -2 * _MOST_LEFT, 2 * _MOST_LEFT)
    for width in _WIDTHS:
        total, known = (
            guide.smooth(np.asarray(part, np.float32), width / STEP) for part in (logarithm * weight, weight)
        )
        belief = known / (known + _DOUBT * most)
        left += belief * (total / np.maximum(known, 1e-9) - left)
    return np.clip(left, -_MOST_LEFT, _MOST_LEFT)


def enlarged(coarse: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """A map of every fourth row and column at full resolution."""
    rows, columns = shape
    return np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def scaled_by(left: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """What the noise of a slice is multiplied by, at full resolution."""
    return np.exp(enlarged(left, shape) / 2)


def level_where_flat(voxels: Voxels, image: Image) -> float:
    """Median local deviation of `voxels` over the flat soft tissue of `image`, as that of the slices in `demottle.noise.level`.

    The same places before and after: noise would otherwise have a say in what counts as flat.
    """
    values = [
        local_deviation(voxels[index])[flat_plane(image, index)] for index in spread(image.shape[0], _MOST_SLICES)
    ]
    found = np.concatenate(values)
    return float(np.median(found)) if found.size else float("nan")


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
