"""Where a volume repeats itself: for cubes on a grid, the places around whose cubes look most alike."""

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from demottle.methods.bayes.cube_noise import Cube

_CUT_OFF = 8
"""Power of the distance by which the weight falls: near 1 for nearly all, and 0 for the last, so that it does not matter which of
two cubes that are just as far comes in: rounding would decide."""


def similar_cubes(
    guide: Tensor, first: int, cube: Cube, reach: int, step: int, count: int, wanted: Tensor
) -> tuple[Tensor, Tensor]:
    """Find similar cubes.

    Args:
        guide: slices around the cubes (slices, rows, columns) with hardly any noise; the whole of its depth is searched.
        first: first slice of the cubes that others are sought for.
        cube: sides.
        reach: rows and columns that a similar cube may be away.
        step: rows and columns from one cube to the next.
        count: how many to find, itself included; fewer where there are fewer places.
        wanted: numbers of the cubes, counted along rows of the grid (m,).

    Returns:
        First voxels of the similar cubes (m, count), as numbers counted in the guide, the most similar first; and what each
        counts, `1 - (d / d_last)^8`, d the mean squared difference.
    """
    depth, rows, columns = guide.shape
    own = guide[first : first + cube[0]]
    around = functional.pad(guide, (reach,) * 4, value=float("inf"))
    moves = range(-reach, reach + 1)
    shifts = list(product(range(depth - cube[0] + 1), moves, moves))
    distances = torch.empty((len(wanted), len(shifts)), device=guide.device)
    for number, (z, y, x) in enumerate(shifts):
        other = around[z : z + cube[0], reach + y : reach + y + rows, reach + x : reach + x + columns]
        squares = ((other - own) ** 2).sum(0)
        pooled = functional.avg_pool2d(squares[None, None], cube[1:], stride=step)
        distances[:, number] = pooled.flatten()[wanted]
    nearest = distances.topk(min(count, len(shifts)), dim=1, largest=False)
    table = torch.tensor(shifts, device=guide.device)
    width = (columns - cube[2]) // step + 1
    corner = (wanted // width * step) * columns + wanted % width * step
    strides = torch.tensor([rows * columns, columns, 1], device=guide.device)
    found = corner[:, None] + (table[nearest.indices] * strides).sum(-1)
    # At a border there may be fewer places: those outside count for nothing.
    inside = nearest.values.isfinite()
    distance = nearest.values.where(inside, 0)
    last = distance.amax(1, keepdim=True)
    weights = torch.where(last > 0, 1 - (distance / last.clamp_min(1e-30)) ** _CUT_OFF, 1.0) * inside
    return torch.where(inside, found, corner[:, None] + first * rows * columns), weights
