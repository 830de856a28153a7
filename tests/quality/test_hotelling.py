import os
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from tests.quality.analytic import colored, frequencies, ramp

from demottle.errors import InputError
from demottle.quality.objects.channels import difference_of_gaussians, laguerre_gauss
from demottle.quality.objects.detectability import task_image
from demottle.quality.objects.hotelling import change_of_dprime, hotelling, hotelling_of_outputs, roc_area
from demottle.quality.objects.tasks import Difference, Disc, Square, with_energy_of

SIZE, SPACING = 48, 0.7
SHAPE = (SIZE, SIZE)
DOSES = ("dose_010", "dose_055", "dose_100")
DISC = Disc(6, 9)
SQUARE = with_energy_of(Square(6, 9), DISC)


def closed_form(signal: np.ndarray, channels: np.ndarray, power: np.ndarray) -> float:
    """d' of the observer whose covariance is known: periodic noise of a known spectrum."""
    u = channels.reshape(len(channels), -1)
    through = np.fft.ifft2(np.fft.fft2(channels) * power / SPACING**2).real.reshape(len(channels), -1)
    mean = u @ signal.ravel()
    return float(np.sqrt(mean @ np.linalg.solve(u @ through.T, mean)))


def imaged(task) -> np.ndarray:
    return task_image(task, SHAPE, (SPACING, SPACING))


@pytest.mark.parametrize("color", ["white", "ramp"])
@pytest.mark.parametrize("kind", ["laguerre_gauss", "difference_of_gaussians"])
def test_in_gaussian_noise_dprime_is_the_closed_form(color, kind) -> None:
    f = frequencies(SIZE, SPACING)
    power = np.full(SHAPE, 300.0) if color == "white" else ramp(f)
    lg = kind == "laguerre_gauss"
    channels = laguerre_gauss(SHAPE, 8.0, SPACING) if lg else difference_of_gaussians(SHAPE, SPACING)
    noise = colored(power, SPACING, 4000, seed=4)
    found = hotelling(noise[::2] + imaged(DISC), noise[1::2], channels, bootstrap=200)
    truth = closed_form(imaged(DISC), channels, power)
    assert found.dprime == pytest.approx(truth, rel=0.04)
    assert found.dprime_low < truth < found.dprime_high
    assert found.auc_held_out == pytest.approx(ndtr(truth / np.sqrt(2)), abs=0.01)


def test_few_images_give_no_better_dprime_than_many_and_intervals_that_hold_the_truth() -> None:
    random, channels = np.random.default_rng(2), np.eye(6).reshape(6, 1, 6)
    found = []
    for seed in range(120):
        present, absent = random.standard_normal((2, 30, 1, 6))
        present[:, 0, 0] += 2.0
        found.append(hotelling(present, absent, channels, bootstrap=300, seed=seed))
    assert np.sqrt(np.mean([f.dprime**2 for f in found])) == pytest.approx(2.0, rel=0.04)
    assert np.mean([f.dprime_low <= 2.0 <= f.dprime_high for f in found]) >= 0.89  # 95 % less three standard errors


def test_a_change_of_dprime_is_known_better_than_either_and_its_interval_holds_the_truth() -> None:
    random, held, widths = np.random.default_rng(3), [], []
    for seed in range(100):
        present, absent = random.standard_normal((2, 40, 3))
        present[:, 0] += 2.0
        # Independent noise of a quarter of the power: d' falls by a factor of sqrt(1.25).
        before, after = (present, absent), tuple(s + 0.5 * random.standard_normal(s.shape) for s in (present, absent))
        change, low, high = change_of_dprime(before, (after[0], after[1]), bootstrap=200, seed=seed)
        held.append(low <= 2 / np.sqrt(1.25) - 2 <= high)
        widths.append(high - low)
        assert low <= change <= high
    assert np.mean(held) >= 0.88
    single = hotelling_of_outputs(present, absent, bootstrap=200)
    assert np.mean(widths) < 0.75 * (single.dprime_high - single.dprime_low)


def test_a_shape_task_is_solved_and_becomes_harder_with_blur() -> None:
    power = np.full(SHAPE, 60.0)
    channels = np.concatenate([laguerre_gauss(SHAPE, 8.0, SPACING), imaged(Difference(DISC, SQUARE))[None]])
    noise = colored(power, SPACING, 1000, seed=5)
    f = np.linspace(0, 1, 200)
    found = []
    for sigma in (0.3, 1.2):
        ttf = np.exp(-2 * (np.pi * sigma * f) ** 2)
        disc, square = (task_image(task, SHAPE, (SPACING, SPACING), f, ttf) for task in (DISC, SQUARE))
        found.append(hotelling(noise[::2] + disc, noise[1::2] + square, channels, bootstrap=200))
    sharp, soft = found
    assert sharp.dprime_low > soft.dprime_high
    assert sharp.auc_held_out > 0.8


def test_nothing_to_see_is_chance_and_the_same_seed_gives_the_same_figures() -> None:
    noise = colored(np.full(SHAPE, 50.0), SPACING, 400, seed=6)
    channels = laguerre_gauss(SHAPE, 8.0, SPACING)
    one, other = (hotelling(noise[::2], noise[1::2], channels, bootstrap=200, seed=3) for _ in range(2))
    assert one == other
    assert one.dprime_low == 0
    assert one.auc_held_out == pytest.approx(0.5, abs=0.1)
    assert roc_area(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])) == pytest.approx(4.5 / 6)


def test_laguerre_gauss_channels_are_orthonormal() -> None:
    channels = laguerre_gauss((128, 128), 30.0, 1.0, count=5).reshape(5, -1)
    assert channels @ channels.T == pytest.approx(np.eye(5), abs=1e-3)


def test_bad_input_is_one_sentence() -> None:
    channels = laguerre_gauss(SHAPE, 8.0, SPACING)
    few = np.zeros((6, *SHAPE))
    with pytest.raises(InputError, match="too few"):
        hotelling(few, few, channels)
    with pytest.raises(InputError, match="channels"):
        hotelling(np.zeros((20, 8, 8)), np.zeros((20, 8, 8)), channels)
    with pytest.raises(InputError, match="NaN"):
        hotelling(few * np.nan, few, channels)
    with pytest.raises(InputError, match="positive width"):
        laguerre_gauss(SHAPE, 0, SPACING)


@pytest.mark.real_data
def test_on_the_low_contrast_phantom_dprime_rises_with_dose() -> None:
    if "DEMOTTLE_REAL_DATA" not in os.environ:
        pytest.skip("DEMOTTLE_REAL_DATA is unset")
    root = Path(os.environ["DEMOTTLE_REAL_DATA"]) / "low-contrast-phantom"

    def images(path: Path) -> np.ndarray:
        return np.stack([np.fromfile(p, "<u2").reshape(256, 256) for p in sorted(path.glob("*.raw"))]).astype(float)

    truth = np.fromfile(root / "ground_truth.raw", "<u2").reshape(256, 256)
    doses = [[images(root / dose / f"signal_{kind}") for kind in ("present", "absent")] for dose in DOSES]
    found = np.array([[_at_disc(truth == value, *sets) for sets in doses] for value in (1003, 1005, 1007, 1014)])
    low, middle, high = found[:, :, 0].mean(axis=0)
    # Ten repeats know one disc's d' to about 0.4 and the mean of four to 0.2: 55 and 100 % are hardly told apart.
    assert low < middle < high
    assert middle - low > 0.6
    assert (found[:, :, 1] <= found[:, :, 0]).all() and (found[:, :, 0] <= found[:, :, 2]).all()


def _at_disc(inside: np.ndarray, present: np.ndarray, absent: np.ndarray) -> tuple[float, float, float]:
    row, column = (int(n) for n in np.rint(np.median(np.argwhere(inside), axis=0)))
    cut = (slice(None), slice(row - 20, row + 20), slice(column - 20, column + 20))
    # The phantom without discs is the same in all four quadrants: its mirror images are further realizations.
    mirrored = np.concatenate([absent, absent[:, ::-1], absent[:, :, ::-1], absent[:, ::-1, ::-1]])
    channels = laguerre_gauss((40, 40), 2.5 * np.sqrt(inside.sum() / np.pi), 1.0, count=3)
    result = hotelling(present[cut], mirrored[cut], channels)
    return result.dprime, result.dprime_low, result.dprime_high


@pytest.mark.parametrize("size", [3, 5])
def test_crops_too_small_for_the_channels_are_refused_in_a_sentence(size) -> None:
    present, absent = np.random.default_rng(0).standard_normal((2, 60, size, size))
    with pytest.raises(InputError, match=r"6 channels do not tell different things.*larger crops"):
        hotelling(present, absent, laguerre_gauss((size, size), 8.0, SPACING), bootstrap=20)


def test_images_without_noise_are_refused_in_a_sentence() -> None:
    flat, channels = np.zeros((30, *SHAPE)), laguerre_gauss(SHAPE, 8.0, SPACING)
    outputs = flat.reshape(30, -1) @ channels.reshape(6, -1).T
    with pytest.raises(InputError, match="hold noise"):
        hotelling(flat + imaged(DISC), flat, channels, bootstrap=20)
    with pytest.raises(InputError, match="hold noise"):
        change_of_dprime((outputs, outputs), (outputs, outputs), bootstrap=20)
