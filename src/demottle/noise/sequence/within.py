"""The noise of a run from single frames, where there is nothing to compare a frame with.

That is so for a single frame, and where all frames show one picture, at rest or shifted by whole pixels afterwards: its noise
moves along, so frames brought onto each other are the same. Within a frame noise is what is finest (a Laplacian; Immerkaer 1996)
in blocks without a gradient. Structure is told from it by how alike such blocks are: of blocks of like brightness noise fills all
equally, structure some far more than others.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.noise.sequence.blocks import MEDIAN, block_means, frames_to_look_at, usable_blocks
from demottle.noise.sequence.curve import NoiseCurve, curve_of
from demottle.noise.sequence.flat import flat_blocks, groups_of
from demottle.noise.sequence.motion import Motions

REPEATED = (
    "All frames show one picture, shifted by whole pixels or not at all, noise included: once aligned they are identical, bit "
    "for bit. So an average over time removes no noise, and a filter has to work within the frame."
)
_SAME = 0.95  # of the pixels, for a frame to be the one before
_FINEST = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
_ALIKE = 0.42  # a tenth of the blocks lies below that part of the median; 0.6 for white noise, 0.1 to 0.4 for structure
_ENOUGH = 32  # blocks, to look at how alike they are
_ROUNDED = 0.4  # steps between stored numbers: rounding alone makes 0.29
_FAINT = 3e-4  # of the range


def one_picture(image: Image, motions: Motions) -> bool:
    """Say whether every frame is the next one, shifted by whole pixels, bit by bit."""
    frames = frames_to_look_at(image)
    return len(frames) > 1 and all(
        _same(image.voxels[t], image.voxels[t + 1], motions.steps[index][:, 2]) for index, t in enumerate(frames[:-1])
    )


def said_of_it(frames: int) -> str:
    """What a user should know of noise measured within frames."""
    where = "the only frame" if frames == 1 else "single frames"
    return f"The noise was measured within {where}, as if it were white, with nothing to compare: read its level with caution."


def _same(one: Voxels, other: Voxels, shift: NDArray[np.float64]) -> bool:
    right, down = (int(v) for v in np.rint(shift))
    rows, columns = one.shape
    if abs(down) >= rows or abs(right) >= columns:
        return False
    before = one[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)]
    after = other[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)]
    return float(np.mean(before == after)) >= _SAME


def curve_within_frames(image: Image) -> NoiseCurve:
    """Measure noise against signal within the first, middle and last frame.

    Raises:
        InputError: no noise, or nothing but structure.
    """
    usable = usable_blocks(image, range(image.shape[0]))
    usable = usable if usable.sum() >= _ENOUGH else np.ones(usable.shape, np.bool_)
    means: list[NDArray[np.float64]] = []
    grains: list[NDArray[np.float64]] = []
    evenness: list[float] = []
    for t in sorted({0, image.shape[0] // 2, image.shape[0] - 1}):
        plane = image.voxels[t]
        smooth = np.asarray(cv2.GaussianBlur(plane, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT_101), np.float32)
        flat = flat_blocks(smooth, usable)
        fine = cv2.filter2D(plane, cv2.CV_32F, _FINEST, borderType=cv2.BORDER_REFLECT_101)
        mean, grain = block_means(plane)[flat], block_means(np.asarray(fine**2, np.float32))[flat]
        means.append(mean)
        grains.append(grain)
        evenness += [_evenness(grain[group]) for group in groups_of(mean)]
    signal, variance = np.concatenate(means), np.concatenate(grains)
    level = float(np.median(variance)) ** 0.5 if variance.size else 0.0
    curve = curve_of(signal, variance * MEDIAN)
    if curve is None or level <= 1e-6 * float(np.abs(image.voxels[0]).max()):
        raise InputError("The frames hold no noise that could be measured: they are constant, or all the same.")
    uneven = signal.size >= _ENOUGH and float(np.median(evenness)) < _ALIKE
    if level < _least(image.voxels[0]) or uneven:
        raise InputError(
            f"The frames hold no noise that could be told from structure (what is finest in them has a level of {level:.2g}): "
            "they seem to be simulated, or denoised already; leave the run as it is."
        )
    return curve


def _evenness(grain: NDArray[np.float64]) -> float:
    low, middle = np.quantile(grain, (0.1, 0.5))
    return float(low / middle) if middle > 0 else 0.0


def _least(plane: Voxels) -> float:
    """What rounding makes of structure alone, or so little of the range that there is nothing to gain."""
    known = np.unique(plane)
    return max(_ROUNDED * float(np.diff(known).min()), _FAINT * float(known[-1] - known[0])) if known.size > 1 else 0.0
