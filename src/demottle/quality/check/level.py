"""How much noise went: its level before and after, in the same flat places."""

import math
from dataclasses import dataclass

import numpy as np

from demottle.image import Image
from demottle.noise.correlation import Correlation
from demottle.noise.flat import flat_plane
from demottle.noise.level import ANATOMY, deviation_plane, most_frequent, noise_level
from demottle.noise.slices import spread

_MOST_SLICES = 24
_ANATOMY = 1.5
"""Times the known level of MR: above it deviations hold anatomy."""
_SURELY_NOISE = 1.15
"""Multiple of the most frequent deviation (MR) or of the noise (CT): places up to it hold hardly any anatomy."""

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


def noise_levels(
    before: Image, after: Image, known: float = math.nan, correlation: Correlation | None = None
) -> Levels:
    """Return the median local standard deviation (11 x 11 px) in flat soft tissue, of both images and their difference.

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
    found: list[list[np.ndarray[tuple[int], np.dtype[np.float32]]]] = [[], [], []]
    for z in spread(before.shape[0], _MOST_SLICES):
        first, second = np.nan_to_num(before.voxels[z]), np.nan_to_num(after.voxels[z])
        flat = flat_plane(before, z)
        for values, plane in zip(found, (first, second, first - second), strict=True):
            values.append(deviation_plane(before, plane)[flat])
    joined = [np.concatenate(values) for values in found]
    if before.modality == "MR" and joined[0].size:
        noise_alone = joined[0] <= _SURELY_NOISE * most_frequent(joined[0])
        joined = [values[noise_alone] for values in joined]
        if np.median(joined[0]) > _ANATOMY * known:
            joined = [values[:0] for values in joined]
    first_level, second_level, removed = (_median(values) for values in joined)
    noise = noise_level(before, correlation) if before.modality != "MR" else first_level
    if noise < ANATOMY * first_level:
        alone = joined[0] <= max(_SURELY_NOISE * noise, float(np.quantile(joined[0], _FEWEST)))
        ratio = noise / _median(joined[0][alone])
        first_level, second_level, removed = (ratio * _median(values[alone]) for values in joined)
    share = 1 - second_level / first_level if first_level > 0 else float("nan")
    return Levels(first_level, second_level, removed, share)


def _median(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    return float(np.median(values)) if values.size else float("nan")
