"""The check of a run without a truth sees what the truth would have said."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.sequence.blocks import measure_blocks, pixels_of
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.quality.sequence.check import SHIFT_LIMIT, check_sequence
from demottle.quality.sequence.truth import flicker


def recursive(image: Image, weight: float = 0.2) -> Image:
    out = image.voxels.copy()
    for index in range(1, len(out)):
        out[index] = weight * image.voxels[index] + (1 - weight) * out[index - 1]
    return image.with_voxels(out)


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {
        name: acquire(dynamic_phantom(40, 128, 15, seed=1, motion=name).image, Exposure(24), seed=2)  # type: ignore[arg-type]
        for name in ("static", "fast")
    }


def test_noise_behind_a_recursive_filter_is_not_under_read(runs: dict[str, Run]) -> None:
    run = runs["static"]
    found = check_sequence(run.noisy, recursive(run.noisy))
    assert found.noise.removed_share == pytest.approx(1 - np.sqrt(0.2 / 1.8), abs=0.03)  # 9.5 dB
    assert found.held_after == pytest.approx(0.8, abs=0.05) and abs(found.held_before) < 0.02
    assert found.flicker_after < 0.6 * found.flicker_before
    assert found.warnings == () and not found.trail > 1.2
    assert found.shifts and all(abs(shift.share) < SHIFT_LIMIT for shift in found.shifts)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_noise_behind_an_average_of_frames_is_not_over_read(runs: dict[str, Run], count: int) -> None:
    run = runs["static"].noisy
    after = run.voxels.copy()
    for index in range(len(after)):
        after[index] = run.voxels[max(0, index - count + 1) : index + 1].mean(axis=0)
    found = check_sequence(run, run.with_voxels(after))
    assert found.noise.removed_share == pytest.approx(1 - np.sqrt(1 / count), abs=0.03)
    assert found.held_after == pytest.approx(1 - 1 / count, abs=0.03)


def test_trails_are_seen_where_something_moves_and_the_truth_leaves_none(runs: dict[str, Run]) -> None:
    run = runs["fast"]
    smeared, perfect = check_sequence(run.noisy, recursive(run.noisy)), check_sequence(run.noisy, run.clean)
    assert smeared.trail > 1.6 > 1.3 > perfect.trail
    assert any("trails" in warning for warning in smeared.warnings)
    assert perfect.noise.removed_share > 0.95


def test_a_mean_that_moves_is_told_about(runs: dict[str, Run]) -> None:
    run = runs["static"]
    found = check_sequence(run.noisy, run.noisy.with_voxels(run.noisy.voxels * np.float32(0.98)))
    assert any("bright parts moved" in warning for warning in found.warnings)
    assert [shift.name for shift in found.shifts] == ["dark", "middle", "bright"]


def test_what_cannot_be_measured_is_none_and_other_shapes_are_refused(runs: dict[str, Run]) -> None:
    run = runs["static"]
    one = Image(run.noisy.voxels[:1].copy(), run.noisy.spacing, "XA")
    told = check_sequence(one, one).to_dict()
    assert told["noise"]["before"] is None and told["trail"] is None
    with pytest.raises(InputError, match="one shape"):
        check_sequence(run.noisy, one)


@pytest.mark.parametrize("motion", ["static", "fast"])
def test_flicker_without_a_truth_is_what_the_truth_says_of_still_parts(runs: dict[str, Run], motion: str) -> None:
    run = runs[motion]
    after = recursive(run.noisy)
    found = check_sequence(run.noisy, after)
    still = pixels_of(measure_blocks(run.noisy).still, run.noisy.shape[1:])
    before_error, after_error = (flicker(image.voxels - run.clean.voxels, still) for image in (run.noisy, after))
    assert found.flicker_before == pytest.approx(before_error, rel=0.5)
    assert found.flicker_after == pytest.approx(after_error, rel=0.5)
    assert (found.flicker_after < found.flicker_before) == (after_error < before_error)


def test_where_the_whole_image_moves_nothing_is_claimed() -> None:
    run = acquire(dynamic_phantom(24, 128, 15, seed=1, motion="panning").image, Exposure(24), seed=2)
    found = check_sequence(run.noisy, recursive(run.noisy))
    assert np.isnan([found.noise.after, found.noise.removed_share, found.flicker_before, found.trail]).all()
    assert found.noise.before == pytest.approx(float((run.noisy.voxels - run.clean.voxels).std()), rel=0.25)
    assert any("whole image moves" in warning for warning in found.warnings)
