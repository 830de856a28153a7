"""The best linear estimate of cubes from cubes like them.

After Lebrun, Buades and Morel (SIAM J. Imaging Sciences 2013), who treat patches of pictures with white noise. Ours: cubes, which
lie in several slices, and the covariance that the noise of this scan was measured to have. With x the noisy cubes of a group, g
what is known of them (the guide) and C the noise's covariance,

    estimate = m + S (S + C)^-1 (x - m) = x - C (S + C)^-1 (x - m),    m = mean of g,    S = covariance of g,

both weighted by how similar the cubes are (`similar_cubes`).
A voxel is the weighted mean of all estimates of all cubes it lies in. Where the grouping asks for it, m also has what the noisy
cubes have in common and the guide lost (`group_mean`).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from demottle.methods.bayes.cube_noise import Cube
from demottle.methods.bayes.group_mean import Precision, every_few, mean_of, precision_of
from demottle.methods.bayes.similar_cubes import similar_cubes

Box = tuple[slice, slice]
"""Rows and columns."""
_AT_ONCE = 512
"""Groups: few enough for a processor's cache to hold much of them."""
_AT_ONCE_ON_GPU = 8192


@dataclass(frozen=True)
class Grouping:
    """How cubes are gathered.

    Attributes:
        cube: sides.
        similar: cubes in a group.
        reach: rows and columns that they may be away.
        reach_slices: slices that they may be away.
        step: rows and columns from one cube to the next; layers of cubes lie on each other.
        shrink: how much of the noisy cubes' own mean is believed (`group_mean`); infinite: the guide's alone.
    """

    cube: Cube
    similar: int
    reach: int
    reach_slices: int
    step: int
    shrink: float = math.inf


def layer_estimate(
    x: Tensor, g: Tensor, asked: Tensor, first: int, grouping: Grouping, noise: Tensor
) -> tuple[Tensor, Tensor, Box] | None:
    """Estimate a layer of cubes and all that look like them; None where no voxel of it is asked for.

    Args:
        x: the noisy slices that the layer sees (slices, rows, columns), in units of the local noise level; rows and columns
            are filled by the grid of cubes to the last.
        g: the same with hardly any noise.
        asked: rows and columns that are asked for in any slice of the layer (rows, columns).
        first: the layer's first slice.
        grouping: grouping of cubes.
        noise: covariance of the noise in a cube (n, n), where to compute.

    Returns:
        Sums of the estimates, each times its weight, and sums of the weights, of a part of the slices; and rows and columns of
        that part, outside of which there are none.
    """
    cube, step = grouping.cube, grouping.step
    box = _box(asked, grouping)
    if box is None:
        return None
    near_x, near_g = (part[:, *box].contiguous().to(noise.device) for part in (x, g))
    here = functional.max_pool2d(asked[box].float()[None], cube[1:], stride=step)
    wanted = here.flatten().nonzero().flatten().to(noise.device)
    corners, counts = similar_cubes(near_g, first, cube, grouping.reach, step, grouping.similar, wanted)
    total, weights = _layer(near_x, near_g, corners, counts, grouping, noise)
    return total.cpu(), weights.cpu(), box


def _layer(
    x: Tensor, g: Tensor, corners: Tensor, counts: Tensor, grouping: Grouping, noise: Tensor
) -> tuple[Tensor, Tensor]:
    """Estimate groups of cubes; returns weighted sums and weights, of the shape of `x`."""
    inside = _voxels_of(x, grouping.cube)
    flat_x, flat_g = x.flatten(), g.flatten()
    precision = None
    if math.isfinite(grouping.shrink):
        few = every_few(len(corners))
        near_x, near_g = (flat[corners[few][:, :, None] + inside] for flat in (flat_x, flat_g))
        precision = precision_of(near_x, near_g, counts[few][:, :, None], noise, grouping.shrink)
    total, weights = torch.zeros_like(flat_x), torch.zeros_like(flat_x)
    many = _AT_ONCE if x.device.type == "cpu" else _AT_ONCE_ON_GPU
    for some, count in zip(torch.split(corners, many), torch.split(counts, many), strict=True):
        places = some[:, :, None] + inside
        at = places.flatten()
        # `index_select` takes a quarter of the time that `flat_x[places]` does.
        near_x, near_g = (flat.index_select(0, at).view(places.shape) for flat in (flat_x, flat_g))
        made, weight = _group(near_x, near_g, count[:, :, None], noise, precision)
        total.index_add_(0, at, (made * weight).flatten())
        weights.index_add_(0, at, weight.expand_as(made).flatten())
    return total.reshape(x.shape), weights.reshape(x.shape)


def _group(x: Tensor, g: Tensor, count: Tensor, noise: Tensor, precision: Precision | None) -> tuple[Tensor, Tensor]:
    """Estimate cubes (groups, cubes, voxels), each counted so much (groups, cubes, 1); returns them and their weights."""
    share = count / count.sum(1, keepdim=True)
    mean = (share * g).sum(1, keepdim=True)
    spread = g - mean
    covariance = (share * spread).transpose(1, 2) @ spread
    if precision is not None:
        mean = mean_of(x, g, share, precision)
    # For what is taken away, not for what is left: contrast can be a thousand times the noise.
    # The inverse and a product of matrices take half as long as solving for every column.
    taken = torch.cholesky_inverse(torch.linalg.cholesky(covariance + noise)) @ noise
    kept = taken.shape[-1] - taken.diagonal(dim1=1, dim2=2).sum(1)
    return x - (x - mean) @ taken, count / (1 + kept.clamp_min(0))[:, None, None]


def _voxels_of(volume: Tensor, cube: Cube) -> Tensor:
    """Numbers of a cube's voxels, counted in the volume from its first one."""
    _, rows, columns = volume.shape
    z, y, x = torch.meshgrid(*(torch.arange(side, device=volume.device) for side in cube), indexing="ij")
    return (z * rows * columns + y * columns + x).flatten()


def _box(asked: Tensor, grouping: Grouping) -> Box | None:
    """Rows and columns that cubes with anything asked for, and those like them, can lie in, on the grid of the whole."""
    sides = []
    for axis, side in zip((1, 0), grouping.cube[1:], strict=True):
        found = asked.any(dim=axis).nonzero().flatten()
        if not len(found):
            return None
        low = max(0, int(found[0]) - side + 1 - grouping.reach) // grouping.step * grouping.step
        high = int(found[-1]) + grouping.reach + side
        high += (low + side - high) % grouping.step
        sides.append(slice(low, min(high, asked.shape[1 - axis])))
    return sides[0], sides[1]
