"""Which noise an image has, and how strong that of MR magnitudes is, by air and by tissue."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demottle import io
from demottle.image import Image
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import measure
from demottle.noise.level import noise_level
from demottle.noise.mr.magnitude import GAUSSIAN, RICIAN, NoiseModel, air_level, noise_model
from demottle.physics.mr.noise import noise_deviation, rician_scan
from demottle.physics.phantoms.brain import brain_phantom


@pytest.fixture(scope="module", params=["t1", "t2"])
def truth(request: pytest.FixtureRequest) -> Image:
    return brain_phantom(6, 160, (3, 1.4, 1.4), seed=1, weighting=request.param).image


def model_of(image: Image) -> NoiseModel:
    return noise_model(image, slice_correlation(image))


@pytest.mark.parametrize("percent", [3.0, 5.0, 7.0, 9.0])
def test_the_level_of_a_brain_is_right_and_that_of_its_tissue_near(truth: Image, percent: float) -> None:
    sigma = float(truth.voxels.max()) * percent / 100
    found = model_of(rician_scan(truth, percent, seed=2))
    assert found.name == RICIAN and found.local is None and found.correctable
    assert found.sigma == pytest.approx(sigma, rel=0.03)
    assert found.air == pytest.approx(sigma, rel=0.03)
    # These six slices around the ventricles have hardly any flat tissue.
    assert found.tissue == pytest.approx(sigma, rel=0.07 if percent > 3 else 0.13)


def test_without_usable_air_the_level_is_that_of_tissue_and_that_is_said(truth: Image) -> None:
    sigma = float(truth.voxels.max()) * 0.07
    scan = rician_scan(truth, 7, seed=2)
    masked = scan.with_voxels(np.where(truth.voxels > 0, scan.voxels, 0).astype(np.float32))
    found = model_of(masked)
    assert np.isnan(found.air) and found.sigma == pytest.approx(sigma, rel=0.07)
    assert any("tissue" in reason for reason in found.reasons)


def test_air_of_several_coils_is_not_believed(truth: Image) -> None:
    first, second = (rician_scan(truth, 5, seed).voxels for seed in (0, 1))
    level, why = air_level(truth.with_voxels(np.hypot(first, second)))
    assert np.isnan(level) and "coils" in why


def test_noise_of_parallel_imaging_is_followed_over_the_image() -> None:
    truth = brain_phantom(12, 160, (3, 1.4, 1.4), seed=0).image
    sigma = float(truth.voxels.max()) * 0.07
    found = model_of(rician_scan(truth, 7, seed=2, uneven=0.6))
    assert found.local is not None and found.air < 0.9 * found.sigma
    tissue = truth.voxels[6] > 300
    ratio = found.plane(6, (160, 160))[tissue] / noise_deviation((160, 160), sigma, 0.6)[tissue]
    low, middle, high = np.percentile(ratio, [5, 50, 95])
    assert low > 0.88 and high < 1.15 and middle == pytest.approx(1, abs=0.05)


def test_what_is_no_magnitude_has_gaussian_noise_and_it_says_why(truth: Image) -> None:
    scan = rician_scan(truth, 5)
    real = truth.with_voxels(truth.voxels + np.random.default_rng(0).normal(0, 40, truth.shape).astype(np.float32))
    for image, words in ((real, "negative"), (replace(scan, modality="OT"), "Nothing says"), (_ct(), "CT")):
        found = model_of(image)
        assert found.name == GAUSSIAN and not found.correctable
        assert words in found.reasons[0]


def _ct() -> Image:
    noise = np.random.default_rng(0).normal(40, 20, (4, 64, 64)).astype(np.float32)
    return Image(noise, (3, 1, 1), "CT", "HU")


def test_where_dark_places_contradict_the_level_the_bias_is_left_alone(truth: Image) -> None:
    """Fine texture in all slices reads as noise, but noise of that size would brighten the dark."""
    texture = 60 * np.random.default_rng(0).standard_normal(truth.shape[1:])
    voxels = np.where(truth.voxels > 300, truth.voxels + texture, 2.0 + 0 * truth.voxels).astype(np.float32)
    found = model_of(truth.with_voxels(np.maximum(voxels, 0)))
    assert not found.correctable and any("darker" in reason for reason in found.reasons)


def test_the_fingerprint_tells_the_model_and_its_level_is_that_of_the_complex_signal(truth: Image) -> None:
    scan = rician_scan(truth, 9, seed=2)
    found = measure(scan)
    assert found.noise.name == RICIAN and found.noise_level == found.noise.sigma
    told = found.to_dict()["noise_model"]
    assert told["name"] == "rician" and told["even"] and told["snr"] == pytest.approx(found.noise.snr)
    assert len(told["reasons"]) >= 2


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GE/IM-0003-0001.dcm", "GE/IM-0004-0001.dcm"),
        ("Philips/Philips_IM-0011-0005.dcm", "Philips/Philips_IM-0011-0006.dcm"),
    ],
)
def test_level_of_real_repeats_is_that_of_their_difference(first: str, second: str) -> None:
    """The third pair, Siemens, has a fixed pattern in both images: 8.9 by one image, 5.9 by the difference."""
    folder = Path(os.environ["DEMOTTLE_REAL_DATA"]) / "mr-repeats"
    one, other = (io.read(folder / name) for name in (first, second))
    bright = one.voxels > 0.5 * np.percentile(one.voxels, 99)
    difference = one.with_voxels((one.voxels - other.voxels) / np.sqrt(2))
    blocks = [
        float(difference.voxels[0, r : r + 11, c : c + 11].std(ddof=1))
        for r in range(0, 245, 4)
        for c in range(0, 245, 4)
        if bright[0, r : r + 11, c : c + 11].all()
    ]
    found = np.mean([noise_level(one), noise_level(other)])
    assert found == pytest.approx(np.median(blocks), rel=0.05)
