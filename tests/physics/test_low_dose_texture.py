"""The noise's spectrum is that of ramp and kernel, and the formulas that rest on it hold."""

import numpy as np
import pytest

from demottle.noise.level import local_deviation
from demottle.noise.spectrum import spectrum_of_noise
from demottle.physics.low_dose_beam import make_beam
from demottle.physics.low_dose_texture import matching_cut_off, mean_frequency, median_deviation, noise_power

SIZE, PIXEL, DRAWS = 160, 0.9, 12


def draw(beam, kernel):
    """Reconstruct white noise; the middle only, which all rays cross."""
    made = make_beam(beam, (SIZE, SIZE), PIXEL, kernel, 570.0)
    random = np.random.default_rng(0)
    shape = (made.views, len(made.distances))
    planes = [made.reconstruct(random.standard_normal(shape, dtype=np.float32)) for _ in range(DRAWS)]
    expected = made.variance(np.ones(shape, np.float32), 4)
    return np.stack(planes)[:, 16:-16, 16:-16], float(np.median(expected[8:-8, 8:-8]))


@pytest.mark.parametrize(
    ("beam", "kernel"), [("parallel", "soft"), ("parallel", 0.85), ("parallel", "sharp"), ("fan", "soft")]
)
def test_spectrum_band_by_band_and_variance(beam, kernel):
    noise, expected = draw(beam, kernel)
    assert noise.var() == pytest.approx(expected, rel=0.02)
    spectrum = spectrum_of_noise(noise, (PIXEL, PIXEL), 64)
    # Regions of 64 pixels see the formula blurred; the lowest bands are detrended, the last lies on Nyquist.
    bands = slice(4, 31)
    wanted = noise_power(spectrum.frequency, PIXEL, kernel)[bands]
    found = spectrum.density[bands]
    keep = wanted > 0.05 * wanted.max()
    ratio = (found / found.sum()) / (wanted / wanted.sum())
    assert np.abs(ratio[keep] - 1).max() < 0.1
    assert np.abs(ratio[keep] - 1).mean() < 0.03


@pytest.mark.parametrize("kernel", ["soft", "sharp"])
def test_median_local_deviation_is_foretold(kernel):
    noise, _ = draw("parallel", kernel)
    found = np.median([local_deviation(plane)[8:-8, 8:-8] for plane in noise]) / noise.std()
    assert found == pytest.approx(median_deviation(PIXEL, kernel), rel=0.008)


@pytest.mark.parametrize("cut_off", [0.4, 0.9, 2.5])
def test_the_cut_off_is_found_again_from_the_mean_frequency(cut_off):
    assert matching_cut_off(mean_frequency(PIXEL, cut_off), PIXEL) == pytest.approx(cut_off, rel=1e-3)


def test_frequencies_that_no_kernel_has_give_the_nearest_one():
    assert matching_cut_off(0.01, PIXEL) == 0.25
    assert matching_cut_off(5.0, PIXEL) == 4.0
