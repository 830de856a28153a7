"""Square blocks of a slice and their transforms."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.windows import hann

SIDE = 32
STEP = 2
"""Bins of a block's transform that one ring of frequencies is wide."""
RINGS = SIDE // 2 // STEP
_DOWN, _RIGHT = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
FREQUENCY = np.hypot(_DOWN, _RIGHT)
RING = np.rint(FREQUENCY * SIDE / STEP).astype(int)
"""The ring of each bin of a block's transform; 1 to `RINGS` count."""
_WINDOW = np.outer(hann(SIDE), hann(SIDE)).astype(np.float32)
_RANGE_HU = (-1000.0, 1500.0)  # metal and its streaks would decide alone
_INSIDE, _PARTLY, _FEW = 0.98, 0.5, 4

Waves = NDArray[np.complex64]
"""Transforms of blocks, (blocks, 32, 17)."""


def blocks_of(plane: Voxels) -> NDArray[np.float32]:
    """Return the half-overlapping blocks of a plane (blocks, 32, 32)."""
    half = SIDE // 2
    return sliding_window_view(plane, (SIDE, SIDE))[::half, ::half].reshape(-1, SIDE, SIDE)


def waves_of(plane: Voxels, chosen: Mask) -> Waves:
    """Return the transforms of chosen blocks less their mean, under a Hann window."""
    cut = blocks_of(np.clip(np.nan_to_num(plane), *_RANGE_HU).astype(np.float32))[chosen]
    return np.asarray(fft.rfft2((cut - cut.mean(axis=(1, 2), keepdims=True)) * _WINDOW), np.complex64)


def blocks_in_body(image: Image, z: int) -> Mask:
    """Return which blocks of a slice lie in the body; where hardly any does, those half in it."""
    inside = body_plane(guide.smooth(np.nan_to_num(image.voxels[z])), "HU")
    if image.valid is not None:
        inside &= image.valid[z]
    share = blocks_of(inside.astype(np.float32)).mean(axis=(1, 2))
    whole: Mask = share > _INSIDE
    return whole if whole.sum() >= _FEW else share > _PARTLY


def by_ring(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the sums over rings of frequencies 1 to `RINGS`, (blocks, rings)."""
    sums = [power[:, ring == RING].sum(axis=1, dtype=np.float64) for ring in range(1, RINGS + 1)]
    return np.stack(sums, axis=1)
