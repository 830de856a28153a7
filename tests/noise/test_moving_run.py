"""The noise of a run that moves is what it is at rest; everything is compared with what the simulator was told."""

from functools import cache

import numpy as np
import pytest

from demottle.image import Image, Voxels
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.noise.sequence.lag import lag_to_undo
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.physics.fluoroscopy.moved_still import StillMotion, moved_still

SPACING = (1 / 15, 0.4, 0.4)
FEW = [
    ("pan by 1 pixel", StillMotion("pan", 1.0), 0.68, 8, 8),
    ("pan by 2.3 pixels askew", StillMotion("pan", 2.3, 60), 1.0, 8, 8),
    ("pan by 10 pixels", StillMotion("pan", 10.0, 200), 0.4, 12, 12),
    ("zoom", StillMotion("zoom", 3.0), 0.68, 8, 8),
    ("rotation", StillMotion("rotation", 2.0), 1.0, 8, 8),
]
SPEEDS = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.3, 5.0, 7.0, 10.0)
MANY = [
    *(StillMotion("pan", speed, 37 * number) for number, speed in enumerate(SPEEDS)),
    *(StillMotion(kind, speed) for kind in ("zoom", "rotation", "heartbeat", "breathing") for speed in (1.0, 3.0, 6.0)),  # type: ignore[arg-type]
]


@cache
def still(side: int = 480) -> Voxels:
    """Chest of the dynamic phantom, with the fine structure of lungs and bone: noise of spectrum 1 / f, fixed."""
    chest = dynamic_phantom(1, side, 15, seed=3).image.voxels[0]
    down, right = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.maximum(np.hypot(down, right), 1 / side)
    amplitude = frequency**-1.5 * np.exp(-((frequency / 0.25) ** 2))
    grain = np.fft.irfft2(
        np.fft.rfft2(np.random.default_rng(0).standard_normal((side, side))) * amplitude, s=(side, side)
    )
    return np.asarray(chest * np.exp(0.1 * grain / grain.std()), np.float32)


def run_of(motion: StillMotion, exposure: Exposure, frames: int, size: int, seed: int = 1) -> Run:
    film = Image(moved_still(still(), size, frames, motion), SPACING, "XA", sequence=True)
    return acquire(film, exposure, seed)


def level_over_truth(found: SequenceFingerprint, run: Run) -> float:
    variance = run.facts["gain"] * (found.curve.signal - run.facts["black"]) + run.facts["noise_offset"]
    return float(np.median(found.curve.deviation / np.sqrt(variance)))


@pytest.mark.parametrize(("motion", "weight", "bits", "frames"), [row[1:] for row in FEW], ids=[row[0] for row in FEW])
def test_noise_and_what_frames_share_are_right_although_everything_moves(
    motion: StillMotion, weight: float, bits: int, frames: int
) -> None:
    run = run_of(motion, Exposure(40, recursion=weight, bits=bits), frames, 200)
    found = measure_sequence(run.noisy)
    assert level_over_truth(found, run) == pytest.approx(1, abs=0.06)
    assert found.held == pytest.approx(1 - weight, abs=0.06)
    assert found.owner == "detector"
    assert (lag_to_undo(found) == 0) == (weight == 1)  # motion is no lag


@pytest.mark.slow
@pytest.mark.parametrize("motion", MANY, ids=lambda motion: f"{motion.kind}-{motion.speed:g}")
@pytest.mark.parametrize(
    ("frames", "size", "bits", "quanta", "weight"),
    [(8, 200, 8, 40, 0.68), (8, 256, 16, 12, 1.0), (12, 300, 8, 100, 0.5), (30, 256, 12, 24, 0.4)],
)
def test_noise_of_many_motions(
    motion: StillMotion, frames: int, size: int, bits: int, quanta: float, weight: float
) -> None:
    run = run_of(motion, Exposure(quanta, recursion=weight, bits=bits), frames, size)
    found = measure_sequence(run.noisy)
    assert level_over_truth(found, run) == pytest.approx(1, abs=0.1)
    assert found.held == pytest.approx(1 - weight, abs=0.1)


def shifted(run: Run, size: int, step: int) -> Image:
    """Frames of a run at rest, each moved by whole pixels after it was taken: noise goes with them."""
    frames = run.noisy.voxels
    moved = [frame[index * step :, index * step :][:size, :size] for index, frame in enumerate(frames)]
    return Image(np.stack(moved), SPACING, "XA", sequence=True)


@pytest.mark.parametrize("step", [1, 4])
def test_frames_that_were_shifted_carry_their_noise_along(step: int) -> None:
    run = run_of(StillMotion(), Exposure(60, recursion=0.68, bits=8), 8, 200 + 8 * step)
    found = measure_sequence(shifted(run, 200, step))
    assert level_over_truth(found, run) == pytest.approx(1, abs=0.06)
    assert found.held == pytest.approx(0.32, abs=0.05)
    assert found.owner == "image"
    assert lag_to_undo(found) == 0  # what a pixel of the frame before holds is another place's noise
    assert found.pan == pytest.approx(step * 2**0.5, rel=0.02)
