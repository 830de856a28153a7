"""One image given twice is said at once: every figure between the two would be believed otherwise."""

import numpy as np
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.quality.check.whole import check
from demottle.quality.evaluation import evaluate
from demottle.quality.identical_images import SAME_OUTPUT, same_voxels
from demottle.quality.sequence.check import check_sequence

TRUTH = body()
SCAN = ct(TRUTH + noise(TRUTH.shape, 20))
CLEAN = ct(TRUTH + 0.3 * noise(TRUTH.shape, 20))


def copied(image: Image) -> Image:
    return image.with_voxels(image.voxels.copy())


def test_an_output_that_is_its_input_is_the_first_warning() -> None:
    assert check(SCAN, copied(SCAN)).warnings[0] == SAME_OUTPUT
    assert SAME_OUTPUT not in check(SCAN, CLEAN).warnings


def test_a_run_that_is_its_input_is_the_first_warning() -> None:
    frames = np.random.default_rng(0).normal(500, 20, (6, 64, 64)).astype(np.float32)
    run = Image(frames, (0.1, 1, 1), "XA")
    assert check_sequence(run, copied(run)).warnings[0] == SAME_OUTPUT


def test_a_truth_that_was_given_already_is_said_first() -> None:
    for truth, name in ((SCAN, "input"), (CLEAN, "output")):
        first = evaluate(SCAN, CLEAN, truth=copied(truth)).check.warnings[0]
        assert f"The truth has exactly the voxels of the {name}" in first


def test_one_voxel_makes_a_difference_and_missing_values_do_not() -> None:
    other, valid = SCAN.voxels.copy(), np.ones(SCAN.shape, bool)
    other[0, 0, 0], valid[0, 0, 0] = np.nan, False
    holes = [Image(voxels, SCAN.spacing, "CT", "HU", valid=valid) for voxels in (other, other.copy())]
    assert same_voxels(*holes)
    assert not same_voxels(SCAN, holes[0])
    other = SCAN.voxels.copy()
    other[-1, -1, -1] += 1
    assert not same_voxels(SCAN, ct(other))
