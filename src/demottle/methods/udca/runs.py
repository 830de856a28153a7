"""From images to runs that UDCA can learn from: whole where they are short, some stretches of them where they are long."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from demottle.image import Image, Mask, Voxels
from demottle.methods.one_scan.protection import changeable, fill_invalid
from demottle.methods.one_scan.restoration import noise_gain
from demottle.methods.one_scan.scan_samples import box_around, learnable_spectrum
from demottle.methods.udca.alignment import SIGMA
from demottle.methods.udca.clip import Run
from demottle.methods.udca.frames import CausalFrames
from demottle.methods.udca.noise import FrameNoise
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.local import noise_map
from demottle.noise.sequence.lag import unlagged

_MOST_PIXELS = 128 * 512 * 512
_STRETCHES, _SHORTEST = 4, 32  # few and long: where nothing moves, targets are averages of all that comes after
_WARM_UP = 24
"""Frames before a stretch that a causal student has seen already: later than that its memory no longer changes much."""


def stretches(count: int, pixels: int) -> list[range]:
    """Choose what to look at of `count` frames of so many pixels: all of them, or a few stretches spread evenly."""
    most = max(32, _MOST_PIXELS // pixels)
    if count <= most:
        return [range(count)]
    several = min(_STRETCHES, most // _SHORTEST)
    length = most // several
    starts = np.linspace(0, count - length, several).round().astype(int)
    return [range(int(start), int(start) + length) for start in starts]


def runs_of_frames(images: Sequence[Image], noise: FrameNoise, student: torch.nn.Module) -> list[Run]:
    """Make runs of sequences in time: lag undone, the student's memory before each frame."""
    runs = []
    for image in images:
        for chosen in stretches(image.shape[0], image.shape[1] * image.shape[2] * len(images)):
            frames = np.stack([_unlagged(image, index, noise.lag) for index in chosen])
            rows, columns = (side // 8 * 8 for side in frames.shape[1:])  # a memory is kept in blocks of 8 x 8 pixels
            frames = np.ascontiguousarray(frames[:, :rows, :columns])
            if image.valid is None:
                wanted: Mask = np.ones(frames.shape, np.bool_)
            else:
                wanted = image.valid[chosen.start : chosen.stop, :rows, :columns]
            # The noise goes with the signal, of which a mean over 8 x 8 pixels says more than a noisy pixel.
            deviation = np.stack([noise.curve.sigma(_local_mean(frame)) for frame in frames])
            stabilized = np.stack([noise.curve.stabilize(frame) for frame in frames])
            state, memory = None, None
            if isinstance(student, CausalFrames):
                before = [
                    _unlagged(image, index, noise.lag)[:rows, :columns]
                    for index in range(max(0, chosen.start - _WARM_UP), chosen.start)
                ]
                state, memory = memories(student, frames, before)
            runs.append(Run(frames, deviation, stabilized, wanted, noise_gain(noise.spectrum, SIGMA), state, memory))
    return runs


def runs_of_slices(image: Image, fingerprint: Fingerprint, least_side: int) -> list[Run]:
    """Make runs of a stack of slices, cut to the body."""
    grain = noise_gain(learnable_spectrum("udca", image, fingerprint), SIGMA)
    local = noise_map(image, fingerprint.correlation, fingerprint.noise_level)
    runs = []
    for chosen in stretches(image.shape[0], image.shape[1] * image.shape[2]):
        masks = np.stack([changeable(image, index) >= 1 for index in chosen])
        box = box_around(np.logical_or.reduce(masks), least_side)
        frames = np.stack([fill_invalid(image, index)[box] for index in chosen])
        deviation = np.stack([local.plane(index)[box] for index in chosen])
        deviation = np.maximum(deviation, 1e-3 * fingerprint.noise_level)
        runs.append(Run(frames, deviation, frames / deviation, masks[(slice(None), *box)], grain))
    return runs


def memories(student: CausalFrames, frames: Voxels, before: Sequence[Voxels] = ()) -> tuple[Voxels, Voxels]:
    """What a causal student remembers before each frame; sides divisible by 8.

    Args:
        student: whose memory it is.
        frames: frames of a run, or of a stretch of it.
        before: frames just before that stretch.

    Returns:
        State and spread, float32 (frames, rows, columns). Before the very first frame that frame itself.
    """
    states, spreads = np.empty_like(frames), np.empty_like(frames)
    with torch.inference_mode():
        state = torch.from_numpy(np.array(before[0] if len(before) else frames[0])[None, None])
        spread = torch.ones_like(state)
        for index, frame in enumerate([*before, *frames], start=-len(before)):
            if index >= 0:
                states[index], spreads[index] = state[0, 0].numpy(), spread[0, 0].numpy()
            x = torch.from_numpy(np.array(frame)[None, None])  # a copy: frames of a file on disk cannot be written
            state, spread = student.remember(x, state, spread, student.surroundings(state)[1])
    return states, spreads


def _unlagged(image: Image, index: int, lag: float) -> Voxels:
    return unlagged(image.voxels[index], image.voxels[index - 1] if index else None, lag)


def _local_mean(frame: Voxels) -> Voxels:
    return np.asarray(cv2.blur(frame, (9, 9), borderType=cv2.BORDER_REFLECT_101), np.float32)
