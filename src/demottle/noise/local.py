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
    2 (1 - rho), smoothed, is the local variance. A single slice is measured on what its guide leaves, scaled to the given
    global level. Without any measurable tissue the map is `noise_level` everywhere.
    """
    slices, rows, columns = image.shape
    grid = (-(-columns // COARSE), -(-rows // COARSE))
    squares = np.zeros((slices, grid[1], grid[0]), np.float32)
    weights = np.zeros_like(squares)
    rho = correlation.at(1)
    scale = 2 * (1 - min(rho, 0.95)) if np.isfinite(rho) else 2.0
    for index in range(max(slices - 1, 1)):
        square, usable = _squares(image, index, scale, noise_level)
        part = cv2.resize(_blur(square * usable), grid, interpolation=cv2.INTER_AREA)
        weight = cv2.resize(_blur(usable), grid, interpolation=cv2.INTER_AREA)
        for into in {index, min(index + 1, slices - 1)}:
            squares[into] += part
            weights[into] += weight
    return _fill(squares, weights, (rows, columns), noise_level)


def _squares(image: Image, index: int, scale: float, noise_level: float) -> tuple[Voxels, Voxels]:
    """Squared noise of one pair of slices (or of a single slice) and where it can be trusted (0 or 1)."""
    here = image.voxels[index]
    smooth = guide.smooth(here, _GUIDE_SIGMA)
    usable = guide.erode(tissue_mask(smooth, image.unit, valid_plane(image, index)), 2)
    if image.shape[0] == 1:
        detail = here - smooth
        inside: Mask = usable
        # Robust, and without the strongest detail: edges would count as noise.
        spread = 1.4826 * float(np.median(np.abs(detail[inside]))) if inside.any() else 0.0
        factor = noise_level / spread if spread > 0 else 1.0
        usable &= np.abs(detail) <= 3 * spread
        return (detail * factor) ** 2, usable.astype(np.float32)
    there = image.voxels[index + 1]
    tolerance = 0.8 * tolerance_of(image, noise_level)
    # Eroded: around what does not match, edges have moved by less than the tolerance, which would count as noise.
    usable &= guide.erode(matched(smooth, guide.smooth(there, _GUIDE_SIGMA), tolerance), 3)
    square: Voxels = (here - there) ** 2 / np.float32(scale)
    return square, usable.astype(np.float32)


def _blur(plane: Voxels) -> Voxels:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _SMOOTHING, borderType=cv2.BORDER_REFLECT_101), np.float32)


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
