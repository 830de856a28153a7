"""A noisy run and what was made of it, against their truth: what moves, errors there, and whether structure went too."""

import numpy as np

from demottle.image import Image, Mask
from demottle.quality.sequence.truth import SequenceErrors, sequence_errors, window_of

_MOVES = 0.01
"""Share of the range of the truth: a pixel that changes by more over the run is one where something moves."""
_TOO_FEW = 0.005
"""Fewest pixels, as a share, for a figure of their own."""


def compared(before: Image, after: Image, truth: Image) -> tuple[SequenceErrors, SequenceErrors]:
    """Return the errors before and after over one range, with those where something moves apart.

    Raises:
        InputError: shapes that differ.
    """
    window = window_of(truth.voxels)
    moving = moving_in(truth, window)
    first = sequence_errors(before, truth, window, moving)
    return first, sequence_errors(after, truth, window, moving)


def moving_in(truth: Image, window: tuple[float, float]) -> Mask | None:
    """Where something moves at some time of the run, shape of the truth; None where next to nothing does.

    All frames of such a pixel count, because a trail stays after what made it has passed.
    """
    changes = np.ptp(truth.voxels, axis=0) > _MOVES * (window[1] - window[0])
    if changes.mean() < _TOO_FEW:
        return None
    if changes.mean() > 1 - _TOO_FEW:  # what is left is too little to be called still
        changes = np.ones_like(changes)
    return np.broadcast_to(changes, truth.shape)


def structure_lost(errors: tuple[SequenceErrors, SequenceErrors]) -> str:
    """Say in a sentence that structure went with the noise; empty where it cannot be said.

    Means over 8 x 8 pixels hold little noise, and a method that takes away noise only makes their error smaller. So where it
    grows, something else was removed.
    """
    before, after = (one.means_moving for one in errors)
    if not after > before:
        return ""
    return (
        f"Not only noise was removed: where something moves, means over 8 x 8 pixels are off by {after:.3g}, in the noisy run by "
        f"{before:.3g}. Look there for trails and for detail that is gone."
    )
