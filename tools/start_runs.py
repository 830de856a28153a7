"""Simulated runs that the student UDCA starts with is taught on: drawn stills and devices that move, taken by the simulator."""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.methods.udca.frames import CausalFrames
from demottle.methods.udca.noise import FrameNoise, spectrum_of
from demottle.methods.udca.settings import UdcaSettings
from demottle.networks.half_resolution_student import HalfResolutionStudent
from demottle.noise.sequence.curve import NoiseCurve, curve_of
from demottle.noise.sequence.lag import unlagged
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.physics.fluoroscopy.moved_still import Kind, StillMotion, moved_still
from demottle.physics.phantoms.random_tissue import random_tissue

SPACING = (1 / 15, 0.4, 0.4)
_KINDS: tuple[Kind, ...] = ("rest", "pan", "pan", "pan", "zoom", "rotation", "heartbeat", "breathing")
_CLEAN_SHARE, _EVEN_SHARE = 0.08, 0.5  # of runs without noise; of those that show nothing at all
_MISJUDGED = 0.05  # error of the noise level as it would be measured
_BLOCK = 8  # pixels, of the places whose noise makes the curve
_MOST = 24.0  # an answer in units of the noise
_WIRED_SHARE, _FAINTEST, _STRONGEST = 0.7, 0.6, 4.0  # of runs with faint wires; their depth in units of the noise
_REACH = 4  # pixels up to which correlation is known, as of a run that is measured


def lessons(count: int, size: int, frames: int, seed: int) -> Iterator[NDArray[np.float16]]:
    """Yield what a causal student's network sees of each frame of a run, and what it is to answer.

    Args:
        count: number of runs.
        size, frames: of each.
        seed: of all draws.

    Yields:
        (frames, 5, size, size): the three inputs and the answer, in units of the noise, and what faint wires take.
    """
    for number in range(count):
        rng = np.random.default_rng([seed, 31, number])
        noisy, truth = _run(size, frames, rng)
        noise = _noise_of(noisy, truth, rng)
        if rng.random() < _CLEAN_SHARE:  # what has no noise is to come back as it is
            truth = np.full_like(truth, truth.mean()) if rng.random() < _EVEN_SHARE else truth
            noisy = truth
        wires = np.zeros_like(truth)
        if rng.random() < _WIRED_SHARE:
            wires = _faint_wires(len(truth), size, rng)
            drawn = wires * noise.curve.sigma(truth)
            noisy, truth = noisy + drawn, truth + drawn
        yield np.concatenate([_lesson(noisy, truth, noise), wires[:, None].astype(np.float16)], axis=1)


def _run(size: int, frames: int, rng: np.random.Generator) -> tuple[Voxels, Voxels]:
    """A run freed of lag, and its truth."""
    exposure = Exposure(
        quanta=float(np.exp(rng.uniform(np.log(6), np.log(250)))),
        scatter=float(rng.uniform(0, 0.6)),
        blur=float(rng.choice([0.0, 0.4, 0.6, 0.6, 0.9])),
        lag=float(rng.choice([0.0, 0.0, 0.0, 0.1])),
        electronic=float(rng.uniform(1, 5)),
        recursion=float(rng.choice([1.0, 1.0, 0.68, 0.5])),
        display=rng.choice(["linear", "linear", "linear", "gamma", "log"]),
        bits=int(rng.choice([8, 8, 10, 12])),
    )
    run = acquire(Image(_film(size, frames, rng), SPACING, "XA", sequence=True), exposure, int(rng.integers(2**31)))
    lag = exposure.lag if exposure.recursion == 1 else 1 - exposure.recursion
    files = run.noisy.voxels
    before = [None, *files[:-1]]
    free = np.stack([unlagged(frame, last, lag) for frame, last in zip(files, before, strict=True)])
    return free, run.clean.voxels


def _film(size: int, frames: int, rng: np.random.Generator) -> Voxels:
    """Part of the X-rays that comes through: a still that moves, or the chest, and often devices that move by themselves."""
    if rng.random() < 0.15:
        motion = rng.choice(["static", "slow", "fast", "panning", "natural"])
        return dynamic_phantom(
            frames, size, 15, 200 / 512, seed=int(rng.integers(1000, 10**6)), motion=motion
        ).image.voxels
    side = size + 128
    film = moved_still(_still(side, rng), size, frames, _motion(rng))
    if rng.random() < 0.5:
        film = film * moved_still(np.exp(-_lines(side, rng)), size, frames, _motion(rng))
    return np.clip(film, 1e-4, None)


def _motion(rng: np.random.Generator) -> StillMotion:
    speed = float(np.exp(rng.uniform(np.log(0.2), np.log(12))))
    return StillMotion(_KINDS[rng.integers(len(_KINDS))], speed, float(rng.uniform(0, 360)))


def _still(side: int, rng: np.random.Generator) -> Voxels:
    """Random tissue or a random field as an absorber, with grain of a falling spectrum and thin lines over it."""
    thick = _field(side, rng.uniform(1.5, 2.5), rng) * rng.uniform(0.1, 0.6)
    if rng.random() < 0.6:
        tissue = np.clip(random_tissue(side, rng), -1000, 1000) / 1000
        thick = 0.5 * thick + tissue * rng.uniform(0.1, 1.0)
    if rng.random() < 0.6:
        thick = thick + _field(side, rng.uniform(1.0, 1.8), rng) * rng.uniform(0.02, 0.15)
    if rng.random() < 0.6:
        thick = thick + _lines(side, rng)
    return np.asarray(np.exp(np.clip(-(thick - np.median(thick)), -2, 2) - 1), np.float32)


def _field(side: int, slope: float, rng: np.random.Generator) -> Voxels:
    """A random field of deviation 1 whose amplitude falls with frequency."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    amplitude = np.maximum(frequency, 1 / side) ** -slope * np.exp(-((frequency / rng.uniform(0.15, 0.35)) ** 2))
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * amplitude, s=(side, side))
    return np.asarray(field / field.std(), np.float32)


def _lines(side: int, rng: np.random.Generator) -> Voxels:
    """Winding vessels, wires and catheters, as absorbers."""
    out = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(1, 24))):
        steps = rng.uniform(6, 20)
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, rng.uniform(0.02, 0.3), 40))
        course = rng.uniform(-0.1, 1.1, 2) * side + np.cumsum(steps * np.stack([np.cos(angle), np.sin(angle)], 1), 0)
        drawn = np.zeros((2 * side, 2 * side), np.float32)
        cv2.polylines(
            drawn, [np.round(course * 32).astype(np.int32)], False, 1.0, int(rng.integers(1, 9)), cv2.LINE_8, 4
        )
        out += np.float32(rng.uniform(0.05, 0.6)) * cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.0)), np.float32)


def _faint_wires(frames: int, size: int, rng: np.random.Generator) -> Voxels:
    """Thin wires that move by themselves, in units of the noise.

    As an error of squares, a wire of two pixels that is as strong as the noise is worth next to nothing to a network.
    """
    side = size + 128
    out = np.zeros((frames, size, size), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        drawn = np.zeros((2 * side, 2 * side), np.float32)
        for _ in range(int(rng.integers(2, 6))):
            angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, rng.uniform(0.02, 0.25), 30))
            step = rng.uniform(2, 12)  # short pieces and long ones
            course = rng.uniform(0, 2, 2) * side + 2 * step * np.cumsum(np.stack([np.cos(angle), np.sin(angle)], 1), 0)
            cv2.polylines(
                drawn, [np.round(course * 16).astype(np.int32)], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_8, 4
            )
        still = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
        still = cv2.GaussianBlur(still, (0, 0), rng.uniform(0.4, 1.0))
        depth = np.exp(rng.uniform(np.log(_FAINTEST), np.log(_STRONGEST)))
        moved = moved_still(still / max(float(still.max()), 1e-6), size, frames, _motion(rng))
        out = np.maximum(out, np.float32(depth) * np.clip(moved, 0, 1))
    return np.asarray(out if rng.random() < 0.2 else -out, np.float32)  # dark, or bright where the display is inverted


def _lesson(noisy: Voxels, truth: Voxels, noise: FrameNoise) -> NDArray[np.float16]:
    """What the network sees of each frame, and the truth less the memory, in units of the noise."""
    student = CausalFrames(HalfResolutionStudent(), noise, UdcaSettings().memory)
    out = np.empty((len(noisy), 4, *noisy.shape[1:]), np.float16)
    with torch.inference_mode():
        state, spread = torch.from_numpy(noisy[:1, None].copy()), torch.ones(1, 1, *noisy.shape[1:])
        for index, (frame, clean) in enumerate(zip(noisy, truth, strict=True)):
            x, target = (torch.from_numpy(values[None, None].copy()) for values in (frame, clean))
            around, sigma = student.surroundings(state)
            state, spread = student.remember(x, state, spread, sigma)
            answer = (target - state) / sigma
            seen = (*student.seen(x, state, spread, around, sigma), answer.clamp(-_MOST, _MOST))
            out[index] = torch.cat(seen, 1)[0].numpy()
    return out


def _noise_of(noisy: Voxels, truth: Voxels, rng: np.random.Generator) -> FrameNoise:
    """The noise of the frames as a measurement would find it, with some error; measured here against the truth."""
    count, rows, columns = noisy.shape
    apart = noisy - truth
    blocks = [
        values.reshape(count, rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK).swapaxes(2, 3).reshape(-1, _BLOCK**2)
        for values in (truth, apart)
    ]
    curve = curve_of(blocks[0].mean(1).astype(np.float64), blocks[1].var(1).astype(np.float64))
    assert curve is not None, "a run without noise"
    level = 1 + _MISJUDGED * float(np.clip(rng.standard_normal(), -2, 2))
    deviation = level * np.maximum(curve.deviation, 0.02 * curve.deviation.max())
    power = np.mean(np.abs(np.fft.fft2(apart / curve.sigma(truth))) ** 2, axis=0)
    correlation = np.fft.ifft2(power).real
    correlation = (correlation / correlation[0, 0])[:_REACH, :_REACH]
    known = NoiseCurve(curve.signal, deviation, curve.gain, curve.offset)
    return FrameNoise(known, 0.0, spectrum_of(correlation))
