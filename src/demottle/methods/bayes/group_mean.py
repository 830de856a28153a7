"""What a group of cubes has in common: the guide's mean, and as much of the noisy cubes' own as chance does not explain.

An edge that the guide lost is missing in its mean, and no covariance of the guide's can bring it back. The noisy cubes have it,
under noise that averages out. With d the mean of the noisy cubes less that of the guide, C the covariance of the noise in one
cube of n voxels and s the cubes' shares,

    size = d' C^-1 d / (n sum(s^2)),    mean = guide's mean + max(0, 1 - shrink median / size) d

(James and Stein, Proc. Fourth Berkeley Symposium 1961, positive part). The median of all sizes of a layer takes the place of what
independent cubes would have, 1: cubes overlap, and noise is correlated.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_FEWEST = 256
"""Groups for the median of a layer; of more some are left out, evenly."""


@dataclass(frozen=True)
class Precision:
    """What decides how much of the difference of two means is believed.

    Attributes:
        inverse: C^-1 (n, n).
        shrink: how often the usual size of chance is taken off; large values leave the guide's mean.
        usual: median of the sizes of a layer.
    """

    inverse: Tensor
    shrink: float
    usual: float


def every_few(groups: int) -> slice:
    """Which groups of a layer the median is taken of."""
    return slice(None, None, max(1, groups // _FEWEST))


def sizes(x: Tensor, g: Tensor, count: Tensor, inverse: Tensor) -> Tensor:
    """Return the sizes of groups of noisy cubes and their guides (groups, cubes, voxels), counted so much (groups, cubes, 1)."""
    share = count / count.sum(1, keepdim=True)
    return _size((share * (x - g)).sum(1), share, inverse)


def precision_of(x: Tensor, g: Tensor, count: Tensor, noise: Tensor, shrink: float) -> Precision:
    """Return what decides in a layer of which these are some groups (as for `sizes`); `noise` is C (n, n)."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(noise))
    return Precision(inverse, shrink, float(sizes(x, g, count, inverse).median()))


def mean_of(x: Tensor, g: Tensor, share: Tensor, precision: Precision) -> Tensor:
    """Return the mean of each group (groups, 1, voxels); `share` (groups, cubes, 1) adds up to 1."""
    off = (share * (x - g)).sum(1)
    size = _size(off, share, precision.inverse)
    believed = 1 - precision.shrink * precision.usual / size.clamp_min(torch.finfo(size.dtype).tiny)
    return (share * g).sum(1, keepdim=True) + (believed.clamp_min(0)[:, None] * off)[:, None]


def _size(off: Tensor, share: Tensor, inverse: Tensor) -> Tensor:
    return ((off @ inverse) * off).sum(1) / (off.shape[-1] * (share * share).sum(1)[:, 0])
