"""What keeps real tissue from being alike everywhere: the grain of organs, strands in fat, the trabeculae of marrow.

Random fields of zero mean, drawn on the grid of the slices: white noise between two Gaussians, so that a field has a scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from demottle.image import Voxels
from demottle.physics.body import Tissue


@dataclass(frozen=True)
class Grain:
    """Standard deviation in HU, and the size in mm of what is seen: half of a wavelength."""

    hu: float
    size_mm: float


GRAIN: Mapping[int, Grain] = {
    Tissue.SKIN: Grain(6, 3.0),
    Tissue.FAT: Grain(7, 3.5),
    Tissue.MUSCLE: Grain(6, 3.0),
    Tissue.BONE: Grain(50, 1.2),
    Tissue.MARROW: Grain(75, 1.0),
    Tissue.LUNG: Grain(22, 2.0),
    Tissue.LIVER: Grain(4, 3.0),
    Tissue.SPLEEN: Grain(4, 3.0),
    Tissue.KIDNEY: Grain(5, 3.0),
    Tissue.PANCREAS: Grain(8, 3.0),
    Tissue.HEART: Grain(5, 4.0),
    Tissue.BRAIN: Grain(1.5, 3.0),
}
_EDGE = 0.7  # pixels: the passage from one tissue's grain to the next


def random_field(shape: tuple[int, int, int], spacing: tuple[float, float, float], size_mm: float, seed: int) -> Voxels:
    """Return a random field of unit variance whose grains are about `size_mm` wide (slices, rows, columns).

    A band between two Gaussians of 0.4 and 0.8 of that width. What is finer than slices are apart differs from one to the next.
    """
    random = np.random.default_rng([seed, 0x7E])
    white = random.standard_normal(shape, dtype=np.float32)
    narrow, wide = (
        gaussian_filter(white, [factor * size_mm / step for step in spacing], mode="wrap") for factor in (0.4, 0.8)
    )
    band = narrow - wide
    return np.asarray(band / max(float(band.std()), 1e-6), np.float32)


def textured(voxels: Voxels, tissue: NDArray[np.uint8], spacing: tuple[float, float, float], seed: int) -> Voxels:
    """Return slices with the grain of their tissues, whose labels (slices, rows, columns) are as in `Tissue`."""
    out = voxels.copy()
    for label, grain in GRAIN.items():
        inside = tissue == label
        if inside.any():
            share = gaussian_filter(inside.astype(np.float32), (0, _EDGE, _EDGE))
            out += grain.hu * share * inside * random_field(voxels.shape, spacing, grain.size_mm, seed + int(label))
    return out
