"""What keeps real tissue from being alike everywhere: the grain of organs, strands in fat, the trabeculae of marrow.

Random fields of zero mean, drawn on the grid of the slices: white noise between two Gaussians, so that a field has a scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from demottle.image import Voxels
from demottle.physics.phantoms.body import Tissue


@dataclass(frozen=True)
class Grain:
    """Standard deviation in HU before any blur, and the size in mm of what is seen: half of a wavelength."""

    hu: float
    size_mm: float


GRAIN: Mapping[int, Grain] = {
    Tissue.SKIN: Grain(6, 3.0),
    Tissue.FAT: Grain(7, 3.5),
    Tissue.MUSCLE: Grain(6, 3.0),
    Tissue.BONE: Grain(120, 1.2),
    Tissue.MARROW: Grain(200, 1.2),
    Tissue.LUNG: Grain(30, 2.0),
    Tissue.LIVER: Grain(4, 3.0),
    Tissue.SPLEEN: Grain(4, 3.0),
    Tissue.KIDNEY: Grain(5, 3.0),
    Tissue.PANCREAS: Grain(8, 3.0),
    Tissue.HEART: Grain(5, 4.0),
    Tissue.BRAIN: Grain(1.5, 3.0),
}
_EDGE = 0.7  # pixels: the passage from one tissue's grain to the next
_BLUR_MM = 0.4  # of the scanner, within slices


def random_field(shape: tuple[int, int, int], spacing: tuple[float, float, float], size_mm: float, seed: int) -> Voxels:
    """Return a random field as a scanner shows it (slices, rows, columns), whose grains are about `size_mm` wide.

    Its variance is 1 before the scanner's blur and the mean over a voxel, and less after: white noise between two Gaussians of
    0.4 and 0.8 of that width, both widened by a Gaussian as wide as blur and voxel.
    """
    white = np.random.default_rng([seed, 0x7E]).standard_normal(shape, dtype=np.float32)
    blur = [
        float(np.hypot(step / np.sqrt(12), apart)) for step, apart in zip(spacing, (0, _BLUR_MM, _BLUR_MM), strict=True)
    ]
    narrow, wide = (
        gaussian_filter(
            white, [np.hypot(factor * size_mm, b) / step for b, step in zip(blur, spacing, strict=True)], mode="wrap"
        )
        for factor in (0.4, 0.8)
    )
    band = narrow - wide
    left = np.sqrt(_variance(size_mm, blur) / _variance(size_mm, [0.0] * 3))
    return np.asarray(band * (left / max(float(band.std()), 1e-6)), np.float32)


def _variance(size_mm: float, blur: Sequence[float]) -> float:
    """Power of the field after a blur, in any unit: the integral of the squared difference of both Gaussians."""
    one, two = (0.4 * size_mm) ** 2, (0.8 * size_mm) ** 2

    def together(sum_of_squares: float) -> float:
        return float(np.prod([(sum_of_squares + 2 * b**2) ** -0.5 for b in blur]))

    return together(2 * one) - 2 * together(one + two) + together(2 * two)


def textured(
    voxels: Voxels, tissue: NDArray[np.uint8], spacing: tuple[float, float, float], seed: int, strength: float = 1.0
) -> Voxels:
    """Return slices with the grain of their tissues, whose labels (slices, rows, columns) are as in `Tissue`.

    `strength`: share of the grain in `GRAIN`.
    """
    out = voxels.copy()
    for label, grain in GRAIN.items():
        inside = tissue == label
        if inside.any():
            share = gaussian_filter(inside.astype(np.float32), (0, _EDGE, _EDGE))
            out += (
                strength
                * grain.hu
                * share
                * inside
                * random_field(voxels.shape, spacing, grain.size_mm, seed + int(label))
            )
    return out
