import numpy as np
import pytest
from tests.quality.analytic import colored, frequencies, ramp

from demottle.errors import InputError
from demottle.noise.spectrum import spectrum_of_density
from demottle.quality.objects.detectability import Viewing, dprime, task_image
from demottle.quality.objects.nps import nps_of_uniform
from demottle.quality.objects.tasks import Blurred, Difference, Disc, Gaussian, Ring, Square, with_energy_of

SPACING, SIZE = 0.7, 128
F = np.linspace(0, 1, 400)
TTF = np.exp(-2 * (np.pi * 0.6 * F) ** 2)
DISC = Disc(6, 10)
TASKS = [
    Disc(3, 10), Disc(10, 5), Gaussian(6, 8), Disc(6, 10, exponent=1), Ring(3, 8, 6),
    Difference(DISC, with_energy_of(Square(6, 10), DISC)), Difference(DISC, Blurred(DISC, 1.5)),
]  # fmt: skip


@pytest.fixture(scope="module")
def measured():
    return nps_of_uniform(colored(ramp(frequencies(256, SPACING)), SPACING, 24, seed=0), SPACING)


@pytest.mark.slow
def test_dprime_is_that_of_a_monte_carlo_observer_within_two_percent(measured) -> None:
    """8,000 noise images seen through each template: the observer's d' is known to 0.8 %."""
    viewings = (None, Viewing(distance=450, magnification=1.5))
    signals = [task_image(task, (SIZE, SIZE), (SPACING, SPACING), F, TTF) for task in TASKS]
    eyes = [1.0 if v is None else v.eye(frequencies(SIZE, SPACING)) ** 2 for v in viewings]
    templates = np.array(
        [[np.fft.ifft2(np.fft.fft2(s) * eye).real.ravel() for s in signals] for eye in eyes], np.float32
    )
    flat = templates.reshape(-1, SIZE * SIZE).T
    power = ramp(frequencies(SIZE, SPACING))
    draws = (colored(power, SPACING, 400, seed=10 + i).reshape(400, -1) for i in range(20))
    deviation = np.concatenate([noise @ flat for noise in draws]).std(axis=0, dtype=np.float64)
    seen = np.array([[t @ s.ravel() for t, s in zip(row, signals, strict=True)] for row in templates])
    observed = seen / deviation.reshape(seen.shape)
    stated = np.array([[dprime(task, measured, F, TTF, v) for task in TASKS] for v in viewings])
    assert stated == pytest.approx(observed, rel=0.02)


def test_in_white_noise_dprime_is_the_root_of_energy_over_noise_power() -> None:
    white = spectrum_of_density(np.full((64, 64), 40.0), (0.5, 0.5))
    for task in (Gaussian(5, 6), Disc(8, 6, exponent=2)):
        assert dprime(task, white, F, np.ones_like(F)) == pytest.approx(np.sqrt(task.energy / 40), rel=0.005)


def test_shapes_of_one_energy_are_equally_visible_but_told_apart() -> None:
    white = spectrum_of_density(np.full((64, 64), 40.0), (0.5, 0.5))
    square = with_energy_of(Square(6, 10), DISC)
    assert square.energy == pytest.approx(DISC.energy)
    sharp, soft = (np.exp(-2 * (np.pi * s * F) ** 2) for s in (0.3, 1.5))
    assert dprime(square, white, F, sharp) == pytest.approx(dprime(DISC, white, F, sharp), rel=0.02)
    assert dprime(Difference(DISC, square), white, F, sharp) > 1.3 * dprime(Difference(DISC, square), white, F, soft)


def test_an_object_as_imaged_has_its_contrast_and_integral() -> None:
    image = task_image(Disc(20, -12), (128, 128), (0.7, 0.7), F, TTF)
    assert image[64, 64] == pytest.approx(-12, rel=0.01)
    assert image.sum() * 0.49 == pytest.approx(-12 * np.pi * 100, rel=1e-6)


def test_the_eye_sees_best_at_three_cycles_per_degree_whatever_the_distance() -> None:
    f = np.linspace(0.01, 3, 3000)
    near, far = (f[np.argmax(Viewing(distance=d).eye(f))] for d in (300, 900))
    assert near == pytest.approx(3 * far, rel=0.02)
    assert near * 300 * np.tan(np.pi / 180) == pytest.approx(3.3, rel=0.02)


def test_bad_input_is_one_sentence(measured) -> None:
    with pytest.raises(InputError, match="positive size"):
        Disc(0, 10)
    with pytest.raises(InputError, match="positive distance"):
        Viewing(distance=0)
    with pytest.raises(InputError, match="rise from 0"):
        dprime(DISC, measured, F[1:], TTF[1:])
    with pytest.raises(InputError, match="NaN"):
        dprime(DISC, measured, F, TTF * np.nan)
    with pytest.raises(InputError, match="no noise"):
        dprime(DISC, spectrum_of_density(np.zeros((64, 64)), (0.7, 0.7)), F, TTF)
