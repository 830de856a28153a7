"""Two simulated patients a side, small enough for a training of some steps."""

from pathlib import Path

import numpy as np

from demottle.image import Image
from demottle.learning.data.cohort import Sets
from demottle.learning.data.dataset import Choices, entries_of, sets_of


def small_sets(folder: Path, paired: bool = False, shift: float = 0.0) -> Sets:
    """Low dose with 40 HU of noise, full dose with 10 HU and `shift` HU added; other patients unless paired."""
    low = [(f"p{n}", scan_of(n, 40.0)) for n in range(2)]
    full = [(f"p{n}", scan_of(n if paired else n + 2, 10.0, shift)) for n in range(2)]
    return sets_of(entries_of(low), entries_of(full), folder, Choices(paired=paired))


def scan_of(number: int, level: float, shift: float = 0.0) -> Image:
    """Water-like ellipse with organs of other density, white noise."""
    random = np.random.default_rng(number)
    z, y, x = np.ogrid[0:3, -48:48, -48:48]
    voxels = np.where((y / 36) ** 2 + (x / 42) ** 2 < 1, 40.0, -1000.0) + 0.0 * z
    for _ in range(8):
        (row, column), radius = random.uniform(-24, 24, 2), random.uniform(3, 9)
        voxels[:, np.hypot(y - row, x - column)[0] < radius] = random.uniform(-100, 300)
    voxels = voxels + np.random.default_rng([number, int(level)]).normal(shift, level, voxels.shape)
    return Image(np.rint(voxels).astype(np.float32), (3.0, 2.2, 2.2), "CT", "HU")
