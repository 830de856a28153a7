"""Noise that is added to a scan has the grain of the scan's own noise, of one slice with anatomy in it as of a volume."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.spectrum import spectrum_of_noise
from demottle.physics.ct.ct_noise import Scanner, independent_noise
from demottle.physics.low_dose.choices import choose_kernel
from demottle.physics.low_dose.scan import LowDose
from demottle.physics.low_dose.texture import matching_cut_off, mean_frequency
from demottle.physics.phantoms.phantom import body_phantom

PIXEL, SIZE = 1.0, 320
MIDDLE = slice(SIZE // 4, 3 * SIZE // 4)


def mean_of(noise: np.ndarray) -> float:
    return spectrum_of_noise(np.ascontiguousarray(noise[:, MIDDLE, MIDDLE]), (PIXEL, PIXEL)).mean


@pytest.mark.parametrize("kernel", ["soft", "standard"])
def test_noise_added_to_one_slice_has_the_mean_frequency_of_its_own(kernel) -> None:
    truth = body_phantom(slices=3, size=SIZE, spacing=(3.0, PIXEL, PIXEL), seed=3)
    noise = independent_noise(truth, 25.0, Scanner(kernel=kernel), seed=8)[1:-1]
    scan = Image(truth.voxels + noise, truth.spacing, "CT", "HU", slice_thickness=3.0)
    one = Image(scan.voxels[1:2], truth.spacing, "CT", "HU", slice_thickness=3.0)
    own = mean_of(noise)
    assert mean_of(LowDose(one, 0.5).noise(seed=1)) == pytest.approx(own, rel=0.1)
    assert mean_frequency(PIXEL, choose_kernel(scan, "match").value) == pytest.approx(own, rel=0.1)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_what_regions_do_to_the_mean_frequency_is_put_right(size: int) -> None:
    for cut_off in (0.4, 0.9):
        seen = mean_frequency(PIXEL, cut_off, size)
        assert matching_cut_off(seen, PIXEL, size) == pytest.approx(cut_off, rel=2e-3)
    assert mean_frequency(0.75, 0.5, size) == pytest.approx(mean_frequency(0.75, 0.5), rel=0.02)
