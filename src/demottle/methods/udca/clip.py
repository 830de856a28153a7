"""What a run of frames (or a stack of slices) offers UDCA for learning: frames, what is seen of them, and their targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from demottle.errors import UnsuitableError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Mask, Voxels
from demottle.losses.motion_fusion import motion_map
from demottle.methods.udca.alignment import Alignment
from demottle.methods.udca.settings import UdcaSettings
from demottle.noise.slices import spread

FEWEST = 6
_MOST_PIXELS = 64 * 512 * 512  # of all examples together; more teach nothing new, and cost memory and time


@dataclass(frozen=True, eq=False)
class Run:
    """A sequence made ready; all arrays (frames, rows, columns), float32 unless said otherwise.

    Attributes:
        frames: free of lag.
        deviation: deviation of their noise.
        stabilized: the frames with noise of deviation 1.
        wanted: bool, True where there is something to learn.
        grain: deviation of the stabilized frames' noise once smoothed as the guides of `Alignment`.
        state, memory: what a causal student remembers before each frame, and the variance of its noise in units of a
            frame's; None: the student has no memory.
    """

    frames: Voxels
    deviation: Voxels
    stabilized: Voxels
    wanted: Mask
    grain: float
    state: Voxels | None = None
    memory: Voxels | None = None


@dataclass(frozen=True, eq=False)
class Clip:
    """Examples from one run and their targets; all arrays but `run` and `around` are (examples, rows, columns).

    Attributes:
        run: where the examples come from.
        chosen: the examples, (examples,), as indices into the run.
        around: the frames around each example, (examples, neighbors), as indices into the run: what the teacher sees.
        frames, deviation: the example itself, and its noise.
        recursive: R, the recursive average of the frames around, brought onto it.
        sure: 0 to 1: how far R can be believed.
        motion: 0 (still) to 1 (moving).
        wanted: bool, True where there is something to learn.
        state, memory: as in the run.
    """

    run: Run
    chosen: NDArray[np.int64]
    around: NDArray[np.int64]
    frames: Voxels
    deviation: Voxels
    recursive: Voxels
    sure: Voxels
    motion: Voxels
    wanted: Mask
    state: Voxels
    memory: Voxels


def offsets_for(causal: bool) -> tuple[int, ...]:
    """Which frames around an example are its neighbors, nearest last.

    A causal student remembers the frames before: they must not be in its targets, or it would learn to hand their noise on.
    """
    return (4, 3, 2, 1) if causal else (-2, 2, -1, 1)


def make_clip(run: Run, offsets: Sequence[int], settings: UdcaSettings, listener: Listener = silent) -> Clip:
    """Choose examples and make their targets.

    Args:
        run: the sequence.
        offsets: where the neighbors are; both directions, or forward only.
        settings: settings of the method.
        listener: told of progress.

    Raises:
        UnsuitableError: for fewer than six frames.
    """
    count, rows, columns = run.frames.shape
    if count < FEWEST:
        raise UnsuitableError(
            f"udca learns from the frames around each frame and needs at least {FEWEST}; there are {count}. "
            "Use spectral-wiener, which looks at each alone."
        )
    most = max(12, _MOST_PIXELS // (rows * columns))
    chosen = spread(count - max(offsets) if min(offsets) > 0 else count, most)
    around = np.array([[_inside(here, offset, count) for offset in offsets] for here in chosen])
    align = Alignment(run.stabilized, run.grain, settings.motion_compensation)
    recursive, sure, motion = (np.empty((len(chosen), rows, columns), np.float32) for _ in range(3))
    for n, (here, others) in enumerate(zip(chosen, around, strict=True)):
        listener(Progress(Stage.PREPARE, n, len(chosen)))
        averaged = others if settings.hide_frame else [*others, here]
        far = _farther(here, offsets, settings.still_frames, count)
        found = align.recursion(run.frames, here, averaged, settings.recursion, far)
        recursive[n], sure[n] = found.mean, found.confidence
        motion[n] = _motion(run, sorted({*others, here}))
    listener(Progress(Stage.PREPARE, len(chosen), len(chosen)))
    frames = run.frames[chosen]
    return Clip(
        run,
        np.array(chosen, np.int64),
        around,
        frames,
        run.deviation[chosen],
        recursive,
        sure,
        motion,
        run.wanted[chosen],
        frames if run.state is None else run.state[chosen],
        np.ones_like(frames) if run.memory is None else run.memory[chosen],
    )


def _farther(here: int, offsets: Sequence[int], most: int, count: int) -> list[int]:
    """Frames beyond the neighbors of a causal student, farthest first: only those ahead, none that it remembers."""
    if min(offsets) < 0:
        return []
    return list(range(min(here + most, count - 1), here + max(offsets), -1))


def _inside(here: int, offset: int, count: int) -> int:
    """The neighbor at an offset; at the ends of the run the one on the other side."""
    there = here + offset
    return there if 0 <= there < count else here - offset


def _motion(run: Run, frames: Sequence[int]) -> Voxels:
    stack = torch.from_numpy(run.frames[frames])[None]
    sigma = torch.from_numpy(run.deviation[frames].mean(0))[None, None]
    out: Voxels = motion_map(stack, sigma)[0, 0].numpy()
    return out
