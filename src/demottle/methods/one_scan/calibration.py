"""Keep the CT numbers of tissues where they were: no mean over a whole scan may move.

A network taught by squared error pulls what it is unsure of toward what is common: muscle among much fluid comes out a HU too
low. The mean of input minus output in the flat parts of one tissue, over all slices, shows that shift without a truth, because
noise has no mean: over 10,000 voxels and more a tenth of a HU is plain. It is added again as a smooth function of the CT number.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, silent
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide

TISSUES = ((-150.0, -50.0), (-10.0, 25.0), (35.0, 90.0), (100.0, 150.0))
"""Fat, fluid, unenhanced and enhanced soft tissue, in HU: the ranges in which a network learns."""
FEWEST = 10_000
"""Voxels of a tissue that its shift is measured on, at least."""
_ENDS = (-400.0, 250.0)  # HU: outside nothing is moved
_GUIDE_SIGMA = 2.0
_FLAT = np.ones((7, 7), np.uint8)


@dataclass(frozen=True)
class Shift:
    """How far CT numbers moved: `amount` (input minus output, HU) at `numbers` (HU, rising); linear between, 0 at the ends."""

    numbers: tuple[float, ...] = ()
    amount: tuple[float, ...] = ()

    def at(self, plane: Voxels) -> Voxels:
        """Return the shift at every CT number of a plane."""
        return np.interp(plane, [_ENDS[0], *self.numbers, _ENDS[1]], [0, *self.amount, 0]).astype(np.float32)


def keep_ct_numbers(image: Image, clean: Voxels, allowed: Callable[[int], Voxels], listener: Listener = silent) -> None:
    """Move the tissues of `clean` (slices, rows, columns), in place, to the mean CT numbers that `image` gives them.

    Args:
        image: what went in; nothing is done unless its unit is HU.
        clean: what came out.
        allowed: for a slice, how far each pixel may change (0 to 1).
        listener: told of the stage "calibrate".
    """
    if image.unit != "HU":
        return
    found = measured_shift(image, clean, lambda index: allowed(index) >= 1)
    for index, plane in enumerate(clean):
        listener(Progress("calibrate", index, len(clean)))
        plane += allowed(index) * found.at(guide.smooth(plane, _GUIDE_SIGMA))
    listener(Progress("calibrate", len(clean), len(clean)))


def measured_shift(image: Image, clean: Voxels, usable: Callable[[int], Mask]) -> Shift:
    """Measure the mean of input minus output in the flat parts of each tissue.

    A shift counts as far as it stands out from its own spread over the slices: `d (1 - e^2 / d^2)`, e the standard error.
    """
    number, moved, count = (np.zeros((len(clean), len(TISSUES))) for _ in range(3))
    for index, plane in enumerate(clean):
        smooth, inside, residual = guide.smooth(plane, _GUIDE_SIGMA), usable(index), image.voxels[index] - plane
        for tissue, (low, high) in enumerate(TISSUES):
            here = cv2.erode(((smooth > low) & (smooth < high) & inside).astype(np.uint8), _FLAT) > 0
            count[index, tissue] = here.sum()
            number[index, tissue] = smooth[here].sum(dtype=np.float64)
            moved[index, tissue] = residual[here].sum(dtype=np.float64)
    kept = [tissue for tissue in range(len(TISSUES)) if count[:, tissue].sum() >= FEWEST]
    return Shift(
        tuple(float(number[:, tissue].sum() / count[:, tissue].sum()) for tissue in kept),
        tuple(_sure_part(moved[:, tissue], count[:, tissue]) for tissue in kept),
    )


def _sure_part(moved: NDArray[np.float64], count: NDArray[np.float64]) -> float:
    """Weighted mean of the slices' shifts, less what their spread explains."""
    mean = float(moved.sum() / count.sum())
    seen = count > 0
    if seen.sum() < 2 or mean == 0:
        return 0.0
    apart = moved[seen] / count[seen] - mean
    error = float((count[seen] ** 2 * apart**2).sum() / count.sum() ** 2)
    return mean * max(0.0, 1 - error / mean**2)
