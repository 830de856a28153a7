import numpy as np
import pytest
from tests.quality.analytic import colored, frequencies, ramp

from demottle.errors import InputError
from demottle.noise.spectrum import spectrum_of_density
from demottle.quality.objects.nps import (
    band_power,
    nps_of_difference,
    nps_of_places,
    nps_of_repeats,
    nps_of_uniform,
    without_trend_loss,
)

SPACING = 0.7
POWER = ramp(frequencies(256, SPACING))


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return colored(POWER, SPACING, 24, seed=3)


@pytest.mark.parametrize("taper", [True, False])
def test_the_integral_is_the_variance_within_one_percent(noise, taper) -> None:
    found = nps_of_uniform(noise + 50, SPACING, taper=taper)
    cell = 1 / (64 * SPACING) ** 2
    assert found.density_2d.sum() * cell == pytest.approx(noise.var(), rel=0.01)
    assert found.sigma**2 == pytest.approx(POWER.sum() / (256 * SPACING) ** 2, rel=0.01)


def test_colored_noise_is_within_three_percent_in_every_band(noise) -> None:
    edges = np.linspace(0.06, 0.71, 9)  # to Nyquist; the last band holds 4 % of the peak's density
    truth = band_power(spectrum_of_density(POWER, (SPACING, SPACING)), edges)
    assert band_power(nps_of_uniform(noise, SPACING), edges) == pytest.approx(truth, rel=0.03)


def test_peak_and_mean_frequency_are_those_of_the_true_spectrum(noise) -> None:
    truth, found = spectrum_of_density(POWER, (SPACING, SPACING)), nps_of_uniform(noise, SPACING)
    assert found.peak == pytest.approx(truth.peak, abs=0.023)  # one step of frequency
    assert found.mean == pytest.approx(truth.mean, rel=0.01)


def test_anatomy_cancels_in_repeats_and_differences(noise) -> None:
    edges = np.linspace(0.06, 0.6, 5)
    anatomy = np.add.outer(np.arange(256) % 37, 3 * np.sin(np.arange(256) / 4))
    truth = band_power(spectrum_of_density(POWER, (SPACING, SPACING)), edges)
    repeats = band_power(nps_of_repeats(noise + anatomy, SPACING), edges)
    difference = band_power(nps_of_difference(noise[:12] + anatomy, noise[12:] + anatomy, SPACING), edges)
    assert repeats == pytest.approx(truth, rel=0.03)
    assert difference == pytest.approx(truth, rel=0.03)


def test_a_shading_does_not_count(noise) -> None:
    y, x = np.mgrid[:256, :256] / 256
    found = nps_of_uniform(noise + 60 * x**2 + 40 * x * y - 30 * y, SPACING)
    assert found.sigma == pytest.approx(noise.std(), rel=0.01)


def test_regions_at_given_places_are_those_of_a_mask(noise) -> None:
    mask = np.zeros((256, 256), bool)
    mask[32:96, 64:128] = True
    one = nps_of_uniform(noise, SPACING, mask, fewest=10)
    other = nps_of_places(noise, SPACING, [(64, 96)], fewest=10)
    assert one.regions == other.regions == 24
    assert one.density_2d == pytest.approx(other.density_2d)


def test_power_lost_to_the_trend_comes_back_for_white_noise() -> None:
    white = np.random.default_rng(1).normal(0, 10, (24, 256, 256))
    found = nps_of_uniform(white, 1.0)
    assert found.density[:3] == pytest.approx(100, rel=0.08)
    assert nps_of_uniform(white, 1.0, restore=False).density[0] < 40
    assert without_trend_loss(found) is found  # not put back twice


@pytest.mark.parametrize(
    ("shape", "steepness"),
    [("low-pass", (0.15, 2)), ("low-pass", (0.2, 2)), ("cut-off", (0.15, 4)), ("soft", (0.12, 2)), ("soft", (0.18, 2))],
)
def test_coarse_and_steep_noise_is_right_too(shape: str, steepness: tuple[float, int]) -> None:
    """Noise as strong smoothing leaves it: most of its power in a few frequency steps, and next to none above."""
    width, power = steepness

    def density(f: np.ndarray) -> np.ndarray:
        rise = f / 0.1 + 0.05 if shape == "soft" else 1.0
        return np.asarray(400 * rise * np.exp(-((f / width) ** power)) + 0.4)

    planes = colored(density(frequencies(256, SPACING)), SPACING, 24, seed=3)
    found = nps_of_uniform(planes, SPACING)
    assert found.sigma**2 == pytest.approx(planes.var(), rel=0.01)
    # Truth at the very frequencies of a region: a ring of another grid holds other frequencies of a steep spectrum.
    truth = spectrum_of_density(density(frequencies(64, SPACING)), (SPACING, SPACING))
    edges = np.linspace(0.06, 0.71, 9)
    expected = band_power(truth, edges)
    assert band_power(found, edges) == pytest.approx(expected, rel=0.03, abs=3e-4 * expected.max())


def test_bad_input_is_one_sentence(noise) -> None:
    with pytest.raises(InputError, match="at least 50"):
        nps_of_uniform(noise[0], SPACING)
    with pytest.raises(InputError, match="leaves the image"):
        nps_of_places(noise, SPACING, [(10, 100)])
    with pytest.raises(InputError, match="NaN"):
        nps_of_uniform(np.where(noise == noise.max(), np.nan, noise), SPACING)
    with pytest.raises(InputError, match="spacing"):
        nps_of_uniform(noise, float("nan"))
    with pytest.raises(InputError, match="at least two"):
        nps_of_repeats(noise[0], SPACING)
    with pytest.raises(InputError, match="no frequency"):
        band_power(nps_of_uniform(noise, SPACING), [0.1, 0.1001, 0.2])
