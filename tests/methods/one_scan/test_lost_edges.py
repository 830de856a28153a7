"""Edges that a method blurred come back from the scan, and noise hardly does."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.image import Image, Voxels
from demottle.methods.one_scan.lost_edges import put_edges_back
from demottle.noise.correlation import Correlation

SHAPE, SPACING, LEVEL = (5, 96, 96), (3.0, 1.0, 1.0), 30.0
ALONE = Correlation((0.0, 0.0), 0.0, 9216)
RADIUS, CONTRAST = 12.0, 35.0


def scan(voxels: Voxels) -> Image:
    return Image(voxels.astype(np.float32), SPACING, "CT", "HU")


def away() -> Voxels:
    """Distance of every pixel from the middle of the slice."""
    side = np.arange(96) - 47.5
    return np.hypot(side[:, None], side[None, :])


def disc(slices: slice = slice(None)) -> Voxels:
    """A disc in soft tissue, as sharp as CT is, in some of the slices."""
    plain = np.full(SHAPE, 50.0)
    plain[slices] += CONTRAST * (away() < RADIUS)
    return gaussian_filter(plain, [0, 0.7, 0.7])


def grain(seed: int, pixels: float = 0.7) -> Voxels:
    drawn = gaussian_filter(np.random.default_rng(seed).normal(0, 1, SHAPE), [0, pixels, pixels])
    return drawn / drawn.std()


def test_without_noise_a_scan_stays_as_it_is() -> None:
    sharp = scan(disc())
    for level in (LEVEL, 0.0, float("nan")):
        assert np.array_equal(put_edges_back(sharp, sharp, ALONE, level).voxels, sharp.voxels)


def test_of_pure_noise_next_to_nothing_comes_back() -> None:
    noisy = scan(50 + LEVEL * grain(1))
    clean = scan(50 + 0.1 * LEVEL * grain(2, 2.0))  # a tenth is left, as by the default
    back = put_edges_back(noisy, clean, ALONE, LEVEL).voxels - clean.voxels
    assert back.std() < 0.1 * LEVEL


def test_the_edge_of_a_faint_disc_comes_back() -> None:
    truth = disc()
    blurred = gaussian_filter(truth, [0, 2.5, 2.5]) + 0.05 * LEVEL * grain(2, 2.0)
    made = put_edges_back(scan(truth + LEVEL * grain(1)), scan(blurred), ALONE, LEVEL).voxels
    profile = {}
    for name, voxels in (("truth", truth), ("blurred", blurred), ("made", made)):
        ring = [voxels[:, np.abs(away() - RADIUS - at) < 0.5].mean() for at in (-1.5, 1.5)]
        profile[name] = ring[0] - ring[1]
    lost = profile["truth"] - profile["blurred"]
    assert lost > 8
    assert profile["made"] - profile["blurred"] == pytest.approx(lost, rel=0.3)
    flat = away() > RADIUS + 10
    assert (made - truth)[:, flat].std() < 0.15 * LEVEL


def test_a_slice_gets_nothing_of_its_neighbors_lesion() -> None:
    truth = disc(slice(2, 3))
    made = put_edges_back(scan(truth), scan(gaussian_filter(truth, [0, 2.5, 2.5])), ALONE, 10.0).voxels
    assert np.abs(made[[1, 3]] - 50).max() < 0.5
    assert np.abs(made[2] - truth[2]).max() < np.abs(gaussian_filter(truth, [0, 2.5, 2.5]) - truth)[2].max() / 2


def test_what_was_given_is_left_as_it_was() -> None:
    before, clean = scan(disc() + LEVEL * grain(1)), scan(gaussian_filter(disc(), [0, 2.5, 2.5]))
    copies = before.voxels.copy(), clean.voxels.copy()
    put_edges_back(before, clean, ALONE, LEVEL)
    assert np.array_equal(before.voxels, copies[0])
    assert np.array_equal(clean.voxels, copies[1])
