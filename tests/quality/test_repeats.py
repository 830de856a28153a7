"""What two realizations say without a truth is what the truth says."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError
from demottle.quality.errors import rmse
from demottle.quality.repeats import compare_repeats

TRUTH = body(12)
FIRST, SECOND = (TRUTH + noise(TRUTH.shape, 20, seed=s) for s in (1, 2))


def blurred(voxels: np.ndarray) -> np.ndarray:
    return np.asarray(gaussian_filter(voxels, (0, 1.0, 1.0)))


def test_the_error_is_that_against_the_truth_though_no_truth_is_given() -> None:
    found = compare_repeats(ct(FIRST), ct(blurred(FIRST)), ct(SECOND), ct(blurred(SECOND)))
    inside = TRUTH > -900
    true = np.mean([rmse(blurred(one), TRUTH, inside) for one in (FIRST, SECOND)])
    assert found.agreement.error == pytest.approx(true, rel=0.1)
    assert found.agreement.noise_before == pytest.approx(20, rel=0.03)


def test_removed_structure_repeats_and_removed_noise_does_not() -> None:
    blur = compare_repeats(ct(FIRST), ct(blurred(FIRST)), ct(SECOND), ct(blurred(SECOND)))
    assert blur.structure_found and blur.agreement.correlation > 0.1
    clean = compare_repeats(
        ct(FIRST), ct(TRUTH + 0.3 * (FIRST - TRUTH)), ct(SECOND), ct(TRUTH + 0.3 * (SECOND - TRUTH))
    )
    assert not clean.structure_found
    assert clean.agreement.noise_after == pytest.approx(6, rel=0.05)
    lost = np.sqrt(np.mean((blurred(TRUTH) - TRUTH)[TRUTH > -900] ** 2))
    assert blur.agreement.changed == pytest.approx(lost, rel=0.15)


def test_the_same_scan_twice_and_an_empty_one_are_refused() -> None:
    with pytest.raises(InputError, match="same image"):
        compare_repeats(ct(FIRST), ct(TRUTH), ct(FIRST), ct(TRUTH))
    empty = ct(np.full((4, 64, 64), -1000.0) + noise((4, 64, 64), 1))
    with pytest.raises(InputError, match="No body"):
        compare_repeats(empty, empty, ct(np.full((4, 64, 64), -1000.0)), empty)
