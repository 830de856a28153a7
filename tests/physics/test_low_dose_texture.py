"""The noise's spectrum is that of ramp and kernel, and the formulas that rest on it hold."""

import numpy as np
import pytest

from demottle.noise.level import local_deviation
from demottle.noise.spectrum import spectrum_of_noise
from demottle.physics.low_dose.beam import make_beam
from demottle.physics.low_dose.texture import matching_cut_off, mean_frequency, median_deviation, noise_power

SIZE, PIXEL, DRAWS, REGION = 160, 0.9, 14, 64


def draw(beam, kernel):
    """Reconstruct white noise; the middle only, which all rays cross."""
    made = make_beam(beam, (SIZE, SIZE), PIXEL, kernel, 570.0)
    random = np.random.default_rng(0)
    shape = (made.views, len(made.distances))
    planes = [made.reconstruct(random.standard_normal(shape, dtype=np.float32)) for _ in range(DRAWS)]
    expected = made.variance(np.ones(shape, np.float32), 4)
    return np.stack(planes)[:, 16:-16, 16:-16], float(expected[4:-4, 4:-4].mean())


@pytest.mark.parametrize(
    ("beam", "kernel"), [("parallel", "soft"), ("parallel", 0.85), ("parallel", "sharp"), ("fan", "soft")]
)
def test_spectrum_band_by_band_and_variance(beam, kernel):
    noise, expected = draw(beam, kernel)
    assert noise.var() == pytest.approx(expected, rel=0.03)
    spectrum = spectrum_of_noise(noise, (PIXEL, PIXEL), REGION)
    found, wanted = spectrum.density, expected_density(kernel)
    tolerance = 0.05 if beam == "parallel" else 0.1  # a fan is finer on the side of the source, coarser on the other
    for first in range(4, 29, 5):  # the lowest are detrended
        band = slice(first, first + 5)
        share = found[band].mean() / found[4:29].sum(), wanted[band].mean() / wanted[4:29].sum()
        assert share[0] == pytest.approx(share[1], rel=tolerance, abs=tolerance / 200)


def expected_density(kernel):
    """What regions of a finite size see of the formula: its covariance, tapered by how often each distance occurs."""
    size = 8 * REGION
    frequency = np.fft.fftfreq(size, PIXEL)
    covariance = np.fft.ifft2(noise_power(np.hypot(frequency[:, None], frequency[None]), PIXEL, kernel)).real
    distance = np.fft.fftfreq(REGION * 2, 1 / (REGION * 2)).astype(int)
    taper = np.maximum(1 - np.abs(distance) / REGION, 0)
    seen = covariance[np.ix_(distance, distance)] * taper[:, None] * taper
    power = np.fft.fft2(seen).real[::2, ::2]
    at = np.fft.fftfreq(REGION, 1 / REGION)
    ring = np.rint(np.hypot(at[:, None], at[None])).astype(int)
    return np.array([power[ring == radius].mean() for radius in range(REGION // 2 + 1)])


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
