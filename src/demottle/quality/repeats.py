"""A second realization: the same object scanned again, so that its noise is other noise and its structure the same.

That gives without a truth what otherwise needs one. With inputs y1, y2 = x + n1, x + n2 and outputs z1, z2:

    error of z1:       E (z1 - y2)^2 = E (z1 - x)^2 + var(n2),  var(n) = E (y1 - y2)^2 / 2,   z1 and n2 being independent
    structure removed: E r1 r2 / E r^2,  r = y - z: removed noise differs from scan to scan, removed structure does not
    noise left:        sqrt(E (z1 - z2)^2 / 2)

Both directions are averaged. (Lehtinen et al. 2018 train on the first identity; the second is this project's edge test
without edges.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.quality.sampling import picked_slices

_GROUPS = 12
_FEWEST = 1000


@dataclass(frozen=True)
class Repeat:
    """What two realizations say, in the body, in the image's unit.

    Attributes:
        noise_before, noise_after: noise of one image, from the difference of the two; structure cannot get into it.
        error_before, error_after: root mean square error against the unknown truth. NaN where chance makes it negative.
        bias: mean of output minus input.
        structure_removed: share of the removed power that is the same in both: 0 for pure noise.
        structure_error: its standard error.
        structure_lost: root mean square of the structure that was removed.
        voxels: how many were compared.
    """

    noise_before: float
    noise_after: float
    error_before: float
    error_after: float
    bias: float
    structure_removed: float
    structure_error: float
    structure_lost: float
    voxels: int


def compare_repeats(before: Image, after: Image, second_before: Image, second_after: Image) -> Repeat:
    """Measure on two realizations and what was made of each, all of one shape; statistics come from at most 48 slices.

    Raises:
        InputError: where the two inputs are the same image, or no body is found.
    """
    rows = []
    for z in picked_slices(before.shape[0]):
        planes = [np.nan_to_num(image.voxels[z]) for image in (before, after, second_before, second_after)]
        body = body_plane((guide.smooth(planes[0]) + guide.smooth(planes[2])) / 2, before.unit)
        for image in (before, second_before):
            if image.valid is not None:
                body &= image.valid[z]
        if body.any():
            rows.append(_moments(*(plane[body].astype(np.float64) for plane in planes)))
    table = np.array(rows).reshape(-1, 8)
    total = table.sum(axis=0)
    if total[0] < _FEWEST:
        raise InputError("No body was found in which two realizations could be compared; is it the right series?")
    if total[1] == 0:
        raise InputError("The second input is the same image as the first; a second realization needs other noise.")
    groups = np.array_split(table, min(_GROUPS, len(table)))
    error = float("nan")
    if len(groups) > 1:  # jackknife over groups of neighboring slices
        left_out = np.array([_structure(total - group.sum(axis=0)) for group in groups])
        error = float(np.sqrt((len(groups) - 1) * left_out.var()))
    count = total[0]
    noise_variance = total[1] / count / 2
    squared = (total[3] + total[4]) / (2 * count) - noise_variance
    share = _structure(total)
    return Repeat(
        noise_before=float(np.sqrt(noise_variance)),
        noise_after=float(np.sqrt(total[2] / count / 2)),
        error_before=float(np.sqrt(noise_variance)),
        error_after=float(np.sqrt(squared)) if squared >= 0 else float("nan"),
        bias=float(-total[5] / (2 * count)),
        structure_removed=share,
        structure_error=error,
        structure_lost=float(np.sqrt(max(share, 0.0) * total[7] / (2 * count))),
        voxels=int(count),
    )


def _moments(
    y1: NDArray[np.float64], z1: NDArray[np.float64], y2: NDArray[np.float64], z2: NDArray[np.float64]
) -> list[float]:
    r1, r2 = y1 - z1, y2 - z2
    return [
        float(y1.size),
        float(((y1 - y2) ** 2).sum()),
        float(((z1 - z2) ** 2).sum()),
        float(((z1 - y2) ** 2).sum()),
        float(((z2 - y1) ** 2).sum()),
        float((r1 + r2).sum()),
        float((r1 * r2).sum()),
        float((r1**2).sum() + (r2**2).sum()),
    ]


def _structure(total: NDArray[np.float64]) -> float:
    return float(2 * total[6] / total[7]) if total[7] > 0 else 0.0
