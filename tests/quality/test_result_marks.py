"""Tissue marked on the result: what a method did to it is told, where it did it, and what marking selects is not taken for it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import body, ct, noise

from demottle.noise.fat_layers import BONE, SKIN, fat_layers
from demottle.quality.check.shifts import TissueShift, tissue_shifts

SPACING = (3.0, 1.0, 1.0)


def head(slices: int = 8, size: int = 160) -> np.ndarray:
    """From outside: skin, fat at the skin, muscle, fat at bone, skull, brain with fluid in its middle."""
    away = np.hypot(*np.meshgrid(*[np.arange(size) - (size - 1) / 2] * 2))
    plane = np.full((size, size), -1000.0, np.float32)
    for radius, hu in ((76, 45), (74, -100), (64, 55), (58, -100), (51, 1000), (46, 36), (14, 8)):
        plane[away < radius] = hu
    return np.repeat(gaussian_filter(plane, 0.5)[None], slices, axis=0)


def denoised(truth: np.ndarray, noisy: np.ndarray, kept: float = 0.12) -> np.ndarray:
    """A method that leaves a smooth part of the noise, as networks do."""
    return truth + kept * 6 * gaussian_filter(noisy - truth, (0, 2, 2))


def told(before: np.ndarray, after: np.ndarray) -> dict[str, TissueShift]:
    found = tissue_shifts(ct(before, SPACING), ct(after, SPACING))
    return {shift.name: shift for shift in found}


def test_fat_at_the_skin_and_at_bone_are_told_apart() -> None:
    plane = head(1)[0]
    labels = fat_layers(plane, SPACING[1:])
    away = np.hypot(*np.meshgrid(*[np.arange(160) - 79.5] * 2))
    assert {int(v) for v in np.unique(labels[away > 63])} == {0, SKIN}
    assert {int(v) for v in np.unique(labels[away < 60])} == {0, BONE}
    assert (plane[labels > 0] < -60).all()


@pytest.mark.parametrize("layer", ["fat at the skin", "fat at bone"])
def test_a_shift_of_one_thin_layer_of_fat_is_told_there_alone(layer: str) -> None:
    truth = head()
    before = truth + noise(truth.shape, 25, blur=0.7)
    after = denoised(truth, before)
    plain = told(before, after)
    assert all(abs(shift.shift) < 0.6 for name, shift in plain.items() if name != "air")
    number = {"fat at the skin": SKIN, "fat at bone": BONE}[layer]
    where = fat_layers(truth[0], SPACING[1:]) == number
    after[:, where] += 2
    moved = told(before, after)
    assert moved[layer].shift - plain[layer].shift == pytest.approx(2, abs=0.3)
    assert moved[layer].ci_low > 1
    for name in {"fat at the skin", "fat at bone", "soft tissue"} - {layer}:
        assert abs(moved[name].shift - plain[name].shift) < 0.3


def test_a_tissue_that_was_moved_out_of_its_range_is_still_found() -> None:
    truth = body(8)
    before = truth + noise(truth.shape, 20)
    after = np.where(np.abs(truth + 100) < 30, truth + 60, truth).astype(np.float32)
    assert told(before, after)["fat"].ci_low > 10


@pytest.mark.parametrize("along", [0, 0.8])
@pytest.mark.parametrize("value", [24.0, 115.0])
def test_tissue_at_the_end_of_its_range_shows_no_shift_though_half_of_it_is_marked(value: float, along: float) -> None:
    """Of tissue at the limit the mark takes voxels whose noise has one sign; a mean over them moves by several HU.

    So it is where a method looks at neighboring slices (`along`), so that slices share what is left.
    """
    truth = np.full((14, 256, 256), value, np.float32)  # as much tissue as an abdomen has
    before = truth + noise(truth.shape, 16, blur=0.7)
    after = gaussian_filter(before, (along, 2, 2))
    chosen = gaussian_filter(after, (0, 2, 2))
    inside = (chosen > value) if value < 100 else (chosen < value)
    assert abs((after - before)[inside].mean()) > 1.0  # what is taken off
    assert abs(told(before, after)["soft tissue"].shift) < 0.3


def test_where_much_noise_is_left_only_wide_ranges_are_told() -> None:
    truth = body(8)
    before = truth + noise(truth.shape, 60, blur=1.0)
    shifts = told(before, truth + 0.5 * (before - truth))
    assert not {"fluid", "fat at the skin", "fat at bone"} & set(shifts)
    assert abs(shifts["soft tissue"].shift) < 1
