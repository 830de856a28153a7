"""The suite noise-measures: halves apart, and the truth it holds the measures against is the noise's own."""

import numpy as np
import pytest

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.decisions import noise_measures
from demottle.benchmark.suites.decisions.measured_noise import JUDGING, TUNING, settings
from demottle.benchmark.suites.decisions.noise_measures import Noise, held_against, true_noise
from demottle.image import Image
from demottle.noise.synthesis import NoiseSource


def test_there_are_forty_settings_and_no_anatomy_in_both_halves() -> None:
    tune, judge = settings(TUNING), settings(JUDGING)
    assert len(tune) == len(judge) == 20
    assert not {one.place for one in tune} & {one.place for one in judge}
    assert len({one.seed for one in tune + judge}) == len({one.name for one in tune + judge}) == 40
    specs = noise_measures.specs(Choices())
    assert [noise_measures.setting_of(spec).name for spec in specs] == [spec.recipe["name"] for spec in specs]


def test_the_truth_is_that_of_the_noise() -> None:
    """Level, correlation and mean frequency of noise that was drawn with known ones."""
    f = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(64)]))
    power = f * np.exp(-((f / 0.15) ** 2))
    alone = NoiseSource(power, 192).draw(21, np.random.default_rng(0)).reshape(3, 7, 192, 192)
    noise = 8 * (alone[:, :-1] + 0.3 * alone[:, 1:]) / np.hypot(1, 0.3)
    found = true_noise(Image(np.full((6, 192, 192), 40, np.float32), (3, 1, 1), "CT", "HU"), noise.astype(np.float32))
    fine = np.linspace(0, 0.5, 2001)
    weight = fine**2 * np.exp(-((fine / 0.15) ** 2))
    assert found.level == pytest.approx(8, rel=0.02)
    assert found.rho == pytest.approx(0.3 / 1.09, abs=0.02)
    assert found.mean == pytest.approx((fine * weight).sum() / weight.sum(), rel=0.03)


def test_what_is_off_or_was_not_measured_is_told() -> None:
    true = Noise(10, 0.25, 0.2)
    assert held_against("a", true, Noise(10.4, 0.27, 0.205)).quality["passes"] == 1
    missed = held_against("b", true, Noise(10.6, 0.25, float("nan")))
    assert missed.quality["passes"] == 0 and missed.quality["mean_apart"] is None
    assert str(missed.said["missed"]).startswith("b: level +6.0%")
