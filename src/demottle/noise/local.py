"""The local noise level: a smooth map over the image, because CT noise is strong in the middle and weak at the rim."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation, known_correlation
from demottle.noise.flat import flat_plane, tissue_mask, valid_plane
from demottle.noise.matching import matched, tolerance_of
from demottle.noise.slices import spread
from demottle.threads import each, in_order

COARSE = 4
"""The map is kept on every fourth row and column: it is smooth, and 500 slices have to fit in memory."""
_GUIDE_SIGMA = 3.0
_TISSUE_SIGMA = 1.5  # pixels: by a wider guide the fat under the skin is not tissue
_SMOOTHING = 8.0  # pixels; wide enough for a few per cent of statistical error, narrow enough to follow the shoulders
_LEAST_WEIGHT = 0.03
_GRAIN = 0.7  # pixels; what moved from slice to slice is smoother than this, most noise of any kernel is not
_FLATTEST, _FLAT = 0.3, 0.4  # of the tissue: where the share of the fine grain is measured, and what is flat
_GENTLE = 0.3  # noise levels per pixel: less steep than that is as good as flat
_MOST_SHARED = 0.95  # correlation of two slices: beyond it their difference says nothing
_CLEAREST = 0.9  # of the pairs of slices: anatomy lowers the share of the fine grain, it never raises it
_OUTLIER = 3.0  # local standard deviations
_LONE_FLAT = 0.7  # of the tissue of a slice by itself: it has no other flat places
_LONE_OUTLIER, _WITHIN = 2.0, 0.774  # local standard deviations; variance of a normal law that is cut off there
_MEDIAN_SIZE = 1.4826  # standard deviations that a median absolute value stands for
_ROUNDS = 3
_LEAST_GRAIN = 0.02  # of the noise
_SHARED_SLICES = 1.0  # slices; the level changes little from one to the next
_WIDE = 24.0  # pixels
_WIDTHS = (128.0, 48.0, 16.0, 0.0)  # pixels


@dataclass(frozen=True, eq=False)
class NoiseMap:
    """Standard deviation of the noise at every pixel, in the image's unit.

    Attributes:
        coarse: float32 (slices, rows / 4, columns / 4), positive everywhere; where nothing could be measured (air, bone,
            metal) the nearest measured tissue stands in.
        shape: rows and columns of a full slice.
        level: median over the measured tissue.
    """

    coarse: Voxels
    shape: tuple[int, int]
    level: float

    def plane(self, index: int) -> Voxels:
        """Return the map of one slice at full resolution."""
        rows, columns = self.shape
        out: Voxels = cv2.resize(self.coarse[index], (columns, rows), interpolation=cv2.INTER_LINEAR)
        return out


def noise_map(image: Image, correlation: Correlation, noise_level: float) -> NoiseMap:
    """Measure the local noise level of every slice.

    Neighboring slices are subtracted where they show the same flat soft tissue; the local mean square of the difference over
    2 (1 - rho), smoothed, is the local variance. Edges and vessels that moved from one slice to the next would count as
    noise: so only fine grain is looked at (what a Gaussian of a pixel takes away, scaled to the whole noise by its share in
    the flattest tissue), a place counts the less the steeper it is, and what exceeds three local deviations not at all: thin
    fat under the skin, where noise is weakest, has no flat place. Slices lend each other their measurements, and places without
    any take those around them, near ones first. A single slice is measured on its own fine grain away from edges, scaled to the
    given global level. Without any measurable tissue the map is `noise_level` everywhere.
    """
    squares, weights = local_squares(image, correlation, noise_level)
    return _fill(squares, weights, image.shape[1:], noise_level)


def local_squares(
    image: Image, correlation: Correlation, noise_level: float, flat: bool = False
) -> tuple[Voxels, Voxels]:
    """Measure as `noise_map` does, and fill in nothing; with `flat` in flat tissue only, where there is least anatomy.

    Returns:
        Smoothed squares and their weights, both (slices, rows / 4, columns / 4): their quotient is the local variance, known the
        better the more weight it has (1 for each neighbor of which all pixels around it count).
    """
    slices, rows, columns = image.shape
    squares = np.zeros((slices, -(-rows // COARSE), -(-columns // COARSE)), np.float32)
    weights = np.zeros_like(squares)
    if slices == 1:
        squares[0], weights[0] = _lone(image, noise_level, flat)
        return squares, weights
    scale = _of_difference(known_correlation(image, correlation))
    shares = []
    # Folds of a brain differ from slice to slice: in MR flat places alone are sure to show noise.
    only_flat = flat or image.unit != "HU"
    pairs = in_order(lambda index: _pair(image, index, noise_level, flat=only_flat), range(slices - 1))
    for index, (square, weight, share) in enumerate(pairs):
        shares.append(share)
        for into in (index, index + 1):
            squares[into] += square
            weights[into] += weight
    known = np.array(shares)[np.nan_to_num(shares) > 0]  # 0: two slices that are the same, or without any noise
    squares /= np.float32(scale * (np.quantile(known, _CLEAREST) if len(known) else 1.0))
    for stack in (squares, weights):
        gaussian_filter1d(stack, _SHARED_SLICES, axis=0, output=stack, mode="nearest", truncate=3)
    return squares, weights


def _of_difference(correlation: Correlation) -> float:
    """Variance of the difference of two neighbors over that of one slice; as of independent ones where it is not known."""
    rho = correlation.at(1)
    return 2 * (1 - min(rho, _MOST_SHARED)) if np.isfinite(rho) else 2.0


def pair_deviations(image: Image, correlation: Correlation, most: int = 12) -> Voxels:
    """Return the local noise level (n,) in flat soft tissue by differences of up to `most` pairs of slices, in the image's unit.

    As in `noise_map`, but of each pair by itself, and where it is flat only. Empty where no pair shows the same tissue.
    """
    indices = spread(image.shape[0] - 1, most)
    found = each(lambda index: _pair(image, index, float("nan"), flat=True), indices)
    known = [share for _, _, share in found if share > 0]
    if not known:
        return np.zeros(0, np.float32)
    scale = np.float32(_of_difference(correlation) * np.quantile(known, _CLEAREST))
    values = []
    for index, (square, weight, _) in zip(indices, found, strict=True):
        measured = cv2.resize(weight, image.shape[:0:-1], interpolation=cv2.INTER_LINEAR) > _LEAST_WEIGHT
        local = _deviation_of((square / scale, weight), image.shape[1:])
        values.append(local[flat_plane(image, index) & measured])
    return np.concatenate(values)


def _pair(image: Image, index: int, noise_level: float, flat: bool = False) -> tuple[Voxels, Voxels, float]:
    """Look at a slice and the next, where it is flat only or everywhere.

    Returns:
        Smoothed squares of the fine grain of their difference; how far they can be trusted, both on the coarse grid; and
        the share of the variance that the fine grain holds.
    """
    here, there = image.voxels[index], image.voxels[index + 1]
    difference = here - there
    smooth, next_smooth = guide.smooth(here, _GUIDE_SIGMA), guide.smooth(there, _GUIDE_SIGMA)
    looks = (smooth, next_smooth) if flat else (guide.smooth(here, _TISSUE_SIGMA), guide.smooth(there, _TISSUE_SIGMA))
    usable = guide.erode(
        tissue_mask(looks[0], image.unit, valid_plane(image, index))
        & tissue_mask(looks[1], image.unit, valid_plane(image, index + 1)),
        2,
    )
    fine = difference - guide.smooth(difference, _GRAIN)
    rough = _rough(fine, usable)
    # Where noise is strong, guides differ and are steep by noise alone: without the local level only quiet places pass.
    tolerance = 0.8 * np.maximum(tolerance_of(image, noise_level), 0.7 * rough)
    # Eroded: around what does not match, edges have moved by less than the tolerance, which would count as noise.
    usable &= guide.erode(matched(smooth, next_smooth, tolerance), 3)
    if not usable.any():
        return *_local_sum(fine, usable), float("nan")
    steep = np.maximum(guide.gradient(smooth), guide.gradient(next_smooth)) / np.maximum(rough, 1e-6)
    low, high = np.quantile(steep[usable], [_FLATTEST, _FLAT])
    flattest = usable & (steep <= low)
    share = float((fine[flattest] ** 2).mean() / max((difference[flattest] ** 2).mean(), 1e-12))
    worth = steep <= high if flat else 1 / (1 + (steep / max(float(high), _GENTLE)) ** 2)
    counts = np.asarray(usable * worth, np.float32)
    square = np.asarray(fine**2, np.float32)
    found = _local_sum(square, counts)
    counts *= np.abs(fine) <= _OUTLIER * _deviation_of(found, here.shape)
    return *_local_sum(square, counts), share


def _rough(fine: Voxels, tissue: Mask) -> Voxels:
    """Local mean size of the fine grain, edges and all: about the noise level of one slice, never 0."""
    share = tissue.astype(np.float32)
    # Wide, so that an edge hardly raises what it is judged by.
    total, known = (guide.smooth(_blurred(part), _WIDE / COARSE) for part in (np.abs(fine) * share, share))
    overall = float(total.sum() / max(float(known.sum()), 1e-6))
    mean = (total + 0.05 * overall) / (known + 0.05)
    return np.asarray(cv2.resize(mean, fine.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32) + np.float32(1e-6)


def _lone(image: Image, noise_level: float, only_flat: bool = False) -> tuple[Voxels, Voxels]:
    """Do the same for the only slice, from its own fine grain away from edges.

    What exceeds two local standard deviations is left out, edges above all, and made up for as the normal law has it. How much
    of the noise the fine grain holds is not known beforehand: the map gets the global level where the slice is flat. Where it
    holds next to none, as in a slice that was interpolated, nothing is measured.
    """
    plane = image.voxels[0]
    tissue = guide.erode(tissue_mask(guide.smooth(plane, _GUIDE_SIGMA), image.unit, valid_plane(image, 0)), 2)
    fine = plane - guide.smooth(plane, _GRAIN)
    if not tissue.any():
        return _local_sum(fine, tissue)
    square, usable = np.asarray(fine**2 / np.float32(_WITHIN), np.float32), tissue
    deviation = np.full_like(fine, _MEDIAN_SIZE * float(np.median(np.abs(fine[tissue]))))
    for again in range(_ROUNDS):
        found = _local_sum(square, usable & (np.abs(fine) <= _LONE_OUTLIER * deviation))
        deviation = _deviation_of(_widened(found) if again == 0 else found, plane.shape)
        if again == 0:  # now that the level is known roughly, edges are told from strong noise
            steep = guide.gradient(guide.smooth(plane)) / deviation
            usable = tissue & (steep <= np.quantile(steep[tissue], _LONE_FLAT))
    # The global level of CT is that of its flattest places, that of MR the most frequent one.
    flat = usable if image.modality == "MR" else flat_plane(image, 0) & usable
    typical = float(np.median(deviation[flat if flat.any() else usable]))
    if not typical > _LEAST_GRAIN * noise_level:
        return _local_sum(fine, np.zeros_like(tissue))
    if only_flat and flat.any():
        found = _local_sum(square, flat & (np.abs(fine) <= _LONE_OUTLIER * deviation))
    return found[0] * np.float32((noise_level / typical) ** 2), found[1]


def _widened(found: tuple[Voxels, Voxels]) -> tuple[Voxels, Voxels]:
    square, weight = (guide.smooth(part, _WIDE / COARSE) for part in found)
    return square, weight


def _local_sum(square: Voxels, usable: Mask | Voxels) -> tuple[Voxels, Voxels]:
    """Gaussian sums of the usable squares and of their number, on the coarse grid."""
    share = usable.astype(np.float32)
    return _blurred(square * share), _blurred(share)


def _blurred(plane: Voxels) -> Voxels:
    rows, columns = plane.shape
    small = cv2.resize(plane, (-(-columns // COARSE), -(-rows // COARSE)), interpolation=cv2.INTER_AREA)
    return guide.smooth(np.asarray(small, np.float32), _SMOOTHING / COARSE)


def _deviation_of(found: tuple[Voxels, Voxels], shape: tuple[int, ...]) -> Voxels:
    """Standard deviation at full resolution, never 0."""
    square, weight = found
    deviation = np.sqrt(square / np.maximum(weight, 1e-6)) + np.float32(1e-6)
    return np.asarray(cv2.resize(deviation, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _fill(squares: Voxels, weights: Voxels, shape: tuple[int, int], noise_level: float) -> NoiseMap:
    """Divide; where little was measured, the mean over a wider and wider surrounding takes over."""
    most = float(weights.max())
    trusted = weights > _LEAST_WEIGHT * most if most > 0 else np.zeros(weights.shape, np.bool_)
    fallback = noise_level if np.isfinite(noise_level) else 0.0
    if not trusted.any():
        return NoiseMap(np.full(squares.shape, fallback, np.float32), shape, fallback)
    level = float(np.median(np.sqrt(squares[trusted] / weights[trusted])))
    out = np.empty_like(squares)
    for index in range(len(out)):
        out[index] = np.sqrt(_widening(squares[index], weights[index], most, level))
    return NoiseMap(out, shape, level)


def _widening(square: Voxels, weight: Voxels, most: float, level: float) -> Voxels:
    variance = np.full_like(square, level**2)
    for width in _WIDTHS:
        total, known = (guide.smooth(part, width / COARSE) if width else part for part in (square, weight))
        belief = known / (known + _LEAST_WEIGHT * most)
        variance += belief * (total / np.maximum(known, 1e-12) - variance)
    return variance
