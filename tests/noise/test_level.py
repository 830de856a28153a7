"""The noise level is that of the noise, also where hardly any tissue is flat: a child's chest, metal, lungs."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.fingerprint import measure
from demottle.noise.flat import flat_mask
from demottle.noise.level import noise_level
from demottle.physics.ct.ct_noise import simulate_noise
from demottle.physics.phantoms.phantom import body_phantom
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.scenes import Grid
from demottle.quality.check.level import noise_levels


def chest() -> Image:
    return region_phantom("chest", Grid(9, 144, (1.5, 1.2, 1.2)), 73, shrink=0.55)


def metal() -> Image:
    return region_phantom("metal hip", Grid(9, 144, (2.5, 2.6, 2.6)), 74, from_mm=-40)


def lungs() -> Image:
    return region_phantom("chest", Grid(8, 176, (2.0, 2.2, 2.2)), 76, from_mm=30)


Scan = tuple[Image, np.ndarray, float]


@pytest.fixture(scope="module", params=[(chest, 25.0, 0.2), (metal, 25.0, 0.1), (lungs, 40.0, 0.3)])
def scan(request: pytest.FixtureRequest) -> Scan:
    """Truth, noise, and the standard deviation of the noise in the places that are flattest in the truth."""
    make, level, rho = request.param
    truth = make()
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    noise = simulate_noise(truth, level, rho, "soft", 7, region=tissue)
    return truth, noise, float(noise[flat_mask(truth)].std())


def test_the_level_is_that_of_the_noise_not_of_the_anatomy(scan: Scan) -> None:
    truth, noise, true = scan
    found = measure(truth.with_voxels(np.rint(truth.voxels + noise)))
    assert found.noise_level == pytest.approx(true, rel=0.1)
    low, high = found.noise_range
    assert 0.5 * true < low < found.noise_level < high < 2 * true
    if found.spectrum is not None:
        assert found.spectrum.sigma == pytest.approx(true, rel=0.25)


def test_what_was_removed_is_told_of_the_noise_not_of_the_anatomy(scan: Scan) -> None:
    truth, noise, true = scan
    before = truth.with_voxels(truth.voxels + noise)
    levels = noise_levels(before, truth.with_voxels(truth.voxels + 0.3 * noise))
    assert levels.before == pytest.approx(true, rel=0.1)
    assert levels.removed_share == pytest.approx(0.7, abs=0.15)
    assert levels.removed == pytest.approx(0.7 * true, rel=0.2)
    assert noise_levels(before, before).removed_share == pytest.approx(0, abs=1e-6)
    worse = noise_levels(before, truth.with_voxels(truth.voxels + 1.3 * noise))
    assert worse.after > 1.15 * worse.before


def test_where_tissue_is_flat_the_slices_by_themselves_say_the_level() -> None:
    """Nothing but noise there: how much neighbors share of it must not matter, even where hardly any of it differs."""
    truth = body_phantom(slices=6, size=160, spacing=(3.0, 2.2, 2.2), seed=7)
    noise = simulate_noise(truth, 40.0, 0.7, "soft", 8, region=truth.voxels > -150)
    for own in (noise, noise + 0.05 * np.roll(noise, 1, axis=1), np.repeat(noise[:1], len(noise), axis=0)):
        true = float(own[flat_mask(truth)].std())
        assert noise_level(truth.with_voxels(truth.voxels + own)) == pytest.approx(true, rel=0.1)


def test_a_scan_without_noise_has_none() -> None:
    tissue = np.full((4, 96, 96), 40, np.float32)
    assert noise_level(Image(tissue, (3, 1, 1), "CT", "HU")) == 0
