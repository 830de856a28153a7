"""A simulated run has the noise that its exposure says, and the truth beside it."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom


def flat(frames: int = 60, size: int = 64, levels: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3)) -> Image:
    """Vertical stripes of several transmissions, so that noise can be measured against signal."""
    row = np.repeat(np.asarray(levels, np.float32), size // len(levels))
    return Image(np.broadcast_to(row, (frames, size, row.size)).copy(), (1 / 15, 0.4, 0.4), "XA")


def inside(run: Run, stripe: int) -> np.ndarray:
    """Frames of the middle of one stripe, away from its blurred edges."""
    return run.noisy.voxels[:, 8:-8, 16 * stripe + 5 : 16 * stripe + 11]


@pytest.mark.parametrize(
    "exposure",
    [
        Exposure(24, scatter=0, blur=0, electronic=3),
        Exposure(50, scatter=0, blur=0.8, electronic=2),
        Exposure(50, scatter=0, blur=0.6, lag=0.3, recursion=0.4, electronic=4),
    ],
)
def test_variance_grows_with_the_signal_as_the_facts_say(exposure: Exposure) -> None:
    run = acquire(flat(), exposure, seed=3)
    for stripe in range(4):
        seen = inside(run, stripe)
        wanted = run.facts["gain"] * (seen.mean() - run.facts["black"]) + run.facts["noise_offset"]
        assert seen.var(axis=0, ddof=1).mean() == pytest.approx(wanted, rel=0.08)
        assert seen.mean() == pytest.approx(
            run.clean.voxels[:, 8:-8, 16 * stripe + 5 : 16 * stripe + 11].mean(), rel=0.01
        )


def test_quanta_are_what_was_asked_for() -> None:
    run = acquire(flat(8), Exposure(40, scatter=0.5, blur=0.6), seed=1)
    seen = (run.noisy.voxels.mean(dtype=np.float64) - run.facts["black"]) / run.facts["scale"]
    assert seen == pytest.approx(40, rel=0.01)


def test_lag_and_recursion_hold_noise_over_from_frame_to_frame() -> None:
    for exposure, wanted in (
        (Exposure(50, blur=0, electronic=0), 0.0),
        (Exposure(50, blur=0, lag=0.1, electronic=0), 0.1),
        (Exposure(50, blur=0, recursion=0.4), 0.6),
    ):
        seen = inside(acquire(flat(), exposure, seed=2), 2)
        noise = seen - seen.mean(axis=0)
        assert (noise[1:] * noise[:-1]).mean() / noise.var() == pytest.approx(wanted, abs=0.05)


def test_the_run_is_settled_when_it_begins() -> None:
    run = acquire(flat(20), Exposure(50, lag=0.1, recursion=0.2), seed=5)
    spread = run.noisy.voxels.std(axis=(1, 2))
    assert spread[0] == pytest.approx(spread[-1], rel=0.05)


def test_blur_correlates_noise_in_space() -> None:
    noise = inside(acquire(flat(), Exposure(50, blur=0.8, electronic=0), seed=2), 3)
    noise = noise - noise.mean(axis=0)
    assert (noise[..., 1:] * noise[..., :-1]).mean() / noise.var() > 0.4


def test_same_seed_same_bits_other_seed_other_noise() -> None:
    scene = flat(3)
    one, again, other = (acquire(scene, Exposure(12), seed=seed).noisy.voxels for seed in (4, 4, 5))
    assert np.array_equal(one, again)
    assert (one != other).mean() > 0.9


@pytest.mark.parametrize("display", ["linear", "log", "gamma"])
@pytest.mark.parametrize("bits", [8, 16])
def test_numbers_are_whole_and_fit_the_bits(display: str, bits: int) -> None:
    run = acquire(flat(4), Exposure(24, display=display, bits=bits), seed=1)  # type: ignore[arg-type]
    stored = run.noisy.voxels
    assert np.array_equal(stored, np.rint(stored)) and stored.min() >= 0 and stored.max() <= 2**bits - 1
    assert stored.max() > 0.6 * 2**bits
    assert np.abs(stored - run.clean.voxels).mean() < 0.35 * run.clean.voxels.mean()
    assert run.noisy.history[-1].method.startswith("simulate-")


@pytest.mark.parametrize("motion", ["static", "slow", "fast", "panning"])
def test_presets_move_as_they_are_called(motion: str) -> None:
    scene = dynamic_phantom(6, 128, 15, seed=2, motion=motion)  # type: ignore[arg-type]
    speed = np.hypot(*np.moveaxis(scene.flow, -1, 0))
    if motion == "static":
        assert speed.max() == 0 and np.array_equal(scene.image.voxels[0], scene.image.voxels[-1])
    elif motion == "panning":
        assert np.median(speed) == pytest.approx(40 / 15 / (200 / 128), rel=0.01)
    else:
        low, high = {"slow": (0.1, 1.0), "fast": (0.7, 4.0)}[motion]
        assert np.median(speed) == 0 and low < speed.max() < high


@pytest.mark.parametrize(
    ("wrong", "word"),
    [({"quanta": 0}, "quanta"), ({"lag": 1}, "lag"), ({"bits": 7}, "bits"), ({"blur": float("nan")}, "blur")],
)
def test_what_no_detector_is_is_refused(wrong: dict[str, float], word: str) -> None:
    with pytest.raises(InputError, match=f"The {word} of the simulated exposure"):
        Exposure(**wrong)  # type: ignore[arg-type]


def test_unknown_motion_and_darkness_are_refused() -> None:
    with pytest.raises(InputError, match="no motion 'wild'"):
        dynamic_phantom(2, 32, motion="wild")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="No X-rays"):
        acquire(Image(np.zeros((2, 8, 8), np.float32), (0.1, 1, 1), "XA"))
