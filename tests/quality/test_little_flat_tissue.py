"""In a child's chest and around metal hardly any tissue is flat: what anatomy slices share there is no noise that leaked."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from demottle.image import Image
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.scenes import Grid
from demottle.pipeline.run import denoise
from demottle.quality.check.leak import slice_leak
from demottle.quality.check.whole import check
from demottle.quality.gate import gate

LEVEL = 25.0
AIR_HU, METAL_HU = -900, 2500


@pytest.fixture(scope="module", params=["child's chest", "metal hip"])
def scan(request: pytest.FixtureRequest) -> tuple[Image, np.ndarray]:
    """Truth and noise."""
    if request.param == "metal hip":
        truth = region_phantom("metal hip", Grid(9, 144, (2.5, 2.6, 2.6)), 74, from_mm=-40)
    else:
        truth = region_phantom("chest", Grid(9, 144, (1.5, 1.2, 1.2)), 75, shrink=0.55)
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    return truth, simulate_noise(truth, LEVEL, 0.05, "soft", 7, region=tissue)


def with_noise(scan: tuple[Image, np.ndarray], noise: np.ndarray) -> Image:
    """The truth with other noise than the scan's; air and metal as in the scan, as every method leaves them."""
    truth, own = scan
    kept = (truth.voxels < AIR_HU) | (truth.voxels > METAL_HU)
    return truth.with_voxels(truth.voxels + np.where(kept, own, noise))


def test_anatomy_that_slices_share_is_no_leak(scan: tuple[Image, np.ndarray]) -> None:
    _, noise = scan
    before = with_noise(scan, noise)
    for left in (0.05, 0.1, 0.3):
        leak = slice_leak(before, with_noise(scan, left * noise))
        assert not leak.noticeable, left


def test_averaged_slices_are_refused(scan: tuple[Image, np.ndarray]) -> None:
    _, noise = scan
    before = with_noise(scan, noise)
    for left in (1.0, 0.5):
        averaged = left * uniform_filter1d(noise, 3, axis=0)
        found = check(before, with_noise(scan, averaged))
        assert "slice_leak" in {verdict.name for verdict in gate(found).failed}, left
        assert found.leak is not None and found.leak.noticeable
        assert any("share more noise" in warning for warning in found.warnings)


def test_noise_of_a_neighbor_mixed_into_what_is_left_is_refused(scan: tuple[Image, np.ndarray]) -> None:
    """A method that hands a slice its neighbor's noise: 40 % of its own left, 40 % of the next one's added."""
    _, noise = scan
    leak = slice_leak(with_noise(scan, noise), with_noise(scan, 0.4 * noise + 0.4 * np.roll(noise, 1, axis=0)))
    assert leak.noticeable and leak.shared.sure > 0.2


@pytest.mark.slow
def test_the_default_passes_and_its_average_over_slices_does_not(scan: tuple[Image, np.ndarray]) -> None:
    truth, noise = scan
    before = with_noise(scan, noise)
    clean = denoise(before).image
    honest = gate(check(before, clean))
    assert honest.passed, honest.reasons
    half = (clean.voxels + before.voxels) / 2  # so much of the noise is left that it would be seen in several slices
    kept = (truth.voxels < AIR_HU) | (truth.voxels > METAL_HU)
    averaged = before.with_voxels(np.where(kept, before.voxels, uniform_filter1d(half, 3, axis=0)))
    assert "slice_leak" in {verdict.name for verdict in gate(check(before, averaged)).failed}
