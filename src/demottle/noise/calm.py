"""Flat places of a CT that hold no structure beyond what noise explains: small vessels are steeper than noise makes a guide.

How steep a guide is by noise alone is told by differences of neighboring slices, block by block, because noise is uneven:
gradients of noise follow Rayleigh's law, and the quietest third of a block holds no anatomy. Places of noise alone are hardly
ever left out: who takes only the flattest ones of coarse noise takes those where it is weak, or cancels between slices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.flat import flat_plane, tissue_mask, valid_plane
from demottle.noise.slices import spread

FINE, COARSE = 1.5, 3.0
"""Pixels of the guides: small vessels show on the first, faint slopes in coarse noise on the second."""
_REACH = 7  # pixels across, that structure is widened to: what its guide does not show of its rim
_BLOCK = 32  # pixels
_FEWEST_IN_BLOCK = 300
_MOST_PAIRS = 12
_QUIETEST = 0.3
_RAYLEIGH, _NORMAL = float((-2 * np.log(1 - _QUIETEST)) ** 0.5), 0.3853
"""That quantile over the deviation: of a gradient, of a size."""


@dataclass(frozen=True, eq=False)
class Calm:
    """Where a CT of several slices holds no structure that is seen through the noise.

    Attributes:
        image: CT in HU, two slices or more.
        rho: correlation of the noise of slices 1 and 2 apart.
        guides: widths of the guides that structure is looked for on, in pixels.
        of_noise: how steep a place may be, in deviations of what noise alone makes of the gradient.
    """

    image: Image
    rho: tuple[float, float]
    guides: tuple[float, ...] = (FINE, COARSE)
    of_noise: float = 3.5

    def plane(self, index: int) -> Mask:
        """Flat tissue of one slice (`flat_plane`) without visible structure."""
        return flat_plane(self.image, index) & ~self.structure(index)

    def windows(self, index: int, side: int) -> Mask:
        """Flat places of one slice around which a window of `side` pixels holds no visible structure."""
        reached = cv2.dilate(self.structure(index).astype(np.uint8), np.ones((side - _REACH + 1,) * 2, np.uint8))
        return np.asarray(flat_plane(self.image, index) & (reached == 0))

    def structure(self, index: int) -> Mask:
        """Where structure is seen on a guide that is averaged over the slice and its two neighbors."""
        around = range(max(0, index - 1), min(self.image.shape[0], index + 2))
        steep = np.zeros(self.image.shape[1:], np.bool_)
        for sigma, allowed in zip(self.guides, self._steepness, strict=True):
            averaged = np.mean([guide.smooth(self.image.voxels[i], sigma) for i in around], axis=0)
            steep |= guide.gradient(averaged) > allowed
        return np.asarray(cv2.dilate(steep.astype(np.uint8), np.ones((_REACH, _REACH), np.uint8)) > 0)

    def same(self, one: int, other: int) -> Mask:
        """Where the guides of two slices differ by no more than noise explains, and all around."""
        apart = np.zeros(self.image.shape[1:], np.bool_)
        for sigma, allowed in zip(self.guides, self._differing, strict=True):
            here, there = (guide.smooth(self.image.voxels[z], sigma) for z in (one, other))
            apart |= np.abs(here - there) > allowed
        return np.asarray(cv2.dilate(apart.astype(np.uint8), np.ones((_REACH, _REACH), np.uint8)) == 0)

    @cached_property
    def _steepness(self) -> tuple[Voxels, ...]:
        """Largest gradient of each guide that noise alone explains, at every pixel."""
        near, next_ = (min(max(rho, 0.0), 0.95) if np.isfinite(rho) else 0.0 for rho in self.rho)
        # Noise of the mean of three slices over that of a difference of two.
        averaged = np.float32(self.of_noise * ((1 + 4 / 3 * near + 2 / 3 * next_) / 3 / (2 * (1 - near))) ** 0.5)
        return tuple(averaged * self._of_differences(sigma, guide.gradient, _RAYLEIGH) for sigma in self.guides)

    @cached_property
    def _differing(self) -> tuple[Voxels, ...]:
        """Largest difference of two guides of each width that noise alone explains, at every pixel."""
        return tuple(np.float32(self.of_noise) * self._of_differences(sigma, np.abs, _NORMAL) for sigma in self.guides)

    def _of_differences(self, sigma: float, value: Callable[[Voxels], Voxels], quiet: float) -> Voxels:
        """Deviation by noise of a value of the difference of two guides; `quiet`: its quantile over the deviation."""
        image = self.image
        values, tissues = [], []
        for index in spread(image.shape[0] - 1, _MOST_PAIRS):
            here, there = (guide.smooth(image.voxels[i], sigma) for i in (index, index + 1))
            values.append(value(here - there))
            middle = np.asarray((here + there) / 2, np.float32)
            tissues.append(guide.erode(tissue_mask(middle, image.unit, valid_plane(image, index)), 3))
        return _by_blocks(np.stack(values), np.stack(tissues)) / np.float32(quiet)


def _by_blocks(values: Voxels, tissue: Mask) -> Voxels:
    """Low quantile of values (slices, rows, columns) in blocks of the slice, where they count; interpolated."""
    rows, columns = values.shape[1:]
    whole = values[tissue]
    overall = float(np.quantile(whole, _QUIETEST)) if whole.size else 0.0
    blocks = np.full((-(-rows // _BLOCK), -(-columns // _BLOCK)), overall, np.float32)
    for row, column in np.ndindex(*blocks.shape):
        part = (slice(None), *(slice(_BLOCK * at, _BLOCK * (at + 1)) for at in (row, column)))
        here = values[part][tissue[part]]
        if here.size >= _FEWEST_IN_BLOCK:
            blocks[row, column] = np.quantile(here, _QUIETEST)
    return np.asarray(cv2.resize(blocks, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
