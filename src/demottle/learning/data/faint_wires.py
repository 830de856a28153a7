"""Thin faint wires, added alike to what a network sees and to its target, so that it learns to keep them."""

import numpy as np

from demottle.image import Voxels

MOST = 4
FAINTEST, DEEPEST = 0.6, 4.0
NARROWEST, WIDEST = 0.7, 1.6
"""Pixels, where a wire's depth has fallen to 1 / e."""
_SHORTEST = 12.0  # pixels
_BENT = 60.0  # pixels: least radius of their curvature


def faint_wires(count: int, size: int, random: np.random.Generator) -> Voxels:
    """Draw bent wires of random place, direction, length, width and depth.

    Args:
        count, size: number and side of the patches.
        random: where the draws come from.

    Returns:
        float32 (count, size, size) in units of the noise level: up to `MOST` wires in a patch, all of one sign, depths from
        `FAINTEST` to `DEEPEST`, uniform in their logarithm; four patches in five are dark, as metal is.
    """
    return np.stack([_patch(size, random) for _ in range(count)])


def _patch(size: int, random: np.random.Generator) -> Voxels:
    row, column = np.mgrid[:size, :size].astype(np.float32)
    out = np.zeros((size, size), np.float32)
    for _ in range(random.integers(1, MOST + 1)):
        (y, x), angle = random.uniform(0, size, 2), random.uniform(0, np.pi)
        along = (column - x) * np.cos(angle) + (row - y) * np.sin(angle)
        across = (row - y) * np.cos(angle) - (column - x) * np.sin(angle)
        across = across - along**2 / 2 * random.uniform(-1, 1) / _BENT
        half, width = random.uniform(_SHORTEST, size) / 2, random.uniform(NARROWEST, WIDEST)
        ends = 1 / (1 + np.exp(np.clip(np.abs(along) - half, -30, 30)))
        depth = np.exp(random.uniform(np.log(FAINTEST), np.log(DEEPEST)))
        out = np.maximum(out, np.float32(depth) * ends * np.exp(-((across / width) ** 2)))
    return np.asarray(out if random.random() < 0.2 else -out, np.float32)
