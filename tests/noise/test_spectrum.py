"""The noise power spectrum: its integral is the variance, and known noise has its known spectrum."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.spectrum import noise_spectrum, spectrum_of_noise
from demottle.noise.synthesis import NoiseSource
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom


def white(sigma: float, shape: tuple[int, int, int] = (20, 256, 256), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


def test_integral_is_the_variance() -> None:
    noise = white(12.0)
    spectrum = spectrum_of_noise(noise, (0.8, 0.8))
    bin_area = (1 / (64 * 0.8)) ** 2
    assert spectrum.density_2d.sum() * bin_area == pytest.approx(noise.var(), rel=0.01)
    assert spectrum.sigma == pytest.approx(12.0, rel=0.01)


def test_white_noise_is_flat_at_its_level() -> None:
    spectrum = spectrum_of_noise(white(10.0), (0.7, 0.7))
    assert spectrum.density[4:] == pytest.approx(100 * 0.49, rel=0.05)


def seen_in_regions(power: np.ndarray, size: int) -> np.ndarray:
    """What the mean periodogram of square regions has to be: the covariance times the regions' overlap, transformed."""
    covariance = np.fft.ifft2(power).real
    shift = np.arange(1 - size, size)
    overlap = 1 - np.abs(shift) / size
    seen = np.zeros((size, size))
    np.add.at(seen, np.ix_(shift % size, shift % size), covariance[np.ix_(shift, shift)] * np.outer(overlap, overlap))
    return np.fft.fft2(seen).real


def test_colored_noise_has_its_color_up_to_nyquist() -> None:
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    wanted = frequency * np.exp(-((frequency / 0.2) ** 2))
    noise = NoiseSource(wanted, 256).draw(40, np.random.default_rng(0))
    spectrum = spectrum_of_noise(noise, (1.0, 1.0))
    seen = seen_in_regions(wanted / wanted.mean(), 64)
    ring = np.rint(64 * np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))).astype(int)
    expected = np.array([seen[ring == r].mean() for r in range(33)])
    # The second-order trend that is taken out of every region holds the four lowest bins, and nothing above them.
    assert spectrum.density[4:] == pytest.approx(expected[4:], rel=0.03)
    assert (spectrum.density[:4] < expected[:4]).all()
    assert spectrum.peak == pytest.approx(0.2 / np.sqrt(2), abs=1 / 64)


def test_noise_drawn_from_a_measured_spectrum_has_that_spectrum() -> None:
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    wanted = frequency * np.exp(-((frequency / 0.2) ** 2))
    measured = spectrum_of_noise(NoiseSource(wanted, 256).draw(40, np.random.default_rng(0)), (1.0, 1.0))
    drawn = spectrum_of_noise(NoiseSource(measured.density_2d, 128).draw(120, np.random.default_rng(1)), (1.0, 1.0))
    strong = measured.density > 0.05 * measured.density.max()
    assert (drawn.density / drawn.sigma**2)[strong] == pytest.approx(
        (measured.density / measured.sigma**2)[strong], rel=0.1
    )
    assert drawn.peak == pytest.approx(measured.peak, abs=0.005)
    assert drawn.mean == pytest.approx(measured.mean, rel=0.02)


def test_spectrum_of_a_scan_is_that_of_its_noise() -> None:
    truth = body_phantom(slices=16, size=256, spacing=(3.0, 1.4, 1.4), seed=1)
    noise = mix_slices(independent_noise(truth, 30.0, seed=2), 0.25)
    measured = noise_spectrum(truth.with_voxels(truth.voxels + noise))
    middle = noise[:, 96:160, 64:192]
    real = spectrum_of_noise(np.ascontiguousarray(middle), (1.4, 1.4), measured.density_2d.shape[0])
    assert measured.mean == pytest.approx(real.mean, rel=0.06)


def test_a_thin_wall_around_lungs_is_enough_for_a_coarse_spectrum() -> None:
    rows = np.arange(144) - 71.5
    far = np.hypot(*np.meshgrid(rows, rows))
    truth = np.select([far < 30, far < 62], [-860.0, 50.0], -1000.0).astype(np.float32)
    f = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(64)]))
    noise = NoiseSource(f * np.exp(-((f / 0.2) ** 2)), 144).draw(
        12, np.random.default_rng(3)
    )  # as a ramp and a kernel leave
    image = Image(truth + 20 * noise, (2.0, 1.0, 1.0), "CT", "HU")
    measured = noise_spectrum(image)
    assert measured.density_2d.shape == (16, 16)
    assert measured.mean == pytest.approx(spectrum_of_noise(20 * noise, (1.0, 1.0)).mean, rel=0.1)


def test_too_little_tissue_gives_no_spectrum() -> None:
    air = np.full((4, 64, 64), -1000, np.float32) + white(5, (4, 64, 64))
    with pytest.raises(InputError, match="uniform tissue"):
        noise_spectrum(Image(air, (3, 1, 1), "CT", "HU"))
