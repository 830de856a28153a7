"""Two realizations of one object, denoised: do they agree with each other AND with the mean of what was measured?

`agreement` compares arrays, `compare_repeats` whole volumes in the body. With each other alone
proves nothing: a constant agrees with itself. With x = T + n1, y = T + n2 measured (independent noise) and
a, b their denoised versions, cross products are free of noise: y's noise knows nothing of a.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.slices import spread
from demottle.quality.arrays import planes_of, same_shape

Array = NDArray[np.float64]
_MOST_SLICES = 24
_GROUPS = 6
_FEWEST = 1000


@dataclass(frozen=True)
class Agreement:
    """Root mean squares in the image's unit; see `agreement`.

    Attributes:
        noise_before, noise_after: sqrt(<(x - y)^2> / 2) and sqrt(<(a - b)^2> / 2): what differs between realizations.
        between: sqrt(<(a - b)^2>), the disagreement of the two results.
        to_mean: sqrt(<((a + b)/2 - (x + y)/2)^2>), the distance of the mean result from the mean measurement; pure noise
            removal gives sqrt(noise_before^2 - noise_after^2) / sqrt 2 or so.
        changed: sqrt(<(x - a)(y - b)>): what was removed from both alike, structure lost or invented; 0 for an honest
            denoiser, not found where the product is negative by chance (0 then).
        error: sqrt((<(a - y)^2> + <(b - x)^2>) / 2 - noise_before^2): RMS error against the unknown truth.
        correlation: correlation of x - a and y - b, from -1 to 1; 0: what was removed has nothing in common.
    """

    noise_before: float
    noise_after: float
    between: float
    to_mean: float
    changed: float
    error: float
    correlation: float


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


def agreement(
    before: tuple[NDArray[Any], NDArray[Any]],
    after: tuple[NDArray[Any], NDArray[Any]],
    mask: NDArray[np.bool_] | None = None,
) -> Agreement:
    """Measure how two realizations agree before and after.

    Args:
        before: two measurements of one object with independent noise of one level, (rows, columns) or (n, rows, columns).
        after: each of them denoised on its own.
        mask: where to look, of the same shape.

    Raises:
        InputError: different shapes, NaN, an empty mask, two inputs that are the same image.
    """
    x, y, a, b = (planes_of(values, "realizations") for values in (*before, *after))
    same_shape("realizations before and after", x, y, a, b)
    where = np.ones(x.shape, np.bool_) if mask is None else mask.reshape(x.shape) if mask.size == x.size else None
    if where is None or not where.any():
        raise InputError("The mask is empty or of another shape than the realizations; give one that holds pixels.")
    x, y, a, b = (values[where] for values in (x, y, a, b))
    noise = _mean_square(x - y) / 2
    if noise == 0:
        raise InputError("Both inputs are the same image; agreement needs two realizations with independent noise.")
    between, removed = _mean_square(a - b), (x - a, y - b)
    common = float((removed[0] * removed[1]).mean())
    error = (_mean_square(a - y) + _mean_square(b - x)) / 2 - noise
    power = np.sqrt(_mean_square(removed[0]) * _mean_square(removed[1]))
    return Agreement(
        float(np.sqrt(noise)), float(np.sqrt(between / 2)), float(np.sqrt(between)),
        float(np.sqrt(_mean_square((a + b - x - y) / 2))), float(np.sqrt(max(common, 0.0))),
        float(np.sqrt(max(error, 0.0))), common / float(power) if power > 0 else 0.0,
    )  # fmt: skip


def compare_repeats(before: Image, after: Image, second_before: Image, second_after: Image) -> Repeat:
    """Measure on two realizations and what was made of each, all of one shape, in at most 24 slices.

    Raises:
        InputError: where the two inputs are the same image, or no body is found.
    """
    chosen = spread(before.shape[0], _MOST_SLICES)
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


def _mean_square(values: Array) -> float:
    return float((values * values).mean())


def _body(first: Image, second: Image, z: int) -> Mask:
    """The body on the mean of both guides, where both are valid."""
    guides = [guide.smooth(np.nan_to_num(image.voxels[z])) for image in (first, second)]
    body = body_plane(np.asarray((guides[0] + guides[1]) / 2, np.float32), first.unit)
    for image in (first, second):
        if image.valid is not None:
            body &= image.valid[z]
    return body
