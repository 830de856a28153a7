"""Tissues come back to the mean CT number they had; nothing else moves."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.image import Image
from demottle.methods.one_scan.calibration import keep_ct_numbers, measured_shift

TISSUES = {"fat": -100.0, "fluid": 10.0, "muscle": 60.0}


def scan(unit: str = "HU", seed: int = 0) -> tuple[Image, np.ndarray]:
    """Three bands of tissue and one of bone in noise of 30, and what they truly are."""
    truth = np.repeat(np.array([*TISSUES.values(), 800.0], np.float32), 40)[None, :, None] * np.ones(
        (6, 1, 160), np.float32
    )
    noise = np.random.default_rng(seed).normal(0, 30, truth.shape).astype(np.float32)
    return Image(truth + noise, (3, 1, 1), "CT", unit), truth


def everywhere(index: int) -> np.ndarray:
    return np.ones((160, 160), np.float32)


def test_a_shifted_tissue_returns_to_its_mean() -> None:
    image, truth = scan()
    clean = truth.copy()
    clean[truth == 60] -= 3.0
    clean[truth == -100] += 2.0
    keep_ct_numbers(image, clean, everywhere)
    for number in TISSUES.values():
        assert clean[truth == number].mean() == pytest.approx(number, abs=0.4)


def test_a_shift_shows_on_a_single_slice() -> None:
    image, truth = scan()
    one, clean = image.part(0, 1), truth[:1].copy()
    clean[clean == 60] -= 6.0
    keep_ct_numbers(one, clean, everywhere)
    assert clean[truth[:1] == 60].mean() == pytest.approx(60, abs=1.5)


def test_a_single_slice_is_not_moved_by_its_noise() -> None:
    moved = []
    for seed in range(8):
        image, truth = scan(seed=seed)
        clean = truth[:1].copy()
        keep_ct_numbers(image.part(0, 1), clean, everywhere)
        moved.append(np.abs(clean - truth[:1]).max())
    assert max(moved) < 1.5 and np.median(moved) < 0.8  # 30 HU over some 5,000 voxels: a standard error of 0.4


def test_bone_and_what_must_not_change_stay() -> None:
    image, truth = scan()
    clean = truth - 3.0
    keep_ct_numbers(image, clean, lambda index: (truth[index] < 50).astype(np.float32))
    assert np.array_equal(clean[truth >= 60], truth[truth >= 60] - 3.0)


def test_a_shift_that_noise_explains_is_no_shift() -> None:
    image, truth = scan()
    found = measured_shift(image, truth, lambda index: everywhere(index) >= 1)
    assert np.abs(found.amount).max() < 0.25  # three standard errors of 30 HU over some 28,000 voxels are 0.5


def test_white_matter_beside_the_end_of_its_range_is_not_moved_by_what_slices_share() -> None:
    """The range begins at 24 HU: of 29 HU it takes the voxels that noise makes brighter, noise that slices share."""
    truth = np.full((14, 200, 200), 29.0, np.float32)
    noise = gaussian_filter(np.random.default_rng(1).normal(0, 1, truth.shape), (0, 0.7, 0.7))
    before = (truth + noise * 30 / noise.std()).astype(np.float32)
    clean = gaussian_filter(before, (0.8, 2, 2))
    moved = clean.copy()
    keep_ct_numbers(Image(before, (3, 1, 1), "CT", "HU"), moved, lambda index: np.ones((200, 200), np.float32))
    assert abs((moved - clean).mean()) < 0.3


def test_without_hounsfield_units_nothing_moves() -> None:
    image, truth = scan(unit="arbitrary")
    clean = truth - 3.0
    keep_ct_numbers(image, clean, everywhere)
    assert np.array_equal(clean, truth - 3.0)


def test_fat_under_the_skin_gets_its_shift_back_and_deeper_fat_none_of_it() -> None:
    truth = np.full((6, 160, 160), 60.0, np.float32)
    truth[:, :, :20], truth[:, :, 20:60] = -1000.0, -100.0
    noise = np.random.default_rng(3).normal(0, 20, truth.shape).astype(np.float32)
    image = Image(truth + noise, (3, 2.2, 2.2), "CT", "HU")
    clean = truth.copy()
    clean[:, :, 20:22] += 4.0  # what is told apart are the pixels 21 and 22
    keep_ct_numbers(image, clean, everywhere)
    moved = (clean - truth).mean((0, 1))
    assert np.abs(moved[21:58]).max() < 0.4
