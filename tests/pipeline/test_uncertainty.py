"""The standard error of every voxel, against errors that are known because the truth is."""

import json

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.result import VolumeResult
from demottle.pipeline.run import denoise

FILTER = "spectral-wiener"


@pytest.fixture(scope="module")
def truth() -> Image:
    return body_phantom(slices=6, size=160, spacing=(3.0, 2.2, 2.2), seed=1)


@pytest.fixture(scope="module")
def scan(truth: Image) -> Image:
    return truth.with_voxels(truth.voxels + mix_slices(independent_noise(truth, 40.0, seed=1), 0.3))


@pytest.fixture(scope="module")
def result(scan: Image) -> VolumeResult:
    made: VolumeResult = denoise(scan, method=FILTER, uncertainty=True)
    return made


def held(made: VolumeResult, truth: Image) -> float:
    """Share of the voxels of soft tissue whose truth lies within 1.645 standard errors."""
    soft = (truth.voxels > -150) & (truth.voxels < 200)
    assert made.uncertainty is not None
    return float(np.mean(np.abs(made.image.voxels - truth.voxels)[soft] <= 1.645 * made.uncertainty.voxels[soft]))


def test_ninety_percent_of_voxels_lie_within_the_interval(result: VolumeResult, truth: Image) -> None:
    assert 0.86 < held(result, truth) < 0.95


def test_edges_are_less_certain_than_flat_tissue(result: VolumeResult, truth: Image) -> None:
    assert result.uncertainty is not None
    steep = np.hypot(*np.gradient(truth.voxels, axis=(1, 2)))
    soft = (truth.voxels > -150) & (truth.voxels < 200)
    error = result.uncertainty.voxels
    assert np.median(error[soft & (steep > 40)]) > 1.2 * np.median(error[soft & (steep < 2)])


def test_what_was_found_is_on_record_and_json(result: VolumeResult) -> None:
    told = json.loads(json.dumps(result.record, allow_nan=False))["uncertainty"]
    assert told["unit"] == "HU" and told["repeats"] >= 1
    assert "air" not in [one["tissue"] for one in told["tissues"]]  # its noise is that of the nearest tissue
    soft = next(one for one in told["tissues"] if one["tissue"] == "soft tissue")
    assert 2 < soft["median_hu"] < 40  # less than the noise, more than nothing
    assert result.uncertain is not None and result.uncertain.image.shape == result.image.shape


def test_it_is_of_what_is_written_with_less_strength(scan: Image, truth: Image) -> None:
    half = denoise(scan, method=FILTER, strength=0.5, uncertainty=True)
    assert 0.86 < held(half, truth) < 0.95


def test_a_result_that_is_the_scan_is_as_uncertain_as_its_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 17, (6, 128, 128)).astype(np.float32)
    scan = Image(40 + noise, (3.0, 1.0, 1.0), "CT", "HU")
    made = denoise(scan, method=FILTER, strength=0.0, uncertainty=True)
    assert np.median(made.uncertainty.voxels) == pytest.approx(17, rel=0.04)
    assert np.mean(np.abs(noise) <= 1.645 * made.uncertainty.voxels) == pytest.approx(0.9, abs=0.02)


def test_it_is_of_what_is_written_with_texture(scan: Image, truth: Image, result: VolumeResult) -> None:
    grainy = denoise(scan, method=FILTER, texture=0.6, uncertainty=True)
    assert 0.86 < held(grainy, truth) < 0.95
    assert result.uncertainty is not None
    soft = (truth.voxels > -150) & (truth.voxels < 200)
    assert np.median(grainy.uncertainty.voxels[soft]) > 1.2 * np.median(result.uncertainty.voxels[soft])


def test_without_asking_there_is_none_and_the_result_is_the_same(scan: Image, result: VolumeResult) -> None:
    plain = denoise(scan, method=FILTER)
    assert plain.uncertainty is None and "uncertainty" not in plain.record
    assert np.array_equal(plain.image.voxels, result.image.voxels)


def test_the_same_seed_gives_the_same_map(scan: Image, result: VolumeResult) -> None:
    again = denoise(scan, method=FILTER, uncertainty=True)
    assert result.uncertainty is not None
    assert np.array_equal(again.uncertainty.voxels, result.uncertainty.voxels)


@pytest.mark.parametrize("slices", [1, 2])
def test_few_slices_have_one_too(slices: int, truth: Image, scan: Image) -> None:
    few = denoise(scan.part(0, slices), method=FILTER, uncertainty=True)
    assert 0.8 < held(few, truth.part(0, slices)) < 0.97


def test_padding_and_metal_have_none(truth: Image, scan: Image) -> None:
    voxels, valid = scan.voxels.copy(), np.ones(scan.shape, np.bool_)
    voxels[:, 80:84, 80:84] = 3000.0
    valid[:, :20] = False
    made = denoise(Image(voxels, scan.spacing, "CT", "HU", valid), method=FILTER, uncertainty=True)
    assert not made.uncertainty.voxels[:, :20].any() and not made.uncertainty.voxels[:, 80:84, 80:84].any()
    soft = valid & (truth.voxels > -150) & (truth.voxels < 200)
    soft[:, 70:94, 70:94] = False
    assert np.all(made.uncertainty.voxels[soft] > 0)


def test_what_it_cannot_be_told_of_is_refused_in_a_sentence() -> None:
    values = np.random.default_rng(0).normal(500, 20, (6, 64, 64)).astype(np.float32)
    with pytest.raises(InputError, match="CT in HU alone"):
        denoise(Image(values, (3.0, 1.0, 1.0), "MR"), uncertainty=True)
    with pytest.raises(InputError, match="run of frames; uncertainty is told of volumes"):
        denoise(Image(values, (0.1, 1.0, 1.0), "XA"), uncertainty=True)
    air = np.random.default_rng(0).normal(-1000, 5, (4, 64, 64)).astype(np.float32)
    with pytest.raises(InputError, match="noise of the scan could not be measured, so no uncertainty"):
        denoise(Image(air, (3.0, 1.0, 1.0), "CT", "HU"), method=FILTER, uncertainty=True)
