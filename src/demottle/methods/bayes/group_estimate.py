"""The best linear estimate of cubes from cubes like them.

After Lebrun, Buades and Morel (SIAM J. Imaging Sciences 2013), who treat patches of pictures with white noise. Ours: cubes, which
lie in several slices, and the covariance that the noise of this scan was measured to have. With x the noisy cubes of a group, g
what is known of them (the guide) and C the noise's covariance,

    estimate = m + S (S + C)^-1 (x - m) = x - C (S + C)^-1 (x - m),    m = mean of g,    S = covariance of g,

both weighted by how similar the cubes are (`similar_cubes`).
A voxel is the weighted mean of all estimates of all cubes it lies in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from demottle.image import Mask
from demottle.methods.bayes.cube_noise import Cube
from demottle.methods.bayes.similar_cubes import similar_cubes

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
    """

    cube: Cube
    similar: int
    reach: int
    reach_slices: int
    step: int


def group_estimate(
    noisy: Tensor,
    guide: Tensor,
    where: Mask,
    covariance: NDArray[np.floating],
    grouping: Grouping,
    device: torch.device,
    listener: Callable[[int, int], None],
) -> Tensor:
    """Return the estimate (slices, rows, columns), on the processor; outside of `where` it may be the noisy volume itself.

    Args:
        noisy: in units of the local noise level.
        guide: the same with hardly any noise.
        where: voxels that are asked for.
        covariance: covariance of the noise in a cube (n, n).
        grouping: grouping of cubes.
        device: where to compute.
        listener: told how many layers of cubes are done, of how many.
    """
    box = _box(where, grouping)
    if box is None:
        return noisy.clone()
    made = _estimate(noisy[box], guide[box], where[box], covariance, grouping, device, listener)
    out = noisy.clone()
    out[box] = made
    return out


def _estimate(
    noisy: Tensor,
    guide: Tensor,
    where: Mask,
    covariance: NDArray[np.floating],
    grouping: Grouping,
    device: torch.device,
    listener: Callable[[int, int], None],
) -> Tensor:
    cube, step = grouping.cube, grouping.step
    slices, rows, columns = noisy.shape
    pad = (0, (cube[2] - columns) % step, 0, (cube[1] - rows) % step)
    x, g = (functional.pad(part[None], pad, mode="replicate")[0] for part in (noisy, guide))
    asked = functional.pad(torch.from_numpy(np.ascontiguousarray(where)).float(), pad)
    total, weights = torch.zeros_like(x), torch.zeros_like(x)
    noise = torch.from_numpy(np.asarray(covariance, np.float32)).to(device)
    upward = range(0, slices - cube[0] + 1, cube[0])
    layers = sorted({*upward, *(slices - cube[0] - first for first in upward)})  # the same seen from either end
    for number, first in enumerate(layers):
        listener(number, len(layers))
        here = functional.max_pool2d(asked[first : first + cube[0]].amax(0)[None], cube[1:], stride=step)
        wanted = here.flatten().nonzero().flatten().to(device)
        if not len(wanted):
            continue
        low = max(0, first - grouping.reach_slices)
        high = min(slices, first + cube[0] + grouping.reach_slices)
        near_x, near_g = x[low:high].to(device), g[low:high].to(device)
        corners, counts = similar_cubes(near_g, first - low, cube, grouping.reach, step, grouping.similar, wanted)
        made, weight = _layer(near_x, near_g, corners, counts, cube, noise)
        total[low:high] += made.cpu()
        weights[low:high] += weight.cpu()
    listener(len(layers), len(layers))
    out = torch.where(weights > 0, total / weights.clamp_min(1e-12), x)
    return out[:, :rows, :columns]


def _layer(x: Tensor, g: Tensor, corners: Tensor, counts: Tensor, cube: Cube, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Estimate groups of cubes; returns weighted sums and weights, of the shape of `x`."""
    inside = _voxels_of(x, cube)
    flat_x, flat_g = x.flatten(), g.flatten()
    total, weights = torch.zeros_like(flat_x), torch.zeros_like(flat_x)
    many = _AT_ONCE if x.device.type == "cpu" else _AT_ONCE_ON_GPU
    for some, count in zip(torch.split(corners, many), torch.split(counts, many), strict=True):
        places = some[:, :, None] + inside
        made, weight = _group(flat_x[places], flat_g[places], count[:, :, None], noise)
        total.index_add_(0, places.flatten(), (made * weight).flatten())
        weights.index_add_(0, places.flatten(), weight.expand_as(made).flatten())
    return total.reshape(x.shape), weights.reshape(x.shape)


def _group(x: Tensor, g: Tensor, count: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Estimate cubes (groups, cubes, voxels), each counted so much (groups, cubes, 1); returns them and their weights."""
    share = count / count.sum(1, keepdim=True)
    mean = (share * g).sum(1, keepdim=True)
    spread = g - mean
    covariance = (share * spread).transpose(1, 2) @ spread
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


def _box(where: Mask, grouping: Grouping) -> tuple[slice, slice, slice] | None:
    """The part of the rows and columns that is looked at: what is asked for, and similar cubes around it."""
    rows, columns = (np.nonzero(where.any(axis=axes))[0] for axes in ((0, 2), (0, 1)))
    if not len(rows):
        return None
    sides = []
    for found, whole, side in zip((rows, columns), where.shape[1:], grouping.cube[1:], strict=True):
        around = grouping.reach + side
        sides.append(slice(max(0, int(found[0]) - around), min(whole, int(found[-1]) + 1 + around)))
    return slice(None), sides[0], sides[1]
