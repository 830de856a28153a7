"""Small images with known contents for these tests: no files, seeded noise."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from demottle.image import Image

Array = NDArray[np.float32]
SPACING = (3.0, 0.8, 0.8)


def ct(voxels: NDArray[np.floating], spacing: tuple[float, float, float] = SPACING) -> Image:
    return Image(voxels.astype(np.float32), spacing, "CT", "HU")


def noise(shape: tuple[int, ...], sigma: float = 20.0, blur: float = 0.8, seed: int = 0) -> Array:
    """Noise correlated within slices, as reconstructions have it, of a given standard deviation."""
    white = np.random.default_rng(seed).standard_normal(shape)
    colored = gaussian_filter(white, (0, blur, blur), mode="wrap")
    return (colored * sigma / colored.std()).astype(np.float32)


def body(slices: int = 12, size: int = 192) -> Array:
    """A cylinder of soft tissue (60 HU) in air with fat (-100), fluid (8), an enhanced vessel (220), lung (-800), bone."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    plane = np.full((size, size), -1000.0)
    plane[np.hypot(y, x) < 0.46] = 60
    for row, column, radius, value in (
        (-0.2, -0.2, 0.12, -100),
        (-0.2, 0.2, 0.12, 8),
        (0.2, -0.2, 0.1, 220),
        (0.2, 0.2, 0.12, -800),
        (0.3, 0.0, 0.05, 900),
    ):
        plane[np.hypot(y - row, x - column) < radius] = value
    plane = gaussian_filter(plane, 0.7)
    return np.repeat(plane[None], slices, axis=0).astype(np.float32)
