"""How much noise went: its level before and after, in the same flat places."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise.correlation import Correlation
from demottle.noise.flat import flat_plane
from demottle.noise.level import ANATOMY, deviation_plane, most_frequent, noise_level
from demottle.noise.slices import spread

_MOST_SLICES = 24
_ANATOMY = 1.5
"""Times the known level of MR: above it deviations hold anatomy."""
_SURELY_NOISE = 1.15
"""Multiple of the most frequent deviation (MR) or of the noise (CT): places up to it hold hardly any anatomy."""

_BLOCK_MM = 24.0
_FEWEST = 0.02  # of the flat places: where none holds noise alone, the calmest are taken


@dataclass(frozen=True)
class Levels:
    """Noise level before and after, and of what was removed, in the image's unit; NaN without flat tissue.

    `removed_share`: 1 - after / before; 0.4 means 40 % less noise.
    """

    before: float
    after: float
    removed: float
    removed_share: float


@dataclass(frozen=True, eq=False)
class FlatNoise:
    """Local standard deviations in flat soft tissue, one for each place, in the image's unit.

    Attributes:
        before, after: of both images; removed: of their difference.
        block: number of the block of 24 x 24 mm in a slice that a place lies in.
        scale: what a median of these has to be multiplied by to be the noise.
    """

    before: Voxels
    after: Voxels
    removed: Voxels
    block: NDArray[np.int64]
    scale: float = 1.0

    def blended(self, strength: float) -> Voxels:
        """Deviations of `before + strength (after - before)`: they follow from the three, because variances are quadratic."""
        first, second, removed = (values.astype(np.float64) ** 2 for values in (self.before, self.after, self.removed))
        variance = first - strength * (first + removed - second) + strength**2 * removed
        return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)

    def where(self, chosen: NDArray[np.bool_], scale: float = 1.0) -> "FlatNoise":
        """Some of the places."""
        before, after, removed = (values[chosen] for values in (self.before, self.after, self.removed))
        return FlatNoise(before, after, removed, self.block[chosen], scale)


def noise_levels(
    before: Image, after: Image, known: float = math.nan, correlation: Correlation | None = None
) -> Levels:
    """Return the noise of both images and of what was removed: medians of `flat_noise`, whose arguments these are."""
    found = flat_noise(before, after, known, correlation)
    first, second, removed = (found.scale * _median(part) for part in (found.before, found.after, found.removed))
    share = 1 - second / first if first > 0 else float("nan")
    return Levels(first, second, removed, share)


def flat_noise(
    before: Image, after: Image, known: float = math.nan, correlation: Correlation | None = None
) -> FlatNoise:
    """Measure the local standard deviation (11 x 11 px) in flat soft tissue, of both images and their difference.

    The flat places are chosen on a guide of `before` for all three, so that the figures are of the same tissue. Of MR, those are
    taken whose deviation before is near the most frequent one, which is that of noise alone (`demottle.noise.level`). Of CT,
    where differences of slices show that the flat places hold anatomy, those whose deviation before is near that of the noise:
    `before` is then the noise by the differences, and the others are as much of it as in these places.

    Args:
        before, after: images of the same shape.
        known: noise level that was measured on `before` in other ways too (air, differences of slices), where it was. Deviations
            of MR much above it are of anatomy, in small images above all: then nothing is said.
        correlation: correlation of the noise of `before` between slices, where it is known already.
    """
    found = _at_flat_places(before, after)
    if before.modality == "MR" and found.before.size:
        found = found.where(found.before <= _SURELY_NOISE * most_frequent(found.before))
        if np.median(found.before) > _ANATOMY * known:
            found = found.where(np.zeros(found.before.shape, np.bool_))
    level = _median(found.before)
    noise = noise_level(before, correlation) if before.modality != "MR" else level
    if noise < ANATOMY * level:
        alone = found.before <= max(_SURELY_NOISE * noise, float(np.quantile(found.before, _FEWEST)))
        found = found.where(alone, noise / _median(found.before[alone]))
    return found


def _at_flat_places(before: Image, after: Image) -> FlatNoise:
    found: list[list[Voxels]] = [[], [], []]
    blocks = []
    row_step, column_step = (max(1, round(_BLOCK_MM / step)) for step in before.spacing[1:])
    across = -(-before.shape[2] // column_step)
    down = -(-before.shape[1] // row_step)
    for z in spread(before.shape[0], _MOST_SLICES):
        first, second = np.nan_to_num(before.voxels[z]), np.nan_to_num(after.voxels[z])
        flat = flat_plane(before, z)
        for values, plane in zip(found, (first, second, first - second), strict=True):
            values.append(deviation_plane(before, plane)[flat])
        rows, columns = np.nonzero(flat)
        blocks.append((z * down + rows // row_step) * across + columns // column_step)
    one, other, removed = (np.concatenate(values) for values in found)
    return FlatNoise(one, other, removed, np.concatenate(blocks))


def _median(values: Voxels) -> float:
    return float(np.median(values)) if values.size else float("nan")
