"""The residual of a scan on a grid of its own: where it counts, its local level, its spectrum."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.quality.check.untouched import METAL_HU

_PIXEL_MM = 1.6  # coarser pixels lose lesions of 4 mm, finer ones cost time
_AIR_HU = -950.0
_LEAST_SIDE = 32
_FEWEST = 2000  # voxels of body
_GRAIN = 1.0  # pixels
_LEVEL_MM = 8.0
_OUTLIER = 4.0  # medians
_LEAST_LEVEL = 0.1  # of the usual level
ROUNDING_HU = 0.3
"""Standard deviation of what is stored in whole HU."""
_CLIPPED = 3.5  # standard deviations: what is not noise must not shape the spectrum
_LEAST_POWER = 1e-2  # of the largest: finer noise that hardly is there would show the rim of the body

_SPREAD = 3.0  # bins over which the spectrum is smooth


@dataclass(frozen=True, eq=False)
class Residue:
    """An image before and after, in pixels of at most 1.6 mm where it has finer ones.

    Attributes:
        before, after: float32 (slices, rows, columns), HU.
        counts: where the body is: no air, no metal, no padding.
        level: local standard deviation of the residual's grain, HU, the same shape.
        factor: pixels of the image along each side of one of these.
        spacing: mm between slices, rows, columns.
    """

    before: Voxels
    after: Voxels
    counts: Mask
    level: Voxels
    factor: int
    spacing: tuple[float, float, float]

    @property
    def scaled(self) -> Voxels:
        """The residual, before less after, over its local level; 0 outside of the body."""
        return np.where(self.counts, (self.before - self.after) / self.level, 0).astype(np.float32)


def residue_of(before: Image, after: Image) -> Residue | None:
    """Return the residual of a CT scan, ready to be searched; None where there is hardly any body in it."""
    factor = max(1, int(_PIXEL_MM / max(before.spacing[1:]) + 1e-6))
    if min(before.shape[1:]) // factor < _LEAST_SIDE:
        return None
    counts = np.stack([_counts(before, z, factor) for z in range(before.shape[0])])
    if counts.sum() < _FEWEST:
        return None
    first, second = (residue_planes(image, factor) for image in (before, after))
    spacing = before.spacing[0], before.spacing[1] * factor, before.spacing[2] * factor
    level = _level(first - second, counts, spacing[1:])
    return Residue(first, second, counts, level, factor, spacing)


def residue_planes(image: Image, factor: int) -> Voxels:
    """Return the slices of an image in the pixels of a residue."""
    return np.stack([_binned(plane, factor) for plane in image.voxels])


def spectrum_of(scaled: Voxels, counts: Mask) -> NDArray[np.float32]:
    """Return the power spectrum (rows, columns / 2 + 1) of a scaled residual, smooth, cut off from below; any unit."""
    reach = np.float32(_CLIPPED * scaled[counts].std())
    power = np.zeros((scaled.shape[1], scaled.shape[2] // 2 + 1))
    for plane in scaled:
        power += np.abs(fft.rfft2(np.clip(plane, -reach, reach))) ** 2
    power /= counts.sum()
    # As if the whole plane of frequencies were there: it repeats over both axes, and is the same on both sides of zero.
    rolled = np.concatenate([np.flip(np.roll(np.flip(power, 0), 1, 0), 1)[:, :-1], power], axis=1)
    wide = np.pad(np.fft.fftshift(rolled, 0), 12, mode="reflect")
    smooth = np.fft.ifftshift(cv2.GaussianBlur(wide, (0, 0), _SPREAD)[12:-12, 12:-12], 0)[:, -power.shape[1] :]
    return np.asarray(np.maximum(smooth, max(_LEAST_POWER * smooth.max(), 1e-12)), np.float32)


def _counts(image: Image, z: int, factor: int) -> Mask:
    plane = np.nan_to_num(image.voxels[z])
    smooth = guide.smooth(plane)
    inside = body_plane(smooth, "HU") & (smooth > _AIR_HU) & (plane < METAL_HU)
    if image.valid is not None:
        inside &= image.valid[z]
    whole: Mask = _binned(inside.astype(np.float32), factor) > 0.99
    whole[[0, 1, -2, -1]] = whole[:, [0, 1, -2, -1]] = False  # opposite edges meet where planes are filtered
    return whole


def _binned(plane: Voxels, factor: int) -> Voxels:
    plane = np.nan_to_num(plane)
    if factor == 1:
        return plane
    rows, columns = (side // factor for side in plane.shape)
    cut = plane[: rows * factor, : columns * factor]
    return np.asarray(cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3)), np.float32)


def _level(residual: Voxels, counts: Mask, spacing: tuple[float, float]) -> Voxels:
    """Local mean size of the fine grain, which lesions hardly change, as a standard deviation of it."""
    out = np.empty_like(residual)
    sides = tuple(_LEVEL_MM / step for step in spacing)
    for plane, inside, made in zip(residual, counts, out, strict=True):
        grain = np.abs(plane - guide.smooth(plane, _GRAIN))
        usual = float(np.median(grain[inside])) if inside.any() else 0.0
        weight = inside.astype(np.float32)
        grain = np.minimum(grain, np.float32(_OUTLIER * usual)) * weight
        total, known = (cv2.GaussianBlur(part, (0, 0), sides[1], sigmaY=sides[0]) for part in (grain, weight))
        made[:] = 1.25 * (total + 0.02 * usual) / (known + 0.02)
    least = _LEAST_LEVEL * float(np.median(out[counts]))
    return np.asarray(np.sqrt(np.maximum(out, least) ** 2 + np.float32(ROUNDING_HU) ** 2), np.float32)
