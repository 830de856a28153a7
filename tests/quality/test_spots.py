"""What is removed or added and is no noise is found: where it is, how large, and of which sign."""

from functools import cache

import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.quality.check.spots.chance import largest_by_chance
from demottle.quality.check.spots.spots import ADDED, REMOVED, SpotMap, spot_map

TRUTH = body(12, 160)
GRAIN = noise(TRUTH.shape, 20)
BEFORE = ct(TRUTH + GRAIN)
HONEST = ct(TRUTH + 0.2 * GRAIN)
PLACE = (6.0, 84.0, 62.0)
"""A voxel of soft tissue."""


def blob(contrast: float, diameter: float = 8.0, place: tuple[float, float, float] = PLACE) -> np.ndarray:
    nothing = ct(np.zeros(TRUTH.shape))
    return add_inserts(nothing, [Insert(place, diameter / 2, contrast)], 0.5).voxels


def found(before: Image, after: Image) -> SpotMap:
    made = spot_map(before, after)
    assert made is not None
    return made


def test_an_honest_result_has_no_spot() -> None:
    honest = found(BEFORE, HONEST)
    assert honest.largest < 1 and honest.spots == ()


@pytest.mark.parametrize(
    ("before", "after", "kind", "hu"),
    [
        (BEFORE.voxels, HONEST.voxels + blob(35), ADDED, 35),
        (BEFORE.voxels, HONEST.voxels - blob(35), ADDED, -35),
        (BEFORE.voxels + blob(35), HONEST.voxels, REMOVED, 35),
        (BEFORE.voxels - blob(35), HONEST.voxels, REMOVED, -35),
    ],
)
def test_a_lesion_that_was_erased_or_invented_is_found_where_it_is(
    before: np.ndarray, after: np.ndarray, kind: str, hu: float
) -> None:
    spots = found(ct(before), ct(after)).spots
    assert spots
    first = spots[0]
    assert first.kind == kind
    assert first.hu == pytest.approx(hu, rel=0.35)
    assert abs(first.slice - 6) <= 1 and np.hypot(first.row - 84, first.column - 62) <= 3
    assert 4 <= first.diameter_mm <= 13
    assert first.place_mm == pytest.approx((first.slice * 3, first.row * 0.8, first.column * 0.8))
    assert np.sign(first.score) == np.sign(hu) * (1 if kind == REMOVED else -1)
    assert first.kind in first.sentence and f"slice {first.slice + 1}" in first.sentence


@pytest.mark.parametrize("size", [5.0, 10.0, 16.0])
def test_a_lesion_is_listed_once_and_so_is_each_of_two(size: float) -> None:
    one = blob(60, size)
    assert len(found(ct(BEFORE.voxels + one), HONEST).spots) == 1
    two = one - blob(120, 8.0, (6.0, 84.0, 110.0))
    spots = found(ct(BEFORE.voxels + two), HONEST).spots
    assert sorted(spot.hu > 0 for spot in spots) == [False, True]


def test_half_of_the_strength_changes_nothing_that_is_told() -> None:
    """A result that keeps half of the noise is as easily searched."""
    half = ct(TRUTH + 0.5 * GRAIN)
    assert found(BEFORE, half).largest < 1
    assert found(BEFORE, half.with_voxels(half.voxels + blob(35))).largest > 1.25


@cache
def of_pure_noise(seed: int) -> float:
    grain = noise((8, 96, 96), 20, 1.0, seed)
    return found(ct(50 + grain), ct(50 + 0.2 * grain)).largest


def test_of_twenty_scans_of_pure_noise_at_most_two_go_beyond_one() -> None:
    values = [of_pure_noise(seed) for seed in range(20)]
    assert sum(value > 1 for value in values) <= 2
    assert np.median(values) > 0.7  # not so careful that nothing is ever found


def test_smooth_noise_leaves_nothing_at_the_rim_of_the_body() -> None:
    """Of a kernel that hardly lets fine noise through: the rim, a step, stood out where it was made white again."""
    for seed in range(4):
        grain = noise((4, 96, 96), 20, 1.2, seed)
        before, after = (Image(50 + share * grain, (3, 1.1, 1.1), "CT", "HU") for share in (1.0, 0.2))
        assert found(before, after).largest < 1


def test_a_lesion_that_was_moved_is_told_as_one_thing_at_two_places() -> None:
    there = (PLACE[0], PLACE[1], PLACE[2] + 7.0)
    made = found(ct(BEFORE.voxels + blob(45, 7.0)), HONEST.with_voxels(HONEST.voxels + blob(45, 7.0, there)))
    alone = float(np.abs(made.score).max())
    assert made.largest > alone
    first, second, *_ = made.spots
    assert {first.kind, second.kind} == {REMOVED, ADDED}
    assert abs(first.score) == abs(second.score) == pytest.approx(made.largest)
    assert 4 < first.beside_mm == second.beside_mm < 10 and "mm beside it" in first.sentence
    for spot, place in zip(sorted((first, second), key=lambda spot: spot.column), (PLACE, there), strict=True):
        assert np.hypot(spot.row - place[1], spot.column - place[2]) <= 4


def test_a_lesion_that_was_only_erased_is_not_told_as_moved() -> None:
    assert all(spot.beside_mm == 0 for spot in found(ct(BEFORE.voxels + blob(80)), HONEST).spots)


def test_more_places_leave_larger_values_by_chance() -> None:
    assert largest_by_chance(1e3) < largest_by_chance(1e5) < largest_by_chance(1e7) < 8


def test_nothing_changed_is_no_spot_and_without_hu_nothing_is_said() -> None:
    assert found(BEFORE, BEFORE).largest == 0
    assert spot_map(Image(TRUTH + 1000, (3, 0.8, 0.8), "MR"), Image(TRUTH + 1000, (3, 0.8, 0.8), "MR")) is None
    assert spot_map(ct(np.full((4, 64, 64), -1000.0)), ct(np.full((4, 64, 64), -1000.0))) is None


def test_the_map_has_the_size_of_the_image_where_its_pixels_are_finer() -> None:
    made = found(BEFORE, HONEST.with_voxels(HONEST.voxels + blob(60)))
    assert made.factor == 2
    plane = made.plane(6, (160, 160))
    assert plane.shape == (160, 160)
    row, column = np.unravel_index(int(np.abs(plane).argmax()), plane.shape)
    assert np.hypot(row - 84, column - 62) <= 4 and plane[row, column] < -1
