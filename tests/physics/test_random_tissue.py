"""Random tissue: CT numbers of a body, other ones every time, edges of all strengths."""

import numpy as np
import pytest

from demottle.physics.phantoms.random_tissue import random_tissue


@pytest.fixture(scope="module")
def patches() -> np.ndarray:
    random = np.random.default_rng(0)
    return np.stack([random_tissue(64, random) for _ in range(200)])


def test_ct_numbers_are_those_of_a_body(patches: np.ndarray) -> None:
    assert patches.dtype == np.float32
    assert patches.shape == (200, 64, 64)
    assert patches.min() > -1100
    assert patches.max() < 2200
    for low, high in ((-130, -70), (30, 130), (-1000, -700)):
        assert ((patches > low) & (patches < high)).any(axis=(1, 2)).mean() > 0.1


def test_the_seed_repeats_it_and_patches_differ() -> None:
    one, two = (random_tissue(64, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, random_tissue(64, np.random.default_rng(4)))


def test_edges_are_faint_and_strong(patches: np.ndarray) -> None:
    steps = np.abs(np.diff(patches, axis=2))
    assert np.quantile(steps, 0.5) < 3  # most of it is smooth: free of noise
    assert np.quantile(steps, 0.999) > 100
    assert ((steps > 5) & (steps < 40)).mean() > 0.02
