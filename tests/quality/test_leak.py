import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter1d
from tests.quality.phantoms import body, ct, noise

from demottle.quality.check.leak import slice_leak


def test_averaging_slices_leaks_noise_and_smoothing_within_slices_does_not() -> None:
    truth = body(24, 224)
    grain = noise(truth.shape)
    before = ct(truth + grain)
    averaged = slice_leak(before, ct(truth + uniform_filter1d(grain, 3, axis=0)))
    assert averaged.after.rho[0] == pytest.approx(2 / 3, abs=0.06)
    assert averaged.gain == pytest.approx(2 / 3, abs=0.1)
    assert averaged.noticeable
    smoothed = slice_leak(before, ct(truth + gaussian_filter(grain, (0, 1, 1))))
    assert smoothed.gain < 0.1
    assert not smoothed.noticeable


def test_too_few_flat_voxels_are_unknown_not_good() -> None:
    found = slice_leak(ct(np.full((3, 40, 40), -1000.0)), ct(np.full((3, 40, 40), -1000.0)))
    assert np.isnan(found.gain)
    assert not found.noticeable
