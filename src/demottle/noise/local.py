"""The local noise level: a smooth map over the image, because CT noise is strong in the middle and weak at the rim."""

from dataclasses import dataclass

import cv2
import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.level import tissue_mask, valid_plane
from demottle.noise.matching import matched, tolerance_of

COARSE = 4
"""The map is kept on every fourth row and column: it is smooth, and 500 slices have to fit in memory."""
_GUIDE_SIGMA = 3.0
_SMOOTHING = 8.0  # pixels; wide enough for a few per cent of statistical error, narrow enough to follow the shoulders
_LEAST_WEIGHT = 0.05
_DETAIL_SIGMA = 2.0  # pixels; what moved from slice to slice is smooth at this scale, noise of any kernel hardly
_MOST_DETAIL = 3.0  # of its own standard deviation: beyond, a difference of two slices is anatomy


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

    Neighboring slices are subtracted where they show the same soft tissue; the local mean square of the difference over
    2 (1 - rho), smoothed, is the local variance. Edges and vessels that moved from one slice to the next would count as
    noise: where the smoothed difference is beyond three of its own standard deviations, in units of the local noise found
    so far, pixels and their surroundings are left out. A single slice is measured on what its guide leaves, scaled to the
    given global level. Without any measurable tissue the map is `noise_level` everywhere.
    """
    slices, rows, columns = image.shape
    squares = np.zeros((slices, -(-rows // COARSE), -(-columns // COARSE)), np.float32)
    weights = np.zeros_like(squares)
    rho = correlation.at(1)
    scale = np.float32(2 * (1 - min(rho, 0.95)) if np.isfinite(rho) else 2.0)
    for index in range(max(slices - 1, 1)):
        square, weight = _lone(image, noise_level) if slices == 1 else _pair(image, index, scale, noise_level)
        for into in {index, min(index + 1, slices - 1)}:
            squares[into] += square
            weights[into] += weight
    return _fill(squares, weights, (rows, columns), noise_level)


def _pair(image: Image, index: int, scale: np.float32, noise_level: float) -> tuple[Voxels, Voxels]:
    """Smoothed squared noise of a slice and the next, and how far it can be trusted, both on the coarse grid."""
    here, there = image.voxels[index], image.voxels[index + 1]
    difference = here - there
    smooth, next_smooth = guide.smooth(here, _GUIDE_SIGMA), guide.smooth(there, _GUIDE_SIGMA)
    usable = guide.erode(
        tissue_mask(smooth, image.unit, valid_plane(image, index))
        & tissue_mask(next_smooth, image.unit, valid_plane(image, index + 1)),
        2,
    )
    tolerance = 0.8 * tolerance_of(image, noise_level)
    # Eroded: around what does not match, edges have moved by less than the tolerance, which would count as noise.
    usable &= guide.erode(matched(smooth, next_smooth, tolerance), 3)
    square: Voxels = difference**2 / scale
    found = _local_sum(square, usable)
    if usable.any():
        detail = np.abs(guide.smooth(difference, _DETAIL_SIGMA)) / _deviation_of(found, here.shape)
        limit = _MOST_DETAIL * 1.4826 * float(np.median(detail[usable]))
        found = _local_sum(square, usable & guide.erode(detail <= limit, 2))
    return found


def _lone(image: Image, noise_level: float) -> tuple[Voxels, Voxels]:
    """Do the same for the only slice, from what its guide leaves."""
    smooth = guide.smooth(image.voxels[0], _GUIDE_SIGMA)
    usable = guide.erode(tissue_mask(smooth, image.unit, valid_plane(image, 0)), 2)
    detail = image.voxels[0] - smooth
    # Robust, and without the strongest detail: edges would count as noise.
    spread = 1.4826 * float(np.median(np.abs(detail[usable]))) if usable.any() else 0.0
    factor = np.float32(noise_level / spread if spread > 0 else 1.0)
    return _local_sum((detail * factor) ** 2, usable & (np.abs(detail) <= 3 * spread))


def _local_sum(square: Voxels, usable: Mask) -> tuple[Voxels, Voxels]:
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
    """Divide, and carry the map outward from tissue into places that have no measurement."""
    most = float(weights.max())
    trusted = weights > _LEAST_WEIGHT * most if most > 0 else np.zeros(weights.shape, np.bool_)
    fallback = noise_level if np.isfinite(noise_level) else 0.0
    if not trusted.any():
        return NoiseMap(np.full(squares.shape, fallback, np.float32), shape, fallback)
    deviation = np.sqrt(squares / np.maximum(weights, 1e-12)).astype(np.float32)
    level = float(np.median(deviation[trusted]))
    for index in range(len(deviation)):
        deviation[index] = _spread_out(deviation[index], trusted[index], level)
    return NoiseMap(deviation, shape, level)


def _spread_out(plane: Voxels, trusted: Mask, level: float) -> Voxels:
    if not trusted.any():
        return np.full_like(plane, level)
    if trusted.all():
        return plane
    _, labels = cv2.distanceTransformWithLabels(
        (~trusted).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(int(labels.max()) + 1, np.float32)
    nearest[labels[trusted]] = plane[trusted]
    out: Voxels = nearest[labels]
    return out
