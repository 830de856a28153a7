"""Volumes at the end of a series that hold noise alone: the scanner was told to send no pulse."""

import numpy as np

from demottle.image import Image
from demottle.methods.low_rank.stack import stack_of
from demottle.noise.mr.rician import FLOOR, FLOOR_DEVIATION

_DIM = 0.5  # of the usual signal where the series is bright
_MOST = 0.25  # of all volumes
_SIDE = 5  # pixels of a block
_RAYLEIGH = FLOOR_DEVIATION / FLOOR
_NEAR = 0.03


def noise_volumes(image: Image) -> int:
    """Return how many of the last volumes are noise alone; 0 where none is, or it cannot be told.

    They are dim where the others are bright, and their magnitudes there are Rayleigh distributed: deviation over mean 0.523 in
    blocks of 5 x 5 pixels, which any signal lowers (0.50 where it is as strong as the noise, 0.41 where twice).
    """
    count = image.shape[0]
    usual = image.voxels.mean(axis=0, dtype=np.float64)
    shown = usual > 0 if image.valid is None else (usual > 0) & image.valid[0]
    if count < 8 or not shown.any():
        return 0
    bright = shown & (usual >= np.median(usual[shown]))
    level = np.array([float(frame[bright].mean(dtype=np.float64)) for frame in image.voxels])
    dim = level < _DIM * np.median(level)
    tail = int(np.argmin(dim[::-1])) if not dim.all() else 0
    if not 0 < tail <= max(1, _MOST * count):
        return 0
    stack = stack_of(image)
    wide, high = stack.columns // _SIDE * _SIDE, stack.rows // _SIDE * _SIDE
    if not wide or not high:
        return 0

    def blocks(frame: np.ndarray) -> np.ndarray:
        cut = stack.volume(frame)[:, :high, :wide]
        return cut.reshape(len(cut), high // _SIDE, _SIDE, wide // _SIDE, _SIDE).swapaxes(2, 3)

    full = blocks(bright.astype(np.float32)).min(axis=(-2, -1)) > 0
    if not full.any():
        return 0
    ratios = []
    for frame in image.voxels[count - tail :]:
        values = blocks(frame)[full].astype(np.float64)
        ratios.append(float(np.mean(values.std(axis=(-2, -1), ddof=1) / values.mean(axis=(-2, -1)).clip(1e-9))))
    return tail if all(abs(ratio - _RAYLEIGH) < _NEAR for ratio in ratios) else 0
