"""Random structures: what they promise about size, contrast and chance."""

import numpy as np

from demottle.learning.data.structures import LARGEST, MOST, STRONGEST, random_structures


def test_the_same_seed_draws_the_same_structures() -> None:
    one, two = (random_structures(3, 64, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one[0], one[1])


def test_contrasts_stay_within_their_bounds_and_have_both_signs() -> None:
    drawn = random_structures(40, 64, np.random.default_rng(0))
    assert drawn.shape == (40, 64, 64)
    assert drawn.dtype == np.float32
    assert drawn.min() < -0.5 < 0.5 < drawn.max()
    assert np.abs(drawn).max() <= MOST * STRONGEST


def test_most_of_a_patch_stays_free() -> None:
    """Structures are guests: where none lies nothing is added, and they are no larger than lesions and vessels."""
    drawn = random_structures(40, 256, np.random.default_rng(1))
    assert (drawn == 0).mean() > 0.5
    assert MOST * np.pi * LARGEST**2 < 0.1 * 256**2
