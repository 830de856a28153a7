"""The suite ct-doses: one network, taught once, is asked for every dose; what is stated of noise is held against the truth."""

from pathlib import Path

import numpy as np
import pytest

from demottle.benchmark.suites import ct_doses
from demottle.benchmark.suites.cases import Choices
from demottle.methods.unpaired.diffusion.dose_diffusion import DoseDenoiser, DoseDiffusionSettings
from demottle.networks.timed_unet import TimedUNet
from demottle.physics.low_dose.dose_time import dose_of_noise


def test_every_patient_is_judged_at_every_dose_and_one_dose_was_never_learned() -> None:
    every = ct_doses.specs(Choices())
    assert len(every) == 12 and {spec.recipe["dose"] for spec in every} == set(ct_doses.DOSES)
    for spec in every:
        assert dose_of_noise(spec.recipe["low"], spec.recipe["full"]) == pytest.approx(spec.recipe["dose"], rel=1e-3)
    low, high = ct_doses.LEFT_OUT
    assert [dose for dose in ct_doses.DOSES if low < dose < high] == [0.1]


def test_the_network_is_taken_from_the_cache_and_asked_for_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ct_doses.specs(Choices(quick=True))[0]
    fitted = {"full_dose_noise": 12.0, "least_dose": 0.05, "grain": 0.8, "steps": 7}
    DoseDenoiser(DoseDiffusionSettings(channels=4), fitted, TimedUNet(4)).save(
        tmp_path / "dose-diffusion-96-0.safetensors"
    )
    before = ct_doses.measure(spec, "input", tmp_path).quality
    assert before["noise_stated"] == pytest.approx(1)
    found = ct_doses.measure(spec, "half-dose", tmp_path)
    assert found.said["settings"]["target"] == 0.5 and found.said["steps"] == 7
    assert found.quality["rmse"] == before["rmse"]  # a network that has learned nothing
    assert found.quality["noise_stated"] == pytest.approx(
        np.sqrt(2)
    )  # noise of a quarter, where that of half is stated
    assert "noise_stated" not in ct_doses.measure(spec, "clean-1-pass", tmp_path).quality
