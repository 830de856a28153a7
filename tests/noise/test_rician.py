"""Moments of magnitudes, their inverses, and the transform that makes their noise alike."""

import numpy as np
import pytest
from scipy.stats import rice

from demottle.noise.mr.rician import deviation_at_mean, deviation_of, mean_of, signal_of_mean, stabilizer

SIGNALS = np.array([0.0, 0.4, 1.0, 1.7, 3.0, 6.0, 25.0])  # scipy's Rice distribution fails beyond


def magnitudes(signal: float, seed: int = 0) -> np.ndarray:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, 200_000))
    return np.hypot(signal + real, imaginary)


def test_moments_are_those_of_the_rice_distribution() -> None:
    np.testing.assert_allclose(mean_of(SIGNALS), rice.mean(SIGNALS), rtol=1e-10)
    np.testing.assert_allclose(deviation_of(SIGNALS), rice.std(SIGNALS), rtol=1e-8)


def test_moments_of_very_strong_signals_are_those_of_gaussian_noise() -> None:
    strong = np.array([1e3, 1e5])
    np.testing.assert_allclose(mean_of(strong), strong, rtol=1e-6)
    np.testing.assert_allclose(deviation_of(np.array([1e3])), 1, rtol=1e-4)


def test_the_signal_follows_from_the_mean_and_is_zero_below_the_floor() -> None:
    np.testing.assert_allclose(signal_of_mean(mean_of(SIGNALS)), SIGNALS, atol=0.02)
    np.testing.assert_allclose(signal_of_mean(np.array([500.0])), 500, rtol=1e-4)
    assert signal_of_mean(np.array([0.9]))[0] == 0


@pytest.mark.parametrize("signal", [0.0, 1.0, 2.0, 5.0, 100.0])
def test_sigma_follows_from_mean_and_deviation(signal: float) -> None:
    values = 7 * magnitudes(signal)
    found = float(deviation_at_mean(values.mean(), values.std()))
    assert found == pytest.approx(7, rel=0.03)


@pytest.mark.parametrize("signal", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 12.0, 35.0, 60.0])
def test_stabilized_noise_has_one_deviation_at_any_signal(signal: float) -> None:
    values = stabilizer().forward(magnitudes(signal))
    assert values.std() == pytest.approx(1, abs=0.05)
    if signal == 0:
        assert values.mean() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("signal", [0.5, 1.0, 2.0, 3.0, 5.0, 12.0, 30.0, 60.0])
def test_the_inverse_of_the_mean_is_the_signal_without_bias(signal: float) -> None:
    found = float(stabilizer().inverse(stabilizer().forward(magnitudes(signal)).mean()))
    assert found == pytest.approx(signal, abs=0.03)


def test_the_transform_rises_and_below_no_signal_its_inverse_is_zero() -> None:
    table = stabilizer()
    assert (np.diff(table.forward(np.linspace(0, 80, 4000))) > 0).all()
    assert (table.inverse(np.array([-3.0, -0.5, 0.0])) == 0).all()
