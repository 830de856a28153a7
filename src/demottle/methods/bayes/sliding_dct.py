"""A first look at a volume: cosine transforms of all cubes, small coefficients set to zero, then a Wiener filter by what is left.

After Yaroslavsky (1996) and, for MR volumes, Manjon et al. (Medical Image Analysis 2012); theirs takes the noise as white, here
every coefficient is judged by the noise that this very pattern has.
"""

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
    every: int = 1,
) -> Tensor:
    """Return a volume (slices, rows, columns) without most of its noise, on the processor.

    Args:
        volume: in units of the local noise level; no side smaller than the cube's.
        covariance: covariance of that noise in a cube (n, n).
        cube: its sides.
        threshold: standard deviations of a coefficient's noise below which it counts as noise.
        device: where to compute.
        every: cubes at this share of all places, spread evenly (`z + y + x` a multiple of it); as many times faster.
    """
    patterns = _patterns(cube)
    variances = np.einsum("ij,jk,ik->i", patterns, covariance, patterns)
    deviation = torch.from_numpy(np.sqrt(np.maximum(variances, 1e-12)).astype(np.float32)).to(device)
    basis = torch.from_numpy(patterns.astype(np.float32)).to(device)
    margin, slices = 2 * (cube[0] - 1), volume.shape[0]
    out = torch.empty_like(volume)
    for first in range(0, slices, _SLAB):
        low, high = max(0, first - margin), min(slices, first + _SLAB + margin)
        slab = volume[low:high].to(device)
        pilot = _filtered(slab, basis, cube, deviation, threshold, None, every)
        done = _filtered(slab, basis, cube, deviation, threshold, pilot, every)
        out[first : first + _SLAB] = done[first - low : first - low + _SLAB].cpu()
    return out


def _patterns(cube: Cube) -> NDArray[np.float64]:
    """Return the cosine patterns of a cube, a row each, the mean first; all lengths are 1."""
    patterns = np.ones((1, 1))
    for side in cube:
        patterns = np.kron(patterns, dct(np.eye(side), axis=0, norm="ortho"))
    return patterns


def _filtered(
    volume: Tensor, basis: Tensor, cube: Cube, deviation: Tensor, threshold: float, pilot: Tensor | None, every: int
) -> Tensor:
    """Shrink the coefficients of every cube at every place; a voxel is the mean of all cubes it lies in."""
    padded, first = _padded(volume, cube)
    known = None if pilot is None else _padded(pilot, cube)[0]
    total, weights = torch.zeros_like(padded), torch.zeros_like(padded)
    counts = [(whole - side + 1) // side for whole, side in zip(padded.shape, cube, strict=True)]
    for shift in product(*(range(side) for side in cube)):
        if sum(shift) % every:
            continue
        at = tuple(slice(s, s + n * k) for s, n, k in zip(shift, counts, cube, strict=True))
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
    z, y, x = (slice(f, f + n) for f, n in zip(first, volume.shape, strict=True))
    return (total / weights)[z, y, x]


def _padded(volume: Tensor, cube: Cube) -> tuple[Tensor, list[int]]:
    """Mirror the volume at its borders, so that every voxel lies in as many cubes; returns where it begins, too."""
    pads = [(side - 1, side - 1 + (-(n + 2 * (side - 1))) % side) for n, side in zip(volume.shape, cube, strict=True)]
    flat = [width for pair in reversed(pads) for width in pair]
    mode = "reflect" if all(max(pair) < n for pair, n in zip(pads, volume.shape, strict=True)) else "replicate"
    return functional.pad(volume[None, None], flat, mode=mode)[0, 0], [before for before, _ in pads]


def _cut(volume: Tensor, cube: Cube) -> Tensor:
    """Cut into cubes: (cubes, voxels of a cube). One product of matrices then transforms along all three sides at once."""
    (z, y, x), (dz, dy, dx) = volume.shape, cube
    parts = volume.reshape(z // dz, dz, y // dy, dy, x // dx, dx)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(-1, dz * dy * dx)


def _joined(cubes: Tensor, cube: Cube, counts: list[int]) -> Tensor:
    """Put cubes together again: (slices, rows, columns)."""
    parts = cubes.reshape(*counts, *cube).permute(0, 3, 1, 4, 2, 5)
    return parts.reshape([count * side for count, side in zip(counts, cube, strict=True)])
