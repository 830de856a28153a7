"""An image and its truth, with where and over which range they are compared: what every score against a truth is made from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.noise.slices import spread
from demottle.quality.truth.fourier_ring import ring_correlation
from demottle.quality.truth.similarity import LEAST_SIDE

_FEW_SLICES = 12  # for what takes long and differs little from slice to slice
_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class TruthPair:
    """An image beside its truth.

    Attributes:
        image, truth: of one shape (slices, rows, columns), in one unit.
        chosen: the slices that count.
        where: the voxels that count, of these slices only: (chosen, rows, columns).
        window: lower and upper end of the range that scores with a range refer to, in the image's unit.
    """

    image: Image
    truth: Image
    chosen: list[int]
    where: Mask
    window: tuple[float, float]

    @cached_property
    def planes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The chosen slices of the image and of the truth."""
        return self.image.voxels[self.chosen], self.truth.voxels[self.chosen]


Score = Callable[[TruthPair], float]
"""One number from an image and its truth; NaN where it has no meaning."""


def in_mask(measure: Callable[..., float]) -> Score:
    """Return a score made by `measure(image, truth, mask)` of the chosen slices."""
    return lambda pair: measure(*pair.planes, pair.where)


def in_window(measure: Callable[..., float]) -> Score:
    """Return a score made by `measure(image, truth, mask, window)` of the chosen slices."""
    return lambda pair: measure(*pair.planes, pair.where, pair.window)


def in_whole_slices(measure: Callable[[NDArray[Any], NDArray[Any], tuple[float, float]], float]) -> Score:
    """Return a score made by `measure(image, truth, window)` of at most 12 whole slices; NaN below 48 pixels a side."""

    def score(pair: TruthPair) -> float:
        if min(pair.image.shape[1:]) < LEAST_SIDE:
            return _NAN
        few = spread(pair.image.shape[0], _FEW_SLICES)
        one, other = (np.nan_to_num(image.voxels[few]) for image in (pair.image, pair.truth))
        return measure(one, other, pair.window)

    return score


def ring(pair: TruthPair) -> float:
    """Return the frequency in 1/mm up to which Fourier ring correlation with the truth is 0.5 or more, in at most 12 slices.

    Infinite where it is to the end; NaN where the mask holds no patch.
    """
    few = spread(len(pair.chosen), _FEW_SLICES)
    planes = [np.nan_to_num(one.voxels[[pair.chosen[i] for i in few]]) for one in (pair.image, pair.truth)]
    spacing = pair.image.spacing[1], pair.image.spacing[2]
    try:
        return ring_correlation(planes[0], planes[1], spacing, mask=pair.where[few]).resolution
    except InputError:  # a body too small for one patch: no figure
        return _NAN
