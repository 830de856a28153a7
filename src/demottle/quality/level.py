"""How much noise went: its level before and after, in the same flat places."""

from dataclasses import dataclass

import numpy as np

from demottle.image import Image
from demottle.noise.level import flat_plane, local_deviation
from demottle.quality.sampling import picked_slices

_MOST_SLICES = 24


@dataclass(frozen=True)
class Levels:
    """Noise level before and after, and of what was removed, in the image's unit; NaN without flat tissue.

    `removed_share`: 1 - after / before; 0.4 means 40 % less noise.
    """

    before: float
    after: float
    removed: float
    removed_share: float


def noise_levels(before: Image, after: Image) -> Levels:
    """Return the median local standard deviation (11 x 11 px) in flat soft tissue, of both images and their difference.

    The flat places are chosen on a guide of `before` for all three, so that the figures are of the same tissue.
    """
    found: list[list[np.ndarray[tuple[int], np.dtype[np.float32]]]] = [[], [], []]
    for z in picked_slices(before.shape[0], _MOST_SLICES):
        first, second = np.nan_to_num(before.voxels[z]), np.nan_to_num(after.voxels[z])
        flat = flat_plane(before, z)
        for values, plane in zip(found, (first, second, first - second), strict=True):
            values.append(local_deviation(plane)[flat])
    first_level, second_level, removed = (_median(np.concatenate(values)) for values in found)
    share = 1 - second_level / first_level if first_level > 0 else float("nan")
    return Levels(first_level, second_level, removed, share)


def _median(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    return float(np.median(values)) if values.size else float("nan")
