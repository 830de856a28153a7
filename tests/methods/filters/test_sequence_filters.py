"""Frame average, recursive filters and NVCA do what their formulas say."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods import load
from demottle.methods.filters import frame_average, motion_adaptive_recursive, nvca, recursive
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.noise.sequence.lag import lagged
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire

SPACING = (1 / 15, 0.4, 0.4)


def white(frames: int = 60, size: int = 64, sigma: float = 10.0, seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).normal(100, sigma, (frames, size, size))
    return Image(noise.astype(np.float32), SPACING, "XA")


def gain_db(before: Image, after: Image, skip: int = 30) -> float:
    """Noise taken out in dB, over frames away from the ends of the run."""
    return float(20 * np.log10((before.voxels[skip:-2] - 100).std() / (after.voxels[skip:-2] - 100).std()))


def fit(module, image: Image, **settings):
    return module.fit(image, module.Settings(**settings), measure_sequence(image))


def test_recursive_takes_out_nine_and_a_half_decibel() -> None:
    image = white()
    assert gain_db(image, fit(recursive, image)(image)) == pytest.approx(9.54, abs=0.2)
    assert gain_db(image, fit(recursive, image, weight=0.4)(image)) == pytest.approx(6.02, abs=0.2)


@pytest.mark.parametrize("centered", [False, True])
def test_five_frames_take_out_seven_decibel(centered: bool) -> None:
    image = white()
    after = fit(frame_average, image, centered=centered)(image)
    assert gain_db(image, after) == pytest.approx(6.99, abs=0.15)
    middle = slice(10, 15) if centered else slice(8, 13)
    assert after.voxels[12] == pytest.approx(image.voxels[middle].mean(axis=0), abs=1e-3)


def test_ends_of_a_run_average_what_there_is() -> None:
    image = white(6, 32)
    after = fit(frame_average, image, centered=True)(image).voxels
    assert after[0] == pytest.approx(image.voxels[:3].mean(axis=0), abs=1e-3)
    assert after[-1] == pytest.approx(image.voxels[-3:].mean(axis=0), abs=1e-3)


def test_motion_adaptive_takes_noise_beyond_two_deviations_for_motion_and_so_removes_less() -> None:
    image = white()
    assert 6.9 < gain_db(image, fit(motion_adaptive_recursive, image)(image)) < 7.6
    assert gain_db(image, fit(motion_adaptive_recursive, image, low=6.0, high=8.0)(image)) == pytest.approx(
        9.54, abs=0.2
    )


def test_nvca_takes_out_noise_of_single_frames_too() -> None:
    image = white(20, 48)
    assert gain_db(image, fit(nvca, image)(image), skip=5) > 7


def step_of(module, contrast: float, **settings) -> np.ndarray:
    """Mean over a patch that changes by `contrast` (in standard deviations) at frame 20, after filtering, 0 before to 1."""
    image = white(40, 32, 10.0)
    made = fit(module, image, **settings)
    voxels = image.voxels.copy()
    voxels[20:, 8:24, 8:24] += 10 * contrast
    after = made(image.with_voxels(voxels)).voxels[:, 8:24, 8:24].mean(axis=(1, 2))
    return (after - 100) / (10 * contrast)


def test_what_appears_lags_behind_in_the_plain_filter_only() -> None:
    assert step_of(recursive, 8)[20] == pytest.approx(0.2, abs=0.02)
    assert step_of(recursive, 8)[29] == pytest.approx(1 - 0.8**10, abs=0.02)
    assert step_of(motion_adaptive_recursive, 8)[20] > 0.98
    assert step_of(nvca, 8)[20] > 0.95


def test_the_order_of_magnitude_of_the_file_makes_no_difference() -> None:
    frames = np.random.default_rng(3).uniform(0.05, 0.3, 8)
    scene = Image(np.broadcast_to(np.repeat(frames, 8).astype(np.float32), (20, 64, 64)).copy(), SPACING, "XA")
    run = acquire(scene, Exposure(24), seed=1).noisy
    scaled = run.with_voxels(run.voxels / 64 - 3)
    for module in (motion_adaptive_recursive, nvca):
        one, other = (fit(module, image)(image).voxels for image in (run, scaled))
        assert other == pytest.approx(one / 64 - 3, abs=0.05)


@pytest.mark.parametrize(
    ("module", "settings"),
    [
        (recursive, {"weight": 0.0}),
        (motion_adaptive_recursive, {"low": 4.0, "high": 2.0}),
        (frame_average, {"frames": 4, "centered": True}),
        (nvca, {"window": 4}),
    ],
)
def test_settings_that_cannot_work_are_one_sentence(module, settings: dict[str, float]) -> None:
    with pytest.raises(InputError, match="has to be"):
        module.Settings(**settings)


def with_lag(lag: float) -> tuple[Image, Image]:
    """Blocks of 8 x 8 pixels of many signals, some of which fall by 30 % halfway, with Poisson noise and lag; and the truth."""
    rng = np.random.default_rng(4)
    scene = np.broadcast_to(np.kron(rng.uniform(400, 1600, (10, 10)), np.ones((8, 8))), (40, 80, 80)).copy()
    scene[20:, 8:24, 8:24] *= 0.7
    noisy = lagged(rng.poisson(scene).astype(np.float32), lag)
    return Image(noisy, SPACING, "XA"), Image(scene.astype(np.float32), SPACING, "XA")


@pytest.mark.parametrize("module", [recursive, frame_average, motion_adaptive_recursive, nvca])
def test_lag_is_undone_and_nothing_of_the_frame_before_is_left(module) -> None:
    noisy, clean = with_lag(0.25)
    undone, left_in = (fit(module, noisy, correct_lag=on) for on in (True, False))
    assert undone.fitted["lag"] == pytest.approx(0.25, abs=0.04)
    assert left_in.fitted["lag"] == 0
    patch = (20, slice(9, 23), slice(9, 23))  # the first frame after the step
    step = float((clean.voxels[20] - clean.voxels[19])[patch[1:]].mean())
    missing = [float((run(noisy).voxels - clean.voxels)[patch].mean()) / -step for run in (undone, left_in)]
    assert missing[0] < missing[1] - 0.03
    if module in (motion_adaptive_recursive, nvca):
        assert missing[0] < 0.06
        assert missing[1] > 0.15


def test_a_filter_for_lag_comes_back_from_its_file(tmp_path) -> None:
    noisy, _ = with_lag(0.25)
    made = fit(motion_adaptive_recursive, noisy)
    again = load(made.save(tmp_path / "filter.safetensors"))
    assert np.array_equal(again(noisy).voxels, made(noisy).voxels)
