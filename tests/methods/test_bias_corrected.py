"""Methods around which the noise of MR magnitudes is made alike: the whole path, saving, and what the checks make of it."""

from pathlib import Path

import numpy as np
import pytest

from demottle.image import Image
from demottle.methods import load
from demottle.physics.mr.noise import rician_scan
from demottle.physics.phantoms.brain import Brain, BrainTissue, brain_phantom
from demottle.pipeline.result import Result
from demottle.pipeline.run import denoise
from demottle.pipeline.volume import LEFT_IN
from demottle.quality.check.whole import check
from demottle.quality.gate import gate

DARK = (BrainTissue.FLUID, BrainTissue.BONE, BrainTissue.VESSEL)


@pytest.fixture(scope="module")
def head() -> Brain:
    return brain_phantom(8, 128, (3, 1.75, 1.75), seed=2)


@pytest.fixture(scope="module")
def scan(head: Brain) -> Image:
    return rician_scan(head.image, 9, seed=3)


@pytest.fixture(scope="module")
def corrected(scan: Image) -> Result:
    return denoise(scan, method="spectral-wiener")


@pytest.fixture(scope="module")
def kept(scan: Image) -> Result:
    return denoise(scan, method="spectral-wiener", keep_bias=True)


def error(result: Image, head: Brain, tissues: tuple[BrainTissue, ...]) -> float:
    inside = np.isin(head.tissue, tissues)
    return float((result.voxels[inside] - head.image.voxels[inside]).mean())


def rmse(result: Image, head: Brain) -> float:
    inside = head.image.voxels > 0
    return float(np.sqrt(np.mean((result.voxels[inside] - head.image.voxels[inside]) ** 2)))


def test_the_mean_of_dark_tissue_falls_by_as_much_as_the_noise_had_raised_it(
    corrected: Result, kept: Result, scan: Image, head: Brain
) -> None:
    raised, with_it, without = (error(image, head, DARK) for image in (scan, kept.image, corrected.image))
    assert raised > 15
    assert with_it - without == pytest.approx(raised, rel=0.4)  # what is left is blur, of the filter
    assert rmse(corrected.image, head) < rmse(kept.image, head) < rmse(scan, head)


def test_it_is_on_record_and_in_the_reasons(corrected: Result, kept: Result) -> None:
    assert corrected.image.history[-1].settings["bias_correction"] == "rician"
    assert corrected.record["settings"]["bias_correction"] == "rician"
    assert any("Rician" in reason for reason in corrected.plan.reasons)
    assert "bias_correction" not in kept.image.history[-1].settings
    assert kept.check.bias_removed is None


def test_the_checks_know_that_the_means_moved_on_purpose(corrected: Result) -> None:
    removed = corrected.check.bias_removed
    assert removed is not None and removed["dark"] > 5 and removed["dark"] > removed["bright"] >= 0
    assert not [v for v in gate(corrected.check).failed if v.name == "mean_signal"]


def test_evaluating_it_later_finds_the_same(corrected: Result, scan: Image) -> None:
    later = check(scan, corrected.image)
    assert later.bias_removed == pytest.approx(corrected.check.bias_removed)
    assert [t.shift for t in later.tissues] == pytest.approx([t.shift for t in corrected.check.tissues])


def test_a_saved_model_takes_the_bias_out_too(corrected: Result, scan: Image, tmp_path: Path) -> None:
    loaded = load(corrected.denoiser.save(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(loaded(scan).voxels, corrected.image.voxels)


def test_air_is_left_as_it_was(corrected: Result, scan: Image) -> None:
    np.testing.assert_array_equal(corrected.image.voxels[:, :4], scan.voxels[:, :4])


def test_half_the_strength_takes_half_of_it(corrected: Result, scan: Image) -> None:
    half = denoise(scan, method="spectral-wiener", strength=0.5)
    whole, part = corrected.check.bias_removed, half.check.bias_removed
    assert whole is not None and part is not None
    assert part["dark"] == pytest.approx(whole["dark"] / 2, rel=0.05)


def test_ct_and_images_of_unknown_kind_are_treated_as_before(scan: Image) -> None:
    other = Image(scan.voxels, scan.spacing)
    result = denoise(other, method="spectral-wiener")
    assert "bias_correction" not in result.record["settings"]
    plain = denoise(other, method="spectral-wiener", keep_bias=True)
    np.testing.assert_array_equal(result.image.voxels, plain.image.voxels)


def test_a_magnitude_with_filtered_air_stays_one_and_its_bias_is_said_to_be_left_in(head: Brain, scan: Image) -> None:
    filtered = np.where(head.image.voxels > 0, scan.voxels, 5 + np.float32(0.01) * scan.voxels)
    image = Image(filtered, spacing=scan.spacing, modality="MR", unit="a.u.")
    result = denoise(image, method="spectral-wiener")
    assert not result.fingerprint.noise.correctable
    assert LEFT_IN in result.plan.reasons
    assert result.denoiser(image).voxels.min() < 0 <= result.image.voxels.min()
    assert len(result.image.history) == 1
