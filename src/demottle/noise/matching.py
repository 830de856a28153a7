"""Where two slices show the same tissue: compared on guides, with a tolerance that follows the local noise."""

import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.slices import spread

TOLERANCE_HU = 25.0
"""Largest difference of two guides that counts as the same tissue in CT."""
_MOST_PAIRS = 16


def matched(guide_a: Voxels, guide_b: Voxels, tolerance: float | Voxels) -> Mask:
    """Pixels of two guide slices that differ by no more than `tolerance` (a number or a map, in the image's unit)."""
    out: Mask = np.abs(guide_a - guide_b) <= tolerance
    return out


def tolerance_of(image: Image, noise_level: float) -> float:
    """Tolerance for `matched`: 25 HU in CT; without absolute units, in proportion to the noise level."""
    return TOLERANCE_HU if image.unit == "HU" else max(0.7 * noise_level, 1e-6)


def matched_share(image: Image, lag: int, tolerance: float) -> float:
    """Share (0 to 1) of soft tissue that is matched in the slice `lag` further on; NaN where there is no such slice."""
    pairs = image.shape[0] - lag
    if pairs < 1:
        return float("nan")
    hits = total = 0
    for index in spread(pairs, _MOST_PAIRS):
        here, there = guide.smooth(image.voxels[index]), guide.smooth(image.voxels[index + lag])
        tissue = tissue_mask(here, image.unit, valid_plane(image, index))
        hits += int((matched(here, there, tolerance) & tissue).sum())
        total += int(tissue.sum())
    return hits / total if total else float("nan")
