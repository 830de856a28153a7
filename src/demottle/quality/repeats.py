"""A second scan of the same object: `agreement` of two realizations, in the body of whole volumes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.quality.realizations import Agreement, agreement
from demottle.quality.sampling import picked_slices

_MOST_SLICES = 24
_GROUPS = 6
_FEWEST = 1000


@dataclass(frozen=True)
class Repeat:
    """What two realizations say, in the body, in the image's unit.

    Attributes:
        agreement: noise, error against the unknown truth, and what was removed from both alike.
        correlation_error: standard error of `agreement.correlation`, over groups of slices; NaN for a single slice.
        bias: mean of output minus input.
        voxels: how many were compared.
    """

    agreement: Agreement
    correlation_error: float
    bias: float
    voxels: int

    @property
    def structure_found(self) -> bool:
        """True where what was removed repeats for sure: by more than 1 %, and than twice its error."""
        correlation = self.agreement.correlation
        return correlation > 0.01 and not correlation <= 2 * self.correlation_error


def compare_repeats(before: Image, after: Image, second_before: Image, second_after: Image) -> Repeat:
    """Measure on two realizations and what was made of each, all of one shape, in at most 24 slices.

    Raises:
        InputError: where the two inputs are the same image, or no body is found.
    """
    chosen = picked_slices(before.shape[0], _MOST_SLICES)
    body = np.stack([_body(before, second_before, z) for z in chosen])
    voxels = int(body.sum())
    if voxels < _FEWEST:
        raise InputError("No body was found in which two realizations could be compared; is it the right series?")
    x, a, y, b = (np.nan_to_num(im.voxels[chosen]) for im in (before, after, second_before, second_after))

    def measured(part: NDArray[np.int_]) -> Agreement:
        return agreement((x[part], y[part]), (a[part], b[part]), body[part])

    whole = measured(np.arange(len(chosen)))
    groups = [g for g in np.array_split(np.arange(len(chosen)), min(_GROUPS, len(chosen))) if body[g].any()]
    error = float("nan")
    if len(groups) > 1:
        error = float(np.std([measured(g).correlation for g in groups], ddof=1) / np.sqrt(len(groups)))
    bias = float(((a - x)[body].mean(dtype=np.float64) + (b - y)[body].mean(dtype=np.float64)) / 2)
    return Repeat(whole, error, bias, voxels)


def _body(first: Image, second: Image, z: int) -> Mask:
    """The body on the mean of both guides, where both are valid."""
    guides = [guide.smooth(np.nan_to_num(image.voxels[z])) for image in (first, second)]
    body = body_plane(np.asarray((guides[0] + guides[1]) / 2, np.float32), first.unit)
    for image in (first, second):
        if image.valid is not None:
            body &= image.valid[z]
    return body
