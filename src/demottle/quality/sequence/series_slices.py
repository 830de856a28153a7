"""Edges in what was removed from a series of volumes, whose frames show the slices one below the other.

Each volume is tested by itself, because volumes differ: where the weighting is weak little may go, where it is strong an outline.
And the means over all volumes are tested, where noise has gone and what is removed everywhere at the same place adds up.
"""

from dataclasses import replace
from math import isfinite

import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.io.files.nifti_frames import GAP
from demottle.noise.slices import spread
from demottle.quality.check.residual import EdgeTest, edge_test

_VOLUMES, _SLICES = 16, 12


def slices_in_frame(image: Image) -> int:
    """How many slices a frame shows: the largest number whose gaps hold no measurement."""
    rows = image.shape[1]
    if image.valid is None:
        return 1
    empty = ~image.valid[0].any(axis=1)
    most = int(empty.sum()) // GAP + 1
    for count in range(most, 1, -1):
        each, rest = divmod(rows + GAP, count)
        if rest == 0 and each > GAP and empty[np.arange(rows) % each >= each - GAP].all():
            return count
    return 1


def volume_slices(before: Image, after: Image, volume: int) -> tuple[Image, Image]:
    """Return some slices of one volume before and after, as stacks."""
    count = slices_in_frame(before)
    picked = [(place, volume) for place in spread(count, _SLICES)]
    return _cut(before, count, picked), _cut(after, count, picked)


def mean_slices(before: Image, after: Image) -> tuple[Image, Image]:
    """Return the mean over all volumes of each slice, before and after, as stacks."""
    count = slices_in_frame(before)
    valid = None if before.valid is None else np.asarray(before.valid.all(axis=0, keepdims=True))
    one, other = (
        replace(image, voxels=image.voxels.mean(axis=0, keepdims=True, dtype=np.float64), valid=valid, source=None)
        for image in (before, after)
    )
    picked = [(place, 0) for place in range(count)]
    return _cut(one, count, picked), _cut(other, count, picked)


def _cut(image: Image, count: int, picked: list[tuple[int, int]]) -> Image:
    """The slices (place in the frame, frame) of an image whose frames show `count` of them."""
    each = (image.shape[1] + GAP) // count

    def cut(array: Voxels | Mask) -> np.ndarray:
        return np.stack([array[frame, place * each :][: each - GAP] for place, frame in picked])

    valid = None if image.valid is None else cut(image.valid)
    return Image(cut(image.voxels), (1.0, *image.spacing[1:]), image.modality, image.unit, valid=valid)


def series_edges(before: Image, after: Image) -> EdgeTest:
    """Return the edge test (see `edge_test`) that fares worst, chance apart: of single volumes, or of the means over all."""
    stacks = [volume_slices(before, after, volume) for volume in spread(before.shape[0], _VOLUMES)]
    tests = [edge_test(*pair) for pair in (*stacks, mean_slices(before, after))]
    return max(tests, key=_surely, default=tests[0])


def _surely(test: EdgeTest) -> float:
    """The part of a correlation that is not chance; less than any where nothing was measured."""
    if not isfinite(test.correlation):
        return -1.0
    return max(abs(test.correlation) - 2 * (test.error if isfinite(test.error) else 0.0), 0.0)


def signal_range(image: Image) -> float:
    """Return the distance from the 1st to the 99th percentile of the measured voxels of a few frames."""
    frames = spread(image.shape[0], 8)
    seen = image.voxels[frames] if image.valid is None else image.voxels[frames][image.valid[frames]]
    low, high = np.percentile(seen, [1, 99]) if seen.size else (0.0, 0.0)
    return float(high - low)
