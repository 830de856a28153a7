"""A first look at a volume: cosine transforms of all cubes, small coefficients set to zero, then a Wiener filter by what is left.

After Yaroslavsky (1996) and, for MR volumes, Manjon et al. (Medical Image Analysis 2012); theirs takes the noise as white, here
every coefficient is judged by the noise that this very pattern has.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional

from demottle.methods.bayes.cube_noise import Cube

_STEEP = 50
"""Width of the passage from nothing to all of a coefficient at the threshold: a step would leave the side to rounding, and so to
the order of the slices."""
_SLAB = 24
"""Slices treated at once: the transforms of a whole scan need several times its memory."""


def sliding_dct(
    volume: Tensor,
    covariance: NDArray[np.floating],
    cube: Cube,
    threshold: float,
    device: torch.device,
    *,
    wanted: slice = slice(None),
    lies: tuple[int, int] | None = None,
    every: int = 1,
) -> Tensor:
    """Return slices of a volume (slices, rows, columns) without most of their noise, on the processor.

    Args:
        volume: in units of the local noise level; no side smaller than the cube's.
        covariance: covariance of that noise in a cube (n, n).
        cube: its sides.
        threshold: standard deviations of a coefficient's noise below which it counts as noise.
        device: where to compute.
        wanted: slices that are asked for; those up to `margin_of(cube)` away have a say.
        lies: where the volume is a part of a larger one, the number of its first slice in that, and how many that has.
        every: cubes at this share of all places, spread evenly (`z + y + x` a multiple of it, z counted from the nearer end); as
            many times faster.
    """
    patterns = _patterns(cube)
    variances = np.einsum("ij,jk,ik->i", patterns, covariance, patterns)
    deviation = torch.from_numpy(np.sqrt(np.maximum(variances, 1e-12)).astype(np.float32)).to(device)
    basis = torch.from_numpy(patterns.astype(np.float32)).to(device)
    margin, (begin, end, _) = margin_of(cube), wanted.indices(volume.shape[0])
    above, slices = lies or (0, volume.shape[0])
    places = range(slices + cube[0] - 1)
    layers = [min(number, places[-1] - number) % every for number in places]  # the same seen from either end
    out = torch.empty_like(volume[begin:end])
    for first in range(begin, end, _SLAB):
        last = min(first + _SLAB, end)
        low, high = max(0, first - margin), min(volume.shape[0], last + margin)
        slab, here = volume[low:high].to(device), layers[above + low : above + high + cube[0] - 1]
        pilot = _filtered(slab, basis, cube, deviation, threshold, None, here, every)
        done = _filtered(slab, basis, cube, deviation, threshold, pilot, here, every)
        out[first - begin : last - begin] = done[first - low : last - low].cpu()
    return out


def margin_of(cube: Cube) -> int:
    """Slices at either side that have a say in the look at one: the cubes it lies in, and those that their guide lies in."""
    return 2 * (cube[0] - 1)


def _patterns(cube: Cube) -> NDArray[np.float64]:
    """Return the cosine patterns of a cube, a row each, the mean first; all lengths are 1."""
    patterns = np.ones((1, 1))
    for side in cube:
        patterns = np.kron(patterns, dct(np.eye(side), axis=0, norm="ortho"))
    return patterns


def _filtered(
    volume: Tensor,
    basis: Tensor,
    cube: Cube,
    deviation: Tensor,
    threshold: float,
    pilot: Tensor | None,
    layers: Sequence[int],
    every: int,
) -> Tensor:
    """Shrink the coefficients of every cube at every place; a voxel is the mean of all cubes it lies in.

    `layers` says for every place between slices which rows and columns cubes begin at: `layer + y + x` a multiple of `every`.
    """
    padded = _mirrored(volume, cube)
    known = None if pilot is None else _mirrored(pilot, cube)
    total, weights = torch.zeros_like(padded), torch.zeros_like(padded)
    for (z, layer), y, x in product(enumerate(layers), range(cube[1]), range(cube[2])):
        if (layer + y + x) % every:
            continue
        counts = (1, (padded.shape[1] - y) // cube[1], (padded.shape[2] - x) // cube[2])
        at = tuple(slice(s, s + n * side) for s, n, side in zip((z, y, x), counts, cube, strict=True))
        coefficients = _cut(padded[at], cube) @ basis.T
        if known is None:
            kept = ((coefficients.abs() / (threshold * deviation) - 1) * _STEEP + 0.5).clamp_(0, 1)
        else:
            power = (_cut(known[at], cube) @ basis.T).square_()
            kept = power / (power + deviation**2)
        kept[:, 0] = 1.0  # the mean
        weight = 1 / kept.square().sum(dim=1, keepdim=True)
        made = coefficients.mul_(kept) @ basis
        total[at] += _joined(made.mul_(weight), cube, counts)
        weights[at] += _joined(weight.expand_as(made), cube, counts)
    inside = tuple(slice(side - 1, side - 1 + n) for side, n in zip(cube, volume.shape, strict=True))
    return total[inside] / weights[inside]


def _mirrored(volume: Tensor, cube: Cube) -> Tensor:
    """Mirror the volume at its borders, so that every voxel lies in as many cubes."""
    widths = [width for side in reversed(cube) for width in (side - 1, side - 1)]
    return functional.pad(volume[None, None], widths, mode="reflect")[0, 0]


def _cut(volume: Tensor, cube: Cube) -> Tensor:
    """Cut into cubes: (cubes, voxels of a cube). One product of matrices then transforms along all three sides at once."""
    (z, y, x), (dz, dy, dx) = volume.shape, cube
    parts = volume.reshape(z // dz, dz, y // dy, dy, x // dx, dx)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(-1, dz * dy * dx)


def _joined(cubes: Tensor, cube: Cube, counts: tuple[int, int, int]) -> Tensor:
    """Put cubes together again: (slices, rows, columns)."""
    parts = cubes.reshape(*counts, *cube).permute(0, 3, 1, 4, 2, 5)
    return parts.reshape([count * side for count, side in zip(counts, cube, strict=True)])
