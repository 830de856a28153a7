"""The whole path for one image."""

import json
from pathlib import Path

import numpy as np
import pytest

from demottle.errors import InputError, UnsuitableError
from demottle.events import Progress
from demottle.image import Image
from demottle.methods.base import Denoiser, Tensors
from demottle.noise import fingerprint
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.run import denoise
from demottle.pipeline.settings import check_settings
from demottle.pipeline.volume import warnings_of_scan


@pytest.fixture(scope="module")
def scan() -> Image:
    truth = body_phantom(slices=6, size=160, spacing=(3.0, 2.2, 2.2), seed=1)
    return truth.with_voxels(truth.voxels + mix_slices(independent_noise(truth, 40.0, seed=1), 0.3))


def test_record_says_everything_and_is_json(scan: Image) -> None:
    stages: list[str] = []

    def listen(event: Progress) -> None:
        stages.append(event.stage)

    result = denoise(scan, steps=1, settings={"patch": 64}, listener=listen)
    record = json.loads(json.dumps(result.record, allow_nan=False))
    assert record["method"] == "guided-bayes"
    assert record["model_hash"] == result.denoiser.model_hash
    assert record["plan_reasons"] and record["fingerprint"]["noise_level"] > 0
    assert {"measure", "prepare", "learn", "apply", "restore"} <= set(stages)
    assert result.image.history[-1].model_hash == record["model_hash"]
    assert result.before is scan


def test_strength_is_the_share_of_what_is_removed(scan: Image) -> None:
    full = denoise(scan, method="spectral-wiener").image.voxels
    half = denoise(scan, method="spectral-wiener", strength=0.5).image.voxels
    assert half == pytest.approx((scan.voxels + full) / 2, abs=0.01)
    none = denoise(scan, method="spectral-wiener", strength=0.0).image.voxels
    assert np.array_equal(none, scan.voxels)


@pytest.mark.parametrize("slices", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_few_slices_are_learned_from_and_come_out_much_nearer_to_the_truth(slices: int, tmp_path: Path) -> None:
    true = body_phantom(slices, size=256, spacing=(3.0, 1.5, 1.5), seed=1)
    few = true.with_voxels(true.voxels + mix_slices(independent_noise(true, 40.0, seed=1), 0.3))
    result = denoise(few, steps=2, settings={"patch": 64})
    assert result.plan.method == "guided-bayes"
    soft = (true.voxels > -150) & (true.voxels < 200)

    def error(image: Image) -> float:
        return float(np.std((image.voxels - true.voxels)[soft]))

    assert error(result.image) < 0.45 * error(few)
    assert error(result.image) < 0.9 * error(denoise(few, method="spectral-wiener").image)
    assert abs(float((result.image.voxels - few.voxels)[soft].mean())) < 0.5
    again = denoise(few, model=result.denoiser.save(tmp_path / "model.safetensors"))
    assert np.array_equal(again.image.voxels, result.image.voxels)


def test_a_slice_too_small_to_learn_from_is_filtered_by_what_looks_alike(scan: Image) -> None:
    small = Image(scan.voxels[:1, 50:110, 50:110], scan.spacing, "CT", "HU")
    assert denoise(small).plan.method == "nl-bayes"


def test_a_model_of_another_unit_is_refused(scan: Image) -> None:
    model = denoise(scan, method="spectral-wiener").denoiser
    magnetic = Image(scan.voxels + 1100, scan.spacing, "MR", "a.u.")
    with pytest.raises(InputError, match="modality CT") as refused:
        denoise(magnetic, model=model)
    assert refused.value.remedy == ""  # MR is not to be called CT
    unknown = Image(scan.voxels, scan.spacing, "OT", "a.u.")
    with pytest.raises(InputError, match="modality CT") as refused:
        denoise(unknown, model=model)
    assert refused.value.remedy == "modality"


def test_a_model_of_another_noise_level_is_warned_about(scan: Image) -> None:
    model = denoise(scan, method="spectral-wiener").denoiser
    model.fitted = {**model.fitted, "noise_level": 3.0}
    assert any("noise level" in warning for warning in denoise(scan, model=model).record["warnings"])


@pytest.mark.slow
def test_a_model_that_does_not_say_what_it_was_made_for_is_warned_about(scan: Image) -> None:
    model = denoise(scan, method="matched-neighbors", steps=1, settings={"patch": 64}).denoiser
    assert not any("does not state" in warning for warning in denoise(scan, model=model).record["warnings"])
    model.fitted = {**model.fitted, "noise_level": float("nan"), "spacing_mm": []}
    warnings = denoise(scan, model=model).record["warnings"]
    assert any("does not state the noise level and pixel size it was made for" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"strength": 1.5}, "strength"),
        ({"method": "bm5d"}, "no method"),
        ({"method": "ns-n2n", "settings": {"nonsense": 1}}, "nonsense"),
        ({"steps": 0}, "at least 1"),
        ({"minutes": -1.0}, "positive"),
    ],
)
def test_wishes_that_make_no_sense(scan: Image, wish: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        denoise(scan, **wish)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "settings", "word"),
    [
        ("spectral-wiener", {"window": 17}, "multiple of 8"),
        ("ns-n2n", {"early_stop": "maybe"}, "true or false, such as True"),
        ("matched-neighbors", {"reach": 1.5}, "whole number"),
        ("matched-neighbors", {"channels": 64}, "a list"),
        (None, {"wndow": 16}, "no setting wndow"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_measuring(
    scan: Image, method: str | None, settings: dict[str, object], word: str
) -> None:
    def listen(event: Progress) -> None:
        raise AssertionError("something was measured")

    with pytest.raises(InputError, match=word):
        denoise(scan, method=method, settings=settings, listener=listen)


def test_settings_of_either_method_are_accepted_while_the_scan_decides(scan: Image) -> None:
    check_settings(None, {"window": 8})  # of the filter that scans get which cannot be learned from
    check_settings(None, {"patch": 64})
    rng = np.random.default_rng(0)
    alike = np.repeat(scan.voxels[:1], 5, axis=0) + rng.normal(0, 0.01, (5, 1, 1)).astype(
        np.float32
    )  # all noise is shared
    assert denoise(Image(alike, scan.spacing, "CT", "HU"), settings={"window": 8}).record["settings"]["window"] == 8


def test_a_constant_image_is_refused() -> None:
    with pytest.raises(InputError, match="same value"):
        denoise(Image(np.full((4, 64, 64), 7, np.float32), (3, 1, 1), "CT", "HU"))


def test_without_tissue_it_refuses_rather_than_guesses() -> None:
    air = np.random.default_rng(0).normal(-1000, 10, (4, 64, 64)).astype(np.float32)
    with pytest.raises(InputError, match="does not guess"):
        denoise(Image(air, (3, 1, 1), "CT", "HU"))


def test_a_spectrum_that_is_not_used_is_not_said_to_be_missing_from_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = Image(np.random.default_rng(6).normal(300, 20, (4, 96, 96)).astype(np.float32), (3, 1, 1), "MR")
    known = fingerprint.measure(volume)
    monkeypatch.setattr(fingerprint, "MOST_EXCESS", 0.5)
    found = fingerprint.measure(volume)
    assert found.spectrum is None and found.warnings == (found.no_spectrum,)
    assert "this spectrum is not used" in found.no_spectrum
    assert warnings_of_scan(found, found) == [found.no_spectrum]
    assert known.spectrum is not None and warnings_of_scan(found, known) == []  # the method was told one


class Overflowing(Denoiser):
    """A model whose numbers are beyond what an image can hold."""

    method, fitted = "gaussian", {"modality": "CT", "unit": "HU"}

    def __init__(self, value: float) -> None:
        self.settings = {"value": value}

    def __call__(self, image: Image, listener: object = None) -> Image:
        return image.with_voxels(np.full(image.shape, self.settings["value"], np.float32))

    def tensors(self) -> Tensors:
        return {}


@pytest.mark.parametrize("value", [np.inf, np.nan, -1e30])
def test_a_model_that_overflows_is_at_fault_and_not_the_scan(scan: Image, value: float) -> None:
    with pytest.raises(UnsuitableError, match=r"model is at fault, not the scan.*use another model"):
        denoise(scan, model=Overflowing(value))
