"""Slices that are shifted in their plane against the slice before: their voxels do not lie above each other."""

from collections.abc import Sequence

import numpy as np

from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.grid.cosines import cosines


def jump_warning(slices: Sequence[SliceHeader]) -> tuple[str, ...]:
    """Return a warning where a slice lies more than a pixel beside the place that the others lead to expect.

    A steady shift from slice to slice is a tilted gantry, which is not a jump.

    Args:
        slices: in order along their normal, all of one orientation.
    """
    first = slices[0]
    if len(slices) < 3 or first.orientation is None or first.pixel_spacing is None:
        return ()
    axes = np.array(cosines(first.orientation))
    steps = np.diff(np.array([header.position for header in slices]), axis=0) @ axes.T
    beside = np.linalg.norm(steps - np.median(steps, axis=0), axis=1)
    where = np.flatnonzero(beside > max(first.pixel_spacing))
    if not where.size:
        return ()
    at = int(where[0])
    more = f", and at {where.size - 1} more" if where.size > 1 else ""
    return (
        f"Slices {at + 1} and {at + 2} are shifted against each other by {beside[at]:.3g} mm in their plane{more}: the same "
        "pixel shows another place there, and neighboring slices help less.",
    )
