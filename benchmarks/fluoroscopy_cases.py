"""Simulated fluoroscopy runs with their truth, and the figures of a result against it."""

from dataclasses import dataclass

import numpy as np

from demottle.image import Image
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.dynamic import Part, dynamic_phantom

RANGE, FIRST, PIXEL, RATE = 4095.0, 10, 200 / 512, 15.0
MOTIONS = ("static", "slow", "fast", "panning")


@dataclass(frozen=True)
class Setting:
    """What a group of runs has in common.

    Attributes:
        quanta: detected per pixel and frame.
        lag: of the detector, 0 to 1.
        seed: of patient, noise and learning.
        size, frames: of each run.
        steps: of learning.
    """

    quanta: float
    lag: float
    seed: int
    size: int
    frames: int
    steps: int


@dataclass(frozen=True, eq=False)
class Case:
    """A simulated run with its truth; `wires` is True where catheter and guidewire are."""

    motion: str
    noisy: Image
    clean: Image
    wires: np.ndarray
    measured: SequenceFingerprint


def make_case(motion: str, setting: Setting) -> Case:
    """Simulate a run. Pixels are those of 512 over 200 mm whatever the size, so that speeds are, too."""
    scene = dynamic_phantom(setting.frames, setting.size, RATE, PIXEL, setting.seed, motion=motion)
    run = acquire(scene.image, Exposure(setting.quanta, lag=setting.lag), setting.seed)
    return Case(motion, run.noisy, run.clean, scene.parts >= Part.CATHETER, measure_sequence(run.noisy))


def judge(case: Case, image: Image) -> dict[str, float | None]:
    """PSNR in dB, 20 log10(4095 / RMSE), of whole frames from the tenth on, and over catheter and guidewire alone."""
    error = (image.voxels[FIRST:] - case.clean.voxels[FIRST:]).astype(np.float64) ** 2
    wires = case.wires[FIRST:]
    return {"psnr": _psnr(error), "psnr_wire": _psnr(error[wires]) if wires.any() else None}


def _psnr(squares: np.ndarray) -> float:
    return round(float(20 * np.log10(RANGE / np.sqrt(squares.mean()))), 3)
