"""How much noise went is told of places that hold noise, and of nothing where there are none."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from demottle.image import Image
from demottle.quality.check.level import noise_levels


def mr(texture: float) -> tuple[Image, Image]:
    """A small MR volume full of fine anatomy of that strength, with noise of 5; and the same with half of the noise."""
    random = np.random.default_rng(6)
    fine = gaussian_filter(random.standard_normal((5, 64, 64)), (0, 1, 1))
    truth, noise = 400 + texture * fine / fine.std(), 5 * random.standard_normal(fine.shape)
    before, after = (Image((truth + part).astype(np.float32), (3, 1, 1), "MR", "") for part in (noise, noise / 2))
    return before, after


def test_of_mr_the_noise_is_told_where_there_is_noise_alone() -> None:
    levels = noise_levels(*mr(0.0), known=5.0)
    assert abs(levels.before - 5) < 0.6 and abs(levels.removed_share - 0.5) < 0.05


def test_nothing_is_told_of_mr_where_all_flat_places_hold_anatomy() -> None:
    before, after = mr(25.0)
    assert math.isnan(noise_levels(before, after, known=5.0).removed_share)
    assert noise_levels(before, after).before > 10  # without the other measurements anatomy passes for noise
