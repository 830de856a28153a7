"""Random simple structures, added alike to what a network sees and to its target.

A network that learns from one scan learns what that scan shows; a lesion of a size and contrast that occurs nowhere in it
would be taken for noise. Structures of known shape teach it that such things exist, and they are the only sharp edges
whose match in the neighboring slice is perfect.
"""

import numpy as np

from demottle.image import Voxels

MOST = 6
SMALLEST, LARGEST = 1.5, 14.0
WEAKEST, STRONGEST = 0.25, 4.0
_BLUR = 0.8  # pixels from inside to outside, about what a CT kernel leaves of an edge


def random_structures(count: int, size: int, random: np.random.Generator) -> Voxels:
    """Draw ellipses and rods of random place, direction, size and sign.

    Args:
        count, size: number and side of the patches.
        random: where the draws come from.

    Returns:
        float32 (count, size, size) in units of the noise level: up to `MOST` structures in a patch, half axes from
        `SMALLEST` to `LARGEST` pixels, contrasts from `WEAKEST` to `STRONGEST`, all uniform in their logarithm.
    """
    return np.stack([_patch(size, random) for _ in range(count)])


def _patch(size: int, random: np.random.Generator) -> Voxels:
    row, column = np.mgrid[:size, :size].astype(np.float32)
    out = np.zeros((size, size), np.float32)
    for _ in range(random.integers(1, MOST + 1)):
        (y, x), angle = random.uniform(0, size, 2), random.uniform(0, np.pi)
        a, b = np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST), 2))
        contrast = np.exp(random.uniform(np.log(WEAKEST), np.log(STRONGEST))) * random.choice([-1, 1])
        if random.random() < 0.25:  # a rod: a vessel along the slice
            b = size
        along = (column - x) * np.cos(angle) + (row - y) * np.sin(angle)
        across = (row - y) * np.cos(angle) - (column - x) * np.sin(angle)
        distance = (1 - np.hypot(across / a, along / b)) * min(a, b)  # to the rim, exact enough near it
        out += np.float32(contrast) * np.clip(0.5 + distance / (2 * _BLUR), 0, 1).astype(np.float32)
    return out
