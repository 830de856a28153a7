"""The whole path of a run in Python: measure, plan, apply, check, record."""

import json
from dataclasses import replace

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods.filters import recursive
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.pipeline.plan_sequence import findings, make_sequence_plan
from demottle.pipeline.run import denoise


@pytest.fixture(scope="module")
def run() -> Run:
    return acquire(dynamic_phantom(12, 96, 15, seed=1, motion="static").image, Exposure(24), seed=2)


@pytest.fixture(scope="module")
def fingerprint(run: Run) -> SequenceFingerprint:
    return measure_sequence(run.noisy)


def test_everything_is_on_record_and_half_strength_removes_half(run: Run) -> None:
    whole = denoise(run.noisy, method="recursive")
    half = denoise(run.noisy, method="recursive", strength=0.5, settings={"weight": 0.2})
    assert half.image.voxels == pytest.approx((whole.image.voxels + run.noisy.voxels) / 2, abs=1e-2)
    record = json.loads(json.dumps(whole.record))
    assert record["method"] == "recursive" and record["fingerprint"]["noise_level"] > 0
    assert record["response"]["lag_first"] == pytest.approx(0.8, abs=0.03)
    assert whole.image.history[-1].settings["strength"] == 1.0 and whole.delay == 0


def test_a_model_of_another_noise_or_unit_is_told_about_or_refused(run: Run) -> None:
    made = denoise(run.noisy, method="motion-adaptive-recursive").denoiser
    louder = run.noisy.with_voxels(run.noisy.voxels * 3)
    assert any("noise level" in text for text in denoise(louder, model=made).record["warnings"])
    made.fitted = {**made.fitted, "unit": "HU"}
    with pytest.raises(InputError, match="unit HU"):
        denoise(run.noisy, model=made)


def test_what_makes_no_sense_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="strength"):
        denoise(run.noisy, strength=2)
    with pytest.raises(InputError, match="do not go together"):
        denoise(run.noisy, method="recursive", model=recursive.Recursive(recursive.RecursiveSettings(), {}))
    with pytest.raises(InputError, match="volumes of slices"):
        denoise(run.noisy, method="ns-n2n")
    with pytest.raises(InputError, match="texture is for volumes"):
        denoise(run.noisy, texture=0.3)
    with pytest.raises(InputError, match="no setting"):
        denoise(run.noisy, method="recursive", settings={"wait": 1})


def test_reasons_follow_from_what_was_measured(fingerprint: SequenceFingerprint) -> None:
    words = " ".join(make_sequence_plan(fingerprint).reasons)
    for expected in ("independent", "quantum noise", "scintillator", "Hardly anything moves"):
        assert expected in words
    assert make_sequence_plan(fingerprint, "recursive").reasons[0] == "recursive was asked for."
    lag = acquire(dynamic_phantom(30, 128, 15, seed=1, motion="static").image, Exposure(24, lag=0.1), seed=2)
    assert "of the signal over to the next frame" in " ".join(findings(measure_sequence(lag.noisy)))
    log = acquire(dynamic_phantom(12, 96, 15, seed=1, motion="static").image, Exposure(24, display="log"), seed=2)
    assert "logarithm" in " ".join(findings(measure_sequence(log.noisy)))
    panning = acquire(dynamic_phantom(12, 96, 15, seed=1, motion="panning").image, Exposure(50), seed=2)
    assert "whole image moves" in " ".join(findings(measure_sequence(panning.noisy)))
    assert np.isfinite(fingerprint.noise_level)


@pytest.fixture(scope="module")
def series() -> Image:
    """MR volumes over time, the magnitudes of a signal that is zero in half of each."""
    random = np.random.default_rng(4)
    signal = np.zeros((8, 48, 40))
    signal[:, :, :20] = 200 + 60 * random.normal(size=(8, 1, 1))
    noisy = np.hypot(*(part + random.normal(0, 20, signal.shape) for part in (signal, 0))).astype(np.float32)
    return Image(noisy, (2.5, 2.0, 2.0), "MR", sequence=True)


@pytest.mark.parametrize("method", ["mp-pca", "patch2self"])
def test_magnitudes_stay_at_zero_or_above_and_signed_series_as_they_come(series: Image, method: str) -> None:
    weak = replace(series, voxels=np.maximum(series.voxels - 40, 0))
    assert denoise(weak, method=method).image.voxels.min() >= 0
    signed = denoise(series.with_voxels(series.voxels - 100), method=method).image
    assert signed.voxels.min() < -50


def test_what_was_not_measured_keeps_its_value(series: Image) -> None:
    seen = np.ones(series.shape, np.bool_)
    seen[:, 20:24] = False
    padded = replace(series, voxels=np.where(seen, series.voxels, -7).astype(np.float32), valid=seen)
    after = denoise(padded, method="mp-pca").image.voxels
    assert (after[~seen] == -7).all() and after[seen].min() >= 0
