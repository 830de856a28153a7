"""What UDCA promises beyond the contract: each part does what it says."""

import numpy as np
import pytest
import torch

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image
from demottle.methods import Budget
from demottle.methods.udca import method as udca
from demottle.methods.udca.alignment import Alignment
from demottle.methods.udca.clip import Clip, make_clip, offsets_for
from demottle.methods.udca.clip import Run as Run_
from demottle.methods.udca.frames import CausalFrames
from demottle.methods.udca.noise import FrameNoise, frame_noise
from demottle.methods.udca.runs import memories, runs_of_frames, stretches
from demottle.methods.udca.settings import UdcaSettings
from demottle.methods.udca.student import StudentLesson
from demottle.networks.light_causal_student import LightCausalStudent
from demottle.noise.sequence.curve import NoiseCurve
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.noise.sequence.lag import unlagged
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom

RANDOM = np.random.default_rng(0)
GRAIN = 0.188
WHITE = np.ones((32, 32), np.float32)
UNIT = FrameNoise(NoiseCurve(np.array([0.0, 100.0]), np.array([1.0, 1.0]), 0.0, 1.0), 0.0, WHITE)


@pytest.fixture(scope="module")
def run() -> Run:
    return acquire(dynamic_phantom(10, 64, 15, 200 / 512, seed=3, motion="slow").image, Exposure(24), seed=4)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((np.asarray(values, np.float64) ** 2).mean()))


def test_undoing_lag_gives_the_frames_before_it() -> None:
    frames = RANDOM.normal(size=(6, 8, 8)).astype(np.float32)
    held, lagged = frames[0], []
    for frame in frames:
        held = 0.9 * frame + 0.1 * held
        lagged.append(held)
    for index in range(1, 6):
        assert unlagged(lagged[index], lagged[index - 1], 0.1) == pytest.approx(frames[index], abs=1e-5)


def test_lag_is_found_and_its_noise_grows_when_undone(run: Run) -> None:
    film = dynamic_phantom(24, 64, 15, 200 / 512, seed=3, motion="static").image
    lagged = measure_sequence(acquire(film, Exposure(24, lag=0.3, electronic=0.0), seed=4).noisy)
    noise = frame_noise(lagged)
    assert noise.lag == pytest.approx(0.3, abs=0.05)
    assert noise.curve.level == pytest.approx(lagged.noise_level * (1.3 / 0.7) ** 0.5, rel=0.15)
    assert frame_noise(lagged, correct_lag=False).lag == 0
    assert frame_noise(measure_sequence(run.noisy)).lag < 0.1


def textured(shift: float) -> np.ndarray:
    """A smooth pattern of contrast 40 that moves to the right."""
    y, x = np.mgrid[:64, :80].astype(np.float32)
    return np.asarray(20 * np.sin((x - shift) / 5) + 20 * np.cos(y / 6 + (x - shift) / 9), np.float32)


def test_motion_compensation_brings_frames_onto_one_another() -> None:
    clean = np.stack([textured(3.0 * k) for k in range(5)])
    noisy = clean + RANDOM.normal(size=clean.shape).astype(np.float32)
    inner = (slice(8, -8), slice(16, -16))
    with_flow, without = (Alignment(noisy, GRAIN, on).recursion(noisy, 2, [0, 4, 1, 3], 0.2) for on in (True, False))
    assert rms((with_flow.mean - clean[2])[inner]) < 1.5
    assert with_flow.confidence[inner].mean() > 0.6
    assert without.confidence[inner].mean() < 0.5 * with_flow.confidence[inner].mean()


def test_what_stands_still_is_not_moved() -> None:
    noisy = textured(0) + RANDOM.normal(size=(5, 64, 80)).astype(np.float32)
    found = Alignment(noisy, GRAIN).recursion(noisy, 2, [0, 4, 1, 3], 0.2)
    assert rms(found.mean - textured(0)) == pytest.approx(0.5, abs=0.06)  # four frames, none interpolated
    assert found.confidence.mean() > 0.9
    assert found.variance.mean() == pytest.approx(0.25, abs=0.03)


def test_frames_farther_away_count_where_everything_around_stands_still() -> None:
    clean = np.repeat(textured(0)[None], 24, axis=0)
    for index in range(24):
        clean[index, 20:44, 2 * index : 2 * index + 12] += 60  # a block passes below the upper rows
    noisy = clean + RANDOM.normal(size=clean.shape).astype(np.float32)
    align, near, far = Alignment(noisy, GRAIN), [4, 3, 2, 1], list(range(23, 4, -1))
    few, many = (align.recursion(noisy, 0, near, 0.2, farther) for farther in ((), far))
    still, path = (slice(0, 3), slice(60, 80)), (slice(24, 40), slice(14, 60))
    assert rms((few.mean - clean[0])[still]) == pytest.approx(0.5, abs=0.1)
    assert rms((many.mean - clean[0])[still]) < 0.35
    assert rms((many.mean - clean[0])[path]) < 1.1 * rms((few.mean - clean[0])[path])  # no trail of what passes later
    assert np.array_equal(many.confidence, few.confidence)


def test_memory_averages_what_stays_and_lets_go_of_what_changes() -> None:
    student = CausalFrames(LightCausalStudent(), UNIT, weight=0.1)
    frames = 50 + RANDOM.normal(size=(40, 32, 32)).astype(np.float32)
    frames[30:, :, 16:] += 12
    state, spread = memories(student, frames)
    assert rms(state[29] - 50) < 1.25 * (0.1 / 1.9) ** 0.5
    assert float(spread[29].mean()) == pytest.approx(0.1 / 1.9, rel=0.3)
    assert state[31][:, 20:].mean() == pytest.approx(62, abs=0.3)  # one frame later nothing of the old is left
    assert spread[31][:, 20:].min() > 0.8
    assert spread[31][:, :10].mean() < 0.1


def test_a_stretch_begins_with_the_memory_of_the_frames_before_it() -> None:
    student = CausalFrames(LightCausalStudent(), UNIT, weight=0.1)
    frames = 50 + RANDOM.normal(size=(20, 32, 32)).astype(np.float32)
    whole, part = memories(student, frames), memories(student, frames[12:], list(frames[:12]))
    assert all(np.array_equal(all_[12:], late) for all_, late in zip(whole, part, strict=True))


def test_an_untrained_student_is_its_memory() -> None:
    student = CausalFrames(LightCausalStudent(), UNIT, weight=0.1)
    x, y = torch.rand(1, 1, 16, 16) + 50, torch.rand(1, 1, 16, 16) + 50
    clean, state, _ = student(x, y, torch.ones_like(x))
    assert torch.equal(clean, state)
    assert torch.allclose(state, (x + y) / 2, atol=1e-4)  # two frames of equal noise


@pytest.mark.parametrize("causal", [True, False])
def test_no_target_holds_the_frame_or_what_a_causal_student_remembers(run: Run, causal: bool) -> None:
    noise = frame_noise(measure_sequence(run.noisy))
    student = CausalFrames(LightCausalStudent(), noise, 0.1)
    (made,) = runs_of_frames([run.noisy], noise, student)
    clip = make_clip(made, offsets_for(causal), UdcaSettings())
    assert len(clip.frames) > 4
    for frame, around in zip(clip.frames, clip.around, strict=True):
        here = next(k for k, other in enumerate(made.frames) if np.array_equal(other, frame))
        assert here not in around
        assert len(set(around)) >= 2
        assert not causal or min(around) > here


def test_structures_stand_still_appear_or_go_and_targets_show_what_the_frame_shows() -> None:
    nothing, one = np.zeros((3, 40, 40), np.float32), np.ones((3, 40, 40), np.float32)
    around = np.zeros((3, 4), np.int64)
    run = Run_(nothing, one, nothing, one > 0, 0.19)
    clip = Clip(run, around[:, 0], around, nothing, one, nothing, one, nothing, one > 0, nothing, one)
    settings = UdcaSettings(patch=32, batch=40, structured_share=0.5, own=0)
    seen: dict[str, torch.Tensor] = {}

    def answer(student: torch.nn.Module, patches: dict[str, torch.Tensor]) -> torch.Tensor:
        seen.update(patches)
        return patches["x"]

    StudentLesson([clip], [nothing], settings, WHITE, answer, seed=0).loss(torch.nn.Identity())
    frame, memory = seen["x"][20:], seen["state"][20:]
    assert torch.equal(frame, seen["teacher"][20:]) and torch.equal(frame, seen["recursive"][20:])
    kinds = {(bool(f.any()), bool(m.any())) for f, m in zip(frame, memory, strict=True)}
    assert kinds == {(True, True), (True, False), (False, True)}
    assert not seen["x"][:20].any()


def test_long_runs_are_looked_at_in_stretches() -> None:
    assert stretches(100, 64 * 64) == [range(100)]
    found = stretches(5000, 512 * 512)
    assert len(found) == 4
    assert (found[0].start, found[-1].stop) == (0, 5000)
    assert sum(len(one) for one in found) <= 128


@pytest.mark.parametrize(
    "changes",
    [
        {"uns": 1.0},
        {"uns": 1.0, "cns": 0.0},
        {"uns": 1.0, "own": 0.0, "fusion": "released", "penalty": "absolute", "hide_frame": False},
        {"fusion": "none", "edges": 0.0, "motion_compensation": False},
        {"student": "single"},
    ],
)
def test_every_part_can_be_switched_off(run: Run, changes: dict[str, object]) -> None:
    settings = UdcaSettings(patch=32, batch=2, **changes)  # type: ignore[arg-type]
    model = udca.fit(run.noisy, settings, measure_sequence(run.noisy), budget=Budget(steps=3))
    assert ("teacher_steps" in model.fitted) == (settings.uns > 0)
    assert rms(model(run.noisy).voxels - run.clean.voxels) < 1.05 * rms(run.noisy.voxels - run.clean.voxels)


def test_a_folder_of_runs_teaches_one_student(run: Run) -> None:
    other = acquire(dynamic_phantom(8, 72, 15, seed=9).image, Exposure(24), seed=1).noisy
    model = udca.fit_runs([run.noisy, other], UdcaSettings(uns=0, patch=32, batch=2), budget=Budget(steps=3))
    assert model.fitted["runs"] == 2
    assert model(other).shape == other.shape


def test_too_few_frames_are_refused(run: Run) -> None:
    short = Image(run.noisy.voxels[:7].copy(), run.noisy.spacing, "XA")
    with pytest.raises(UnsuitableError, match="at least 8; there are 7"):
        udca.fit(short, UdcaSettings(patch=32), measure_sequence(short), budget=Budget(steps=1))


def test_no_runs_are_refused() -> None:
    with pytest.raises(InputError, match="no run"):
        udca.fit_runs([], UdcaSettings())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": "huge"}, "auto, light, paper"),
        ({"uns": 0, "cns": 0, "own": 0}, "nothing left"),
        ({"memory": 0}, "between 0 and 1"),
        ({"patch": 50}, "multiple of 8"),
        ({"edges": -1}, "negative"),
        ({"still_frames": -1}, "negative"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        UdcaSettings(**changes)  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_beats_the_recursive_filter_on_a_moving_scene(run: Run) -> None:
    from demottle.methods.filters import recursive

    longer = acquire(dynamic_phantom(24, 96, 15, 200 / 512, seed=3, motion="fast").image, Exposure(24), seed=4)
    measured = measure_sequence(longer.noisy)
    model = udca.fit(longer.noisy, UdcaSettings(uns=0, patch=64), measured, budget=Budget(steps=120))
    ours = rms(model(longer.noisy).voxels - longer.clean.voxels)
    plain = recursive.fit(longer.noisy, recursive.RecursiveSettings(), measured)
    assert ours < 0.6 * rms(plain(longer.noisy).voxels - longer.clean.voxels)


def test_the_time_that_learning_will_take_goes_with_its_steps(run: Run) -> None:
    settings = UdcaSettings(patch=32, batch=2)
    few, many = (udca.learning_seconds(run.noisy, settings, Budget(steps=steps)) for steps in (10, 1000))
    assert 0 < 10 * few < many
    assert udca.learning_seconds(run.noisy, settings, Budget()) > few
