"""The single slices of a series of volumes, whose frames show them one below the other."""

import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.io.nifti_frames import GAP
from demottle.quality.sampling import MOST_SLICES, picked_slices


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


def sampled_slices(before: Image, after: Image, at_most: int = MOST_SLICES) -> tuple[Image, Image]:
    """Return at most `at_most` slices of a series before and after, evenly spread over slices and volumes, as stacks."""
    count, frames = slices_in_frame(before), before.shape[0]
    each = (before.shape[1] + GAP) // count
    picked = [divmod(index, frames) for index in picked_slices(count * frames, at_most)]

    def cut(array: Voxels | Mask) -> np.ndarray:
        return np.stack([array[frame, place * each :][: each - GAP] for place, frame in picked])

    valid = None if before.valid is None else cut(before.valid)
    down, right = before.spacing[1:]
    made = [
        Image(cut(image.voxels), (1.0, down, right), before.modality, before.unit, valid=valid)
        for image in (before, after)
    ]
    return made[0], made[1]
