"""Wiener shrinkage in overlapping windows of several slices, against a known noise spectrum. Nothing is learned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional

from demottle.image import Voxels
from demottle.networks.windowed_wiener import expected_power, pad_slices, root_taper

_LEAST_SHARE = 0.02
"""Of the noise's variance, in a pattern along the slices: where slices share all of it, the others would have none at all."""
_ROWS = 24
"""Rows of windows that are transformed at once: of all windows of a large slice the transforms need gigabytes."""
_EVEN = 1e-3
"""Noise, as a share of what went in, below which a window's result is not weighted higher any more."""


@dataclass(frozen=True)
class Pass:
    """One filtering of the volume: `window` pixels aside, of which `overlap` in each direction cover a pixel."""

    window: int
    overlap: int


def volume_wiener(
    volume: Voxels,
    deviation: Voxels,
    spectrum: NDArray[np.floating],
    rho: Sequence[float],
    passes: Sequence[Pass],
    depth: int = 4,
    threshold: float = 2.3,
    lies: tuple[int, int] | None = None,
    told: Callable[[float], None] = lambda share: None,
) -> Voxels:
    """Return a volume without most of its noise.

    Every window is tapered, Fourier transformed in its slices and cosine transformed along them. With X a coefficient and N the
    noise power expected there, the first pass keeps the coefficient if `|X|^2 > threshold^2 N` and drops it otherwise; the others
    multiply it by `S / (S + N)`, S being the power that the result of the pass before has there. The window's mean is kept.
    Windows that were left with less noise count more (by one over its variance).

    Args:
        volume: (slices, rows, columns), without holes.
        deviation: standard deviation of the noise at each voxel; as `volume`.
        spectrum: noise power per frequency in a slice, (n, n) in FFT order, in any unit: only its shape counts.
        rho: correlation of the noise of slices 1, 2, ... apart; 0 beyond those that are given.
        passes: windows, the first first.
        depth: slices of a window, at least 1; no more than there are.
        threshold: significance in the first pass, in standard deviations of the noise.
        lies: where the volume is a part of a larger one, the number of its first slice in that, and how many that has: slices
            that are `reach(passes, depth)` from the part's ends come out as they would in the whole.
        told: called with the share of the work that is done, in (0, 1].
    """
    depth = min(depth, lies[1] if lies else volume.shape[0])
    basis = np.atleast_2d(dct(np.eye(depth), axis=0, norm="ortho"))
    known = [1.0, *(float(value) for value in rho), *([0.0] * depth)]
    shared = np.array([[known[abs(i - j)] for j in range(depth)] for i in range(depth)])
    along = np.maximum(np.einsum("ki,ij,kj->k", basis, shared, basis), _LEAST_SHARE)
    above, slices = lies or (0, volume.shape[0])
    starts = [first - above for first in _starts(slices, depth) if above <= first <= above + volume.shape[0] - depth]
    noisy, level, result = torch.from_numpy(volume), torch.from_numpy(deviation), None
    for done, each in enumerate(passes):
        filtered = _Windows(each, spectrum, basis, along, threshold)
        with torch.inference_mode():
            result = filtered(noisy, level, result, starts)
        told((done + 1) / len(passes))
    out: Voxels = (noisy if result is None else result).numpy()
    return out


def reach(passes: Sequence[Pass], depth: int) -> int:
    """Return how many slices away a slice has a say."""
    return len(passes) * (depth - 1)


class _Windows:
    """A pass with all that does not change from place to place."""

    def __init__(
        self,
        each: Pass,
        spectrum: NDArray[np.floating],
        basis: NDArray[np.floating],
        along: NDArray[np.floating],
        threshold: float,
    ) -> None:
        self.size, self.step, self.threshold = each.window, each.window // each.overlap, threshold
        taper = root_taper(self.size)
        power = expected_power(spectrum, taper).astype(np.float32)
        self.taper = torch.from_numpy(taper.astype(np.float32))
        self.basis = torch.from_numpy(basis.astype(np.float32)).to(torch.complex64)
        self.power = torch.from_numpy(along.astype(np.float32))[:, None, None, None, None] * torch.from_numpy(power)

    def __call__(self, volume: Tensor, deviation: Tensor, pilot: Tensor | None, starts: Sequence[int]) -> Tensor:
        """Return the filtered volume (slices, rows, columns), by windows with these first slices."""
        size, step = self.size, self.step
        rows, columns = volume.shape[-2:]
        pad = (size, size + (-columns) % step, size, size + (-rows) % step)
        padded, around = pad_slices(volume, pad), pad_slices(deviation, pad)
        hinted = pad_slices(pilot, pad) if pilot is not None else None
        total, weight = torch.zeros_like(padded), torch.zeros_like(padded)
        depth = len(self.basis)
        down = (padded.shape[1] - size) // step + 1
        for top in range(0, down, _ROWS):
            low, high = top * step, (min(top + _ROWS, down) - 1) * step + size
            for first in starts:
                here = (slice(first, first + depth), slice(low, high))
                found, sure = self._slab(padded[here], around[here], None if hinted is None else hinted[here])
                total[here] += found
                weight[here] += sure
        total /= weight.clamp(min=1e-20)
        return total[:, size : size + rows, size : size + columns].contiguous()

    def _slab(self, noisy: Tensor, deviation: Tensor, pilot: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the weighted results of all windows of a slab (slices, rows, columns), added up, and their weights."""
        size, step = self.size, self.step
        blocks = noisy.unfold(1, size, step).unfold(2, size, step)
        down, across = blocks.shape[1:3]
        middle = slice(size // 2, None, step)
        local = (deviation**2).mean(0)[middle, middle][None, :down, :across, None, None]
        mean = blocks.mean((0, 3, 4), keepdim=True)
        coefficients = self._transform(blocks - mean)
        noise = local * self.power
        if pilot is None:
            observed = coefficients.real**2 + coefficients.imag**2
            gain = (observed > self.threshold**2 * noise).to(observed.dtype)
        else:
            hint = self._transform(pilot.unfold(1, size, step).unfold(2, size, step) - mean)
            signal = hint.real**2 + hint.imag**2
            gain = signal / (signal + noise).clamp(min=1e-20)
        left = (gain**2 * noise).mean((0, 3, 4)) + _EVEN * noise.mean((0, 3, 4))
        sure = (1 / left.clamp(min=1e-20))[None, ..., None, None]
        back = torch.einsum("kd,kabij->dabij", self.basis, coefficients * gain)
        cleaned = torch.fft.irfft2(back, s=(size, size)) * self.taper + mean * self.taper**2
        shape = noisy.shape[-2:]
        worth = self._overlap_add((self.taper**2 * sure).expand(1, down, across, size, size), shape)
        return self._overlap_add(cleaned * sure, shape), worth

    def _transform(self, blocks: Tensor) -> Tensor:
        return torch.einsum("kd,dabij->kabij", self.basis, torch.fft.rfft2(blocks * self.taper))

    def _overlap_add(self, blocks: Tensor, shape: torch.Size) -> Tensor:
        columns = blocks.flatten(1, 2).flatten(2).transpose(1, 2)
        return functional.fold(columns, (shape[0], shape[1]), self.size, stride=self.step)[:, 0]


def _starts(slices: int, depth: int) -> list[int]:
    """First slices of the windows, half a window apart, the same seen from the last slice."""
    last = slices - depth
    front = range(0, last // 2 + 1, max(depth // 2, 1))
    return sorted({*front, *(last - first for first in front)})
