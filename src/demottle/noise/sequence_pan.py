"""Runs in which the whole image moves, as under a panning table: how far, and what the noise is once frames are aligned.

Frames are aligned by whole pixels, which leaves their noise as it is. Noise belongs to the detector and structure to the
patient: once the patient is aligned, the noise of both frames comes from different pixels of the detector and is independent,
whatever lag or the camera's filter make of it; and at one pixel of the detector it still shows what frames share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise.sequence_blocks import MEDIAN, block_means, frames_to_look_at, pixels_of, usable_blocks

_GAP = 4
_BETTER = 0.97  # of the difference of frames that must be left after aligning them
_APART = 3.0  # pixels of the detector between which noise counts as independent
_FLAT = 0.4  # of the blocks with the least gradient, where a fraction of a pixel of misalignment does not matter

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Aligned:
    """The difference of one frame and a later one that was moved onto it; NaN outside of what both show."""

    frame: int
    shift: tuple[int, int]
    change: Voxels


@dataclass(frozen=True, eq=False)
class PannedNoise:
    """Noise of a run that pans.

    Attributes:
        signal, variance: of single blocks in single frames.
        held: part of a frame's noise that the next one still holds.
        correlation: of the noise of frames 1, 2, 3 apart.
        differences: aligned differences, NaN where nothing is flat or known.
    """

    signal: Array
    variance: Array
    held: float
    correlation: tuple[float, ...]
    differences: tuple[Voxels, ...]


def shift_between(image: Image, first: int, second: int) -> tuple[float, float]:
    """How far (down, right) in pixels the whole image moves from a frame to another; 0, 0 where that explains nothing.

    Phase correlation of smaller pictures, believed only where it makes the frames more alike: a beating heart alone also
    has a best shift.
    """
    factor = 4 if min(image.shape[1:]) >= 128 else 2
    small = [
        cv2.resize(image.voxels[t], None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        for t in (first, second)
    ]
    window = cv2.createHanningWindow(small[0].shape[::-1], cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(small[0], small[1], window)
    shift = factor * float(down), factor * float(right)
    whole = round(shift[0]), round(shift[1])
    if whole == (0, 0):
        return shift
    moved = _aligned(image, first, second, whole)
    if moved is None:
        return 0.0, 0.0
    inside = ~np.isnan(moved)
    still = image.voxels[second] - image.voxels[first]
    better = np.median(np.abs(moved[inside])) < _BETTER * np.median(np.abs(still[inside]))
    return shift if better else (0.0, 0.0)


def pan_speed(image: Image) -> float:
    """Median over pairs of frames of how far the whole image moves per frame, in pixels.

    Frames some time apart show slow motion, but of a fast one in a small image they share too little: then the next one does.
    """
    count = image.shape[0]
    if count < 2:
        return 0.0

    def over(gap: int) -> float:
        starts = np.unique(np.linspace(0, count - 1 - gap, 12).astype(int))
        return float(np.median([np.hypot(*shift_between(image, int(t), int(t) + gap)) / gap for t in starts]))

    return max(over(gap) for gap in {min(_GAP, count - 1), 1})


def panned_noise(image: Image, pan: float) -> PannedNoise | None:
    """Measure a run that moves by about `pan` pixels per frame; None where too little of it can be aligned."""
    frames = frames_to_look_at(image)
    gap = int(np.clip(np.ceil((_APART + 1) / pan), 1, 8))
    pairs = [pair for t in list(frames)[:-gap] if (pair := _pair(image, t, t + gap)) is not None]
    if len(pairs) < 4:
        return None
    usable = usable_blocks(image, frames)
    flat = {pair.frame: _flat(image.voxels[pair.frame], usable) for pair in pairs}
    signal, variance = [], []
    for pair in pairs:
        squares = block_means(pair.change**2) / 2
        where = flat[pair.frame] & np.isfinite(squares)
        signal.append(block_means(image.voxels[pair.frame])[where])
        variance.append(squares[where] * MEDIAN)
    if sum(map(len, signal)) < 64:
        return None
    kept = {
        pair.frame: (pair.shift, np.where(pixels_of(flat[pair.frame], image.shape[1:]), pair.change, np.nan))
        for pair in pairs
    }
    rho = tuple(_correlation(kept, lag) for lag in (1, 2, 3))
    held = float(np.clip(rho[0], -0.1, 0.97)) if np.isfinite(rho[0]) else float("nan")
    differences = tuple(change for _, change in list(kept.values())[:: max(1, len(kept) // 8)])
    return PannedNoise(np.concatenate(signal), np.concatenate(variance), held, rho, differences)


def _pair(image: Image, first: int, second: int) -> Aligned | None:
    shift = shift_between(image, first, second)
    whole = round(shift[0]), round(shift[1])
    if np.hypot(*whole) < _APART:
        return None
    change = _aligned(image, first, second, whole)
    return None if change is None else Aligned(first, whole, change)


def _aligned(image: Image, first: int, second: int, shift: tuple[int, int]) -> Voxels | None:
    """Frame `second` moved back by `shift`, minus frame `first`; NaN where one of them shows nothing."""
    rows, columns = image.shape[1:]
    if abs(shift[0]) > rows // 2 or abs(shift[1]) > columns // 2:
        return None
    here, there = [], []
    for moved, size in zip(shift, (rows, columns), strict=True):
        here.append(slice(max(0, -moved), size - max(0, moved)))
        there.append(slice(max(0, moved), size - max(0, -moved)))
    change = np.full((rows, columns), np.nan, np.float32)
    change[here[0], here[1]] = image.voxels[second][there[0], there[1]] - image.voxels[first][here[0], here[1]]
    return change


def _flat(plane: Voxels, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Blocks of one frame without structure to speak of: those with the least gradient of a smoothed frame."""
    smooth = cv2.GaussianBlur(plane, (0, 0), 3.0, borderType=cv2.BORDER_REFLECT_101)
    right, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (1, 0))
    steep = block_means(np.asarray(right**2 + down**2, np.float32))
    return np.asarray(usable & (steep <= np.quantile(steep[usable], _FLAT))) if usable.any() else usable


def _correlation(kept: dict[int, tuple[tuple[int, int], Voxels]], lag: int) -> float:
    """Correlation at the same pixels of the detector of differences `lag` frames apart that were aligned by the same shift."""
    product, square = 0.0, 0.0
    for frame, (shift, change) in kept.items():
        later = kept.get(frame + lag)
        if later is None or later[0] != shift:
            continue
        both = np.isfinite(change) & np.isfinite(later[1])
        one, other = change[both].astype(np.float64), later[1][both].astype(np.float64)
        product += float(np.sum(one * other))
        square += float(np.sum(one**2) + np.sum(other**2)) / 2
    return product / square if square > 0 else float("nan")


def differences_of(image: Image, frames: Sequence[int], where: NDArray[np.bool_]) -> tuple[Voxels, ...]:
    """Differences of successive frames where nothing moves, NaN elsewhere; at most eight of them."""
    pairs = list(frames)[:-1]
    return tuple(
        np.where(where, image.voxels[t + 1] - image.voxels[t], np.float32(np.nan))
        for t in pairs[:: max(1, len(pairs) // 8)]
    )
