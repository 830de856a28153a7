"""Measuring runs: everything is compared with what the simulator was told."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.sequence.curve import NoiseCurve, curve_of
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.dynamic import Dynamic, dynamic_phantom

SPACING = (1 / 15, 0.4, 0.4)
ELECTRONIC = Exposure(12, blur=0)
LAG = Exposure(50, lag=0.1, electronic=0)
CAMERA = Exposure(24, recursion=0.4)


@pytest.fixture(scope="module")
def scenes() -> dict[str, Dynamic]:
    return {name: dynamic_phantom(40, 160, 15, seed=3, motion=name) for name in ("static", "slow", "fast", "panning")}  # type: ignore[arg-type]


@pytest.mark.parametrize("motion", ["static", "slow", "fast"])
@pytest.mark.parametrize("exposure", [Exposure(24), ELECTRONIC, LAG, CAMERA], ids=["usual", "white", "lag", "camera"])
def test_noise_against_signal_is_right_to_three_percent(
    motion: str, exposure: Exposure, scenes: dict[str, Dynamic]
) -> None:
    run = acquire(scenes[motion].image, exposure, seed=1)
    found = measure_sequence(run.noisy)
    expected = np.sqrt(run.facts["gain"] * (found.curve.signal - run.facts["black"]) + run.facts["noise_offset"])
    assert found.curve.deviation == pytest.approx(expected, rel=0.04)
    assert np.median(found.curve.deviation / expected) == pytest.approx(1, abs=0.03)
    assert found.curve.gain == pytest.approx(run.facts["gain"], rel=0.1)
    offset = run.facts["noise_offset"] - run.facts["gain"] * run.facts["black"]
    assert found.curve.offset == pytest.approx(offset, abs=0.1 * expected.max() ** 2)
    assert found.curve.misfit < 0.05


@pytest.mark.parametrize(
    ("exposure", "held"), [(Exposure(24), 0.0), (LAG, 0.1), (CAMERA, 0.6), (Exposure(24, recursion=0.2), 0.8)]
)
@pytest.mark.parametrize("motion", ["static", "fast"])
def test_what_frames_share_is_found_although_something_moves(
    motion: str, exposure: Exposure, held: float, scenes: dict[str, Dynamic]
) -> None:
    found = measure_sequence(acquire(scenes[motion].image, exposure, seed=2).noisy)
    assert found.held == pytest.approx(held, abs=0.02)
    assert found.temporal_correlation[0] == pytest.approx(held, abs=0.02)
    assert found.temporal_correlation[1] == pytest.approx(held**2, abs=0.03)


@pytest.mark.parametrize(("lag", "quanta"), [(0.0, 24), (0.1, 50), (0.1, 24), (0.2, 50)])
@pytest.mark.parametrize("motion", ["static", "fast"])
def test_lag_is_told_apart_from_electronic_noise(
    motion: str, lag: float, quanta: float, scenes: dict[str, Dynamic]
) -> None:
    found = measure_sequence(acquire(scenes[motion].image, Exposure(quanta, lag=lag), seed=1).noisy)
    assert found.lag == pytest.approx(lag, abs=0.03)
    assert found.held <= found.lag + 0.02  # electronic noise is not held over


@pytest.mark.parametrize("exposure", [Exposure(24), LAG, CAMERA], ids=["usual", "lag", "camera"])
def test_under_a_panning_table_noise_is_right_to_a_tenth(exposure: Exposure, scenes: dict[str, Dynamic]) -> None:
    run = acquire(scenes["panning"].image, exposure, seed=1)
    found = measure_sequence(run.noisy)
    expected = np.sqrt(run.facts["gain"] * (found.curve.signal - run.facts["black"]) + run.facts["noise_offset"])
    assert np.median(found.curve.deviation / expected) == pytest.approx(1, abs=0.1)
    assert found.pan == pytest.approx(40 / 15 / (200 / 160), rel=0.35)  # noise that frames share holds it back


def test_the_share_that_moves_and_the_motion_of_the_whole(scenes: dict[str, Dynamic]) -> None:
    share, pan = {}, {}
    for name, scene in scenes.items():
        found = measure_sequence(acquire(scene.image, Exposure(24), seed=4).noisy)
        share[name], pan[name] = found.moving_share, found.pan
    assert share["static"] < 0.02 < share["slow"] < share["fast"] < 0.5
    assert pan["static"] < 0.3 and pan["panning"] > 1.5


def test_noise_that_pixels_share(scenes: dict[str, Dynamic]) -> None:
    white = measure_sequence(acquire(scenes["static"].image, ELECTRONIC, seed=1).noisy).spatial_correlation
    assert white[0, 0] == 1 and np.abs(white.ravel()[1:]).max() < 0.02
    blurred = measure_sequence(acquire(scenes["static"].image, Exposure(50, blur=0.8, electronic=0), seed=1).noisy)
    expected = np.exp(-1 / (4 * 0.8**2))  # of a Gaussian of 0.8 pixels
    assert blurred.spatial_correlation[0, 1] == pytest.approx(expected, abs=0.03)
    assert blurred.spatial_correlation[1, 0] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("display", ["log", "gamma"])
def test_the_curve_holds_for_any_display(display: str, scenes: dict[str, Dynamic]) -> None:
    run = acquire(scenes["static"].image, Exposure(50, display=display), seed=1)  # type: ignore[arg-type]
    curve = measure_sequence(run.noisy).curve
    noise = run.noisy.voxels - run.noisy.voxels.mean(axis=0)
    level = run.noisy.voxels.mean(axis=0)
    assert len(curve.signal) > 8
    for low, high in zip(curve.signal[2:-3:3], curve.signal[4:-1:3], strict=True):
        part = (level > low) & (level < high)
        expected = noise[:, part].std() * np.sqrt(40 / 39)
        assert curve.sigma(np.float32([(low + high) / 2]))[0] == pytest.approx(expected, rel=0.08)


def test_stabilized_noise_has_deviation_one_and_the_way_back_is_exact() -> None:
    curve = NoiseCurve(np.linspace(100, 3000, 12), np.sqrt(5 * np.linspace(100, 3000, 12) + 400), 5.0, 400.0)
    for level in (200, 1000, 2900):
        noise = np.random.default_rng(1).normal(level, np.sqrt(5 * level + 400), 20000).astype(np.float32)
        assert curve.stabilize(noise).std() == pytest.approx(1, rel=0.03)
    values = np.linspace(-500, 5000, 500).astype(np.float32)
    assert curve.restore(curve.stabilize(values)) == pytest.approx(values, abs=0.5)
    assert (np.diff(curve.stabilize(values)) > 0).all()
    flat = curve_of(np.full(50, 7.0), np.full(50, 4.0))
    assert flat is not None and flat.level == pytest.approx(2)
    assert flat.restore(flat.stabilize(values)) == pytest.approx(values, abs=0.5)


def noise_only(frames: int, size: int = 64) -> Image:
    return Image(np.random.default_rng(5).normal(500, 20, (frames, size, size)).astype(np.float32), SPACING, "XA")


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_few_frames_give_a_level_and_say_what_is_not_known(frames: int) -> None:
    found = measure_sequence(noise_only(frames))
    assert found.noise_level == pytest.approx(20, rel=0.15)
    assert np.isnan(found.held) == (frames < 3)
    assert any("only frame" in warning for warning in found.warnings) == (frames == 1)


def test_odd_runs_are_told_about() -> None:
    image = noise_only(12)
    dark, twice, bright = image.voxels.copy(), image.voxels.copy(), image.voxels.copy()
    dark[:2] *= 0.1
    twice[5] = twice[4]
    bright[:, :20] = 1023
    for voxels, words in ((dark, "first 2 frames are darker"), (twice, "1 frame repeats"), (bright, "overexposed")):
        assert any(words in warning for warning in measure_sequence(image.with_voxels(voxels)).warnings)
    assert measure_sequence(image).warnings == ()
    overexposed = measure_sequence(image.with_voxels(bright))
    assert overexposed.noise_level == pytest.approx(20, rel=0.1)
    assert overexposed.saturated == pytest.approx(20 / 64, abs=0.01)


def test_a_frame_from_before_the_exposure_does_not_change_what_is_measured(scenes: dict[str, Dynamic]) -> None:
    run = acquire(scenes["fast"].image, Exposure(24), seed=1).noisy
    begins = run.voxels.copy()
    begins[0] *= 0.4
    found, rest = measure_sequence(run.with_voxels(begins)), measure_sequence(run)
    assert found.warnings[0].startswith("The first frame is darker")
    assert found.moving_share == pytest.approx(rest.moving_share, abs=0.02)
    assert found.noise_level == pytest.approx(rest.noise_level, rel=0.02)


def test_what_holds_no_noise_or_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="no noise that could be measured"):
        measure_sequence(Image(np.full((5, 64, 64), 7, np.float32), SPACING, "XA"))
    with pytest.raises(InputError, match="at least 32 x 32"):
        measure_sequence(noise_only(5, 24))


def test_behind_the_shutter_nothing_is_measured() -> None:
    image = noise_only(12)
    valid = np.ones(image.shape, np.bool_)
    valid[:, :, :30] = False
    voxels = np.where(valid, image.voxels, np.random.default_rng(2).normal(50, 300, image.shape)).astype(np.float32)
    found = measure_sequence(Image(voxels, SPACING, "XA", valid=valid))
    assert found.noise_level == pytest.approx(20, rel=0.1) and found.curve.signal.min() > 400
