import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.ct.ct_noise import (
    Scanner,
    central_body,
    independent_noise,
    mix_slices,
    mixing_weights,
    simulate_noise,
)

SIZE, PIXEL = 128, 2.4


def water(slices=4, rows=100.0, columns=100.0, size=SIZE, pixel=PIXEL):
    """An elliptic cylinder of water in air; half-axes in mm."""
    at = (np.arange(size) - (size - 1) / 2) * pixel
    plane = np.where((at[:, None] / rows) ** 2 + (at[None] / columns) ** 2 < 1, 0, -1000).astype(np.float32)
    return Image(np.stack([plane] * slices), (3, pixel, pixel), modality="CT", unit="HU")


def lag(noise, region, k):
    return np.corrcoef(noise[:-k][region[k:]], noise[k:][region[k:]])[0, 1]


@pytest.fixture(scope="module")
def cylinder():
    return water(slices=24)


@pytest.fixture(scope="module")
def unmixed(cylinder):
    return independent_noise(cylinder, 40.0, seed=3)


def test_noise_has_the_level_asked_for(cylinder, unmixed):
    region = central_body(cylinder)
    assert unmixed[1:-1][region].std() == pytest.approx(40.0, rel=0.03)
    assert abs(unmixed[1:-1][region].mean()) < 1.0


@pytest.mark.parametrize("rho", [0.0, 0.12, 0.28, 0.45, 0.7])
def test_adjacent_slices_correlate_as_asked(cylinder, unmixed, rho):
    noise, region = mix_slices(unmixed, rho), central_body(cylinder)
    side = mixing_weights(rho)[0]
    assert lag(noise, region, 1) == pytest.approx(rho, abs=0.03)
    assert lag(noise, region, 2) == pytest.approx(side**2, abs=0.03)
    assert lag(noise, region, 3) == pytest.approx(0, abs=0.03)
    assert noise[region].std() == pytest.approx(40.0, rel=0.03)


@pytest.mark.parametrize("rho", np.linspace(0, 0.7, 8))
def test_mixing_weights_keep_the_variance_and_give_rho_exactly(rho):
    a, b, c = mixing_weights(rho)
    assert a == c <= b
    assert a * a + b * b + c * c == pytest.approx(1)
    assert 2 * a * b == pytest.approx(rho)


def test_center_of_a_cylinder_is_noisier_than_its_rim(unmixed):
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    r = np.hypot(at[:, None], at[None])
    assert unmixed[:, r < 25].std() > 1.2 * unmixed[:, (r > 85) & (r < 98)].std()


def test_noise_runs_in_streaks_along_the_long_axis():
    """Rays along the shoulders are the noisiest, so noise changes more slowly along them than across them."""
    noise = independent_noise(water(2, rows=70, columns=145), 40.0, seed=0)[:, 44:84, 44:84]
    along, across = np.diff(noise, axis=2).std(), np.diff(noise, axis=1).std()
    assert across > 1.5 * along


def test_spectrum_is_that_of_ramp_and_kernel():
    image = water(8, pixel=1.0, rows=60, columns=60)
    noise = independent_noise(image, 40.0, Scanner(angles=360, kernel="standard", bow_tie=0), seed=1)
    power = np.mean(np.abs(np.fft.fft2(noise[:, 32:96, 32:96])) ** 2, axis=0)
    frequency = np.fft.fftfreq(64, 1.0)
    radius = np.hypot(*np.meshgrid(frequency, frequency))
    rings = np.arange(0.03, 0.48, 0.03)
    found = np.array([power[np.abs(radius - f) < 0.015].mean() for f in rings])
    expected = rings * np.cos(np.pi * rings / (2 * 0.9)) ** 4
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), atol=0.02)
    assert rings[found.argmax()] == pytest.approx(0.31 * 0.9, abs=0.07)


def test_thicker_slices_are_noisier_at_the_same_dose():
    thin, thick = water(1, rows=80).voxels, water(1, rows=120).voxels
    image = Image(np.concatenate([thin, thick]), (3, PIXEL, PIXEL), modality="CT", unit="HU")
    noise = independent_noise(image, 40.0, seed=0)[1:-1, 50:78, 50:78]
    assert noise[1].std() > 1.3 * noise[0].std()


def test_same_seed_same_noise_and_another_seed_another():
    image = water(2)
    first, again, other = (simulate_noise(image, 20.0, 0.3, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.05
    assert first.dtype == np.float32 and first.shape == image.shape


def test_region_decides_where_the_level_holds():
    image = water(6)
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    rim = np.broadcast_to(np.abs(np.hypot(at[:, None], at[None]) - 90) < 8, image.shape)
    noise = simulate_noise(image, 30.0, 0.0, region=rim)
    assert noise[rim].std() == pytest.approx(30.0, rel=0.04)


def test_progress_is_reported():
    heard = []
    simulate_noise(water(2), 20.0, 0.0, listener=heard.append)
    assert [event.done for event in heard] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "sigma", "rho", "words"),
    [
        ({}, 20.0, 0.8, "0.7"),
        ({}, 0.0, 0.1, "positive"),
        ({"unit": "a.u."}, 20.0, 0.1, "HU"),
        ({"spacing": (3, 1, 2)}, 20.0, 0.1, "square"),
    ],
)
def test_what_cannot_be_simulated_is_refused(change, sigma, rho, words):
    image = Image(**({"voxels": water(1).voxels, "spacing": (3, 2, 2), "modality": "CT", "unit": "HU"} | change))
    with pytest.raises(InputError, match=words):
        simulate_noise(image, sigma, rho)


def test_image_without_a_body_is_refused():
    air = Image(np.full((1, 64, 64), -1000, np.float32), (3, 2, 2), modality="CT", unit="HU")
    with pytest.raises(InputError, match="region"):
        simulate_noise(air, 20.0, 0.0)
