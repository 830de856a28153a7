"""The suite low-dose-noise: halves apart, and noise like the truth's is told from noise that is not."""

import numpy as np
import pytest

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.decisions import low_dose_noise
from demottle.benchmark.suites.decisions.low_dose_noise import Likeness, held_against, likeness, scan_of
from demottle.benchmark.suites.decisions.low_dose_scans import JUDGING, TUNING, response_of, settings
from demottle.noise.synthesis import NoiseSource
from demottle.physics.ct.projection import apodisation

SIZE, PIXEL = 192, 1.0


def test_no_patient_kernel_or_bow_tie_is_in_both_halves(monkeypatch, tmp_path) -> None:
    tune, judge = settings(TUNING), settings(JUDGING)
    for facts in (lambda one: str(one.patient), lambda one: one.kernel, lambda one: one.machine["bow_tie"]):
        assert not {facts(one) for one in tune} & {facts(one) for one in judge}
    monkeypatch.delenv("DEMOTTLE_REAL_DATA", raising=False)
    specs, with_real = low_dose_noise.specs(Choices()), low_dose_noise.specs(Choices(real=tmp_path))
    assert len({spec.seed for spec in with_real}) == len(with_real) == len(specs) + 8
    assert [low_dose_noise.setting_of(spec).name for spec in with_real] == [spec.recipe["name"] for spec in with_real]
    assert not any("real" in spec.recipe["name"] for spec in specs)


def test_kernels_keep_the_mean_and_boost_what_is_asked_for() -> None:
    soft, edges = (
        apodisation(response_of(kernel), np.array([0.0, 0.35])) for kernel in ((0.6, 3, 0, 0.35), (0.6, 3, 0.5, 0.35))
    )
    assert soft[0] == edges[0] == 1
    assert edges[1] / soft[1] == pytest.approx(1.5, abs=0.02)


@pytest.fixture(scope="module")
def case():
    at = np.arange(SIZE) - (SIZE - 1) / 2
    distance = np.hypot(at[:, None], at[None])
    body, level = distance < 85, 20 - 0.1 * distance
    f = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(64)]))
    white = NoiseSource(f * np.exp(-((f / 0.2) ** 2)), SIZE).draw(3, np.random.default_rng(0))
    return body, (level**2).astype(np.float32), white * level.astype(np.float32)


def test_the_same_noise_is_like_itself(case) -> None:
    body, variance, noise = case
    found = likeness(variance, noise[:2], variance, noise[2:], body, PIXEL)
    assert found.level == found.worst == 0 and found.correlation == pytest.approx(1)
    assert found.power == pytest.approx(0, abs=0.01) and found.mean == pytest.approx(found.true_mean, rel=0.02)
    assert held_against("same", found).quality["passes"] == 1


def test_noise_that_is_even_too_weak_and_coarse_misses(case) -> None:
    body, variance, noise = case
    even = np.full_like(variance, 0.8 * variance[body].mean())
    coarse = np.stack([(plane + np.roll(plane, 1, 0) + np.roll(plane, 1, 1)) / 2 for plane in noise[:2]])
    found = likeness(even, coarse, variance, noise[2:], body, PIXEL)
    assert found.level == pytest.approx(np.sqrt(0.8) - 1, abs=0.01)
    assert found.middle < found.level < found.rim
    assert found.power < -0.05
    said = held_against("even", found)
    assert said.quality["passes"] == 0 and str(said.said["missed"]).startswith("even: level -1")


def test_one_slice_is_the_middle_one() -> None:
    full = np.arange(3, dtype=np.float32)[:, None, None] * np.ones((3, 16, 16), np.float32)
    parts = {
        "full": full,
        "added": full[:, ::4, ::4],
        "body": np.ones((3, 16, 16)),
        "spacing": np.array([3.0, 1.0, 1.0]),
    }
    one, added, body = scan_of(parts, 1)
    assert one.shape == (1, 16, 16) and one.voxels.max() == added.max() == 1 and body.shape == (16, 16)
    assert scan_of(parts, 3)[0].shape == (3, 16, 16)


def test_a_likeness_that_misses_one_aim_only_does_not_pass() -> None:
    good = Likeness(0.0, 0.0, 0.0, 0.04, 0.95, 0.02, 0.3, 0.3)
    assert held_against("good", good).quality["passes"] == 1
    for change in ({"worst": 0.06}, {"correlation": 0.89}, {"power": -0.06}):
        assert held_against("bad", Likeness(**{**vars(good), **change})).quality["passes"] == 0
