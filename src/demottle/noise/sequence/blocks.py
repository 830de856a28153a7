"""Where a sequence stands still, and how far its noise holds over from frame to frame.

Everything comes from the structure function `D_k = <(x_t - x_{t+k})^2> / 2` in blocks of 8 x 8 pixels. For noise of variance
s whose correlation over k frames is rho_k it is `s (1 - rho_k)`: one frame's difference alone under-reads the noise of
anything that was filtered over time. Motion adds a part that grows like k^2 at first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.noise.sequence.curve import curve_of

BLOCK = 8
LAGS = 6
_MOST_FRAMES = 40
_ENOUGH = 8  # frames, for those before the exposure to be left out
_DARK = 0.7  # of the run's brightness: below, the exposure had not begun
_PLAIN = 0.25  # of the geometric model's error: below, frames were averaged with equal weights
_GROUPS = 8
_STILL = 2.6  # standard deviations that the spread of a still block's means may lie above that of all
_MOST_HELD = 0.97
_LEAST_FOR_SLOPE = 128  # blocks
_LINE = 0.1  # misfit up to which noise against signal is a line
MEDIAN = (1 - 2 / (9 * 24)) ** -3  # from the median of a chi-square of about 24 degrees of freedom to its mean

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of a sequence.

    Attributes:
        mean: mean signal, shape (rows, columns) of blocks.
        structure: D_1, D_2, ... of the pixels in each block, shape (lags, rows, columns).
        still: blocks in which nothing moves, where all was measured and nothing is saturated.
        moving_share: share of the usable blocks, those where something moves.
        frames: the frames that were looked at.
    """

    mean: Array
    structure: Array
    still: Mask
    moving_share: float
    frames: range


def frames_to_look_at(image: Image) -> range:
    """A run of at most 40 frames from the middle of the sequence, without frames from before the exposure."""
    count = min(image.shape[0], _MOST_FRAMES)
    first = (image.shape[0] - count) // 2
    dark = dark_frames(image.voxels[first : first + count])
    return range(first + dark if count - dark >= _ENOUGH else first, first + count)


def dark_frames(voxels: NDArray[np.float32]) -> int:
    """Return how many frames at the start are darker than 70 % of the usual: the exposure had not begun.

    One such frame among forty makes all that stands still seem to move.
    """
    means = np.array([float(plane.mean(dtype=np.float64)) for plane in voxels])
    usual = float(np.median(means))
    return int(np.argmax(means >= _DARK * usual)) if usual > 0 else 0


def measure_blocks(image: Image, frames: range | None = None) -> Blocks:
    """Measure the blocks of a sequence of at least two frames and at least 8 x 8 pixels, in `frames` or those to look at."""
    frames = frames_to_look_at(image) if frames is None else frames
    means = np.stack([block_means(image.voxels[t]) for t in frames])
    lags = min(LAGS, len(frames) - 1)
    structure = np.stack([_structure(image, frames, lag) for lag in range(1, lags + 1)])
    usable = usable_blocks(image, frames) & (structure[0] > 0)
    if not usable.any():
        return Blocks(means.mean(axis=0), structure, usable, 0.0, frames)
    spread = np.zeros(usable.shape)
    for lag in range(
        1, lags + 1
    ):  # of block means against that of pixels: the same for all blocks in which nothing moves
        moved = (means[lag:] - means[:-lag]) ** 2 / 2
        spread += moved.mean(axis=0) / np.maximum(structure[lag - 1], 1e-30) / lags
    mean = means.mean(axis=0)
    still = usable & (spread <= _limit(mean, spread, usable, len(frames) - 1))
    return Blocks(mean, structure, still, float(1 - still.sum() / usable.sum()), frames)


def _limit(mean: Array, spread: Array, usable: Mask, pairs: int) -> Array:
    """How large the spread may be at each block; by signal, because dark parts hold more electronic noise, which is white.

    It starts from the stillest fifth of the blocks, which lies 0.84 standard deviations below what all still blocks have.
    """
    uncertain = min(0.9, float(np.sqrt(2 / pairs)))  # of a variance from so many pairs, relative
    above = (1 + _STILL * uncertain) / (1 - 0.84 * uncertain)
    order = np.argsort(mean[usable], kind="stable")
    groups = np.array_split(order, max(1, min(_GROUPS, order.size // 40)))
    at = [float(np.median(mean[usable][group])) for group in groups]
    lowest = [float(np.quantile(spread[usable][group], 0.2)) for group in groups]
    return np.asarray(above * np.interp(mean, at, lowest))


def held_over(blocks: Blocks) -> tuple[float, tuple[float, ...]]:
    """Return how much of the noise of a frame the next one holds, and rho_1, rho_2, ...

    The model is first order, `rho_k = held^k`, which lag and a recursive filter follow; fitted together with motion,
    `D_k / D_1 = (1 - held^k) / (1 - held) + m (k^2 - 1)`, m >= 0, over the still blocks. NaN and () for two frames, and where
    no still block changes at all.
    """
    lags = len(blocks.structure)
    noisy = blocks.still & (blocks.structure[0] > 0)
    if lags < 2 or not noisy.any():
        return float("nan"), ()
    first = blocks.structure[0][noisy]
    ratio = np.array([np.median(plane[noisy] / first) for plane in blocks.structure])
    k = np.arange(1, lags + 1)
    drift = (k**2 - 1).astype(np.float64)
    best = (np.inf, 0.0, 0.0)
    for held in np.arange(-0.1, _MOST_HELD, 0.0025):
        model = (1 - held**k) / (1 - held)
        motion = max(0.0, float(drift @ (ratio - model) / (drift @ drift)))
        error = float(np.sum((ratio - model - motion * drift) ** 2))
        if error < best[0]:
            best = error, float(held), motion
    _, held, motion = best
    rho = 1 - (ratio - motion * drift) * (1 - held)
    return held, tuple(float(value) for value in rho)


def averaged(held: float, shared: Sequence[float]) -> int:
    """Return over how many frames an average with equal weights was taken (2 to 5); 1 where what frames share is geometric.

    Of such an average of n frames `D_k / D_1 = min(k, n)`, which `held_over` reads as a filter that forgets almost nothing and
    therefore as noise that is far too large. Arguments are what `held_over` returned.
    """
    if len(shared) < LAGS or not held < 1:
        return 1
    k = np.arange(1, LAGS + 1)
    ratio = (1 - np.asarray(shared)) / (1 - held)
    geometric = float(np.sum((ratio - (1 - held**k) / (1 - held)) ** 2))
    errors = {n: float(np.sum((ratio - np.minimum(k, n)) ** 2)) for n in range(2, LAGS)}
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < _PLAIN * geometric else 1


def signal_held_over(blocks: Blocks) -> float:
    """Return how much of the signal the next frame holds (lag), with the noise of the electronics kept apart; NaN if unknown.

    Lag holds quanta over, and electronic noise comes after it: `D_k = a (1 - lag^k) signal + b`, so the slopes of D_1 and D_2
    over the signal give `lag = slope_2 / slope_1 - 1` whatever b is. Needs numbers proportional to the X-rays.
    """
    if len(blocks.structure) < 2 or blocks.still.sum() < _LEAST_FOR_SLOPE:
        return float("nan")
    first, second = (curve_of(blocks.mean[blocks.still], plane[blocks.still]) for plane in blocks.structure[:2])
    if first is None or second is None or first.gain <= 0 or max(first.misfit, second.misfit) > _LINE:
        return float("nan")
    return float(np.clip(second.gain / first.gain - 1, 0, _MOST_HELD))


def shared_in_space(differences: Sequence[NDArray[np.float32]], reach: int = 3) -> Array:
    """Noise correlation of pixels up to `reach` apart, shape (reach + 1, reach + 1): rows down, columns right; [0, 0] is 1.

    Args:
        differences: differences of frames in which the scene is the same, so that they hold noise only; NaN where they are not.
        reach: in pixels.
    """
    total = np.zeros((reach + 1, reach + 1))
    count = np.zeros_like(total)
    for plane in differences:
        where = np.isfinite(plane)
        change = np.where(where, plane, 0).astype(np.float64)
        change -= np.where(where, change.sum() / max(1, where.sum()), 0)
        rows, columns = change.shape
        for down in range(reach + 1):
            for right in range(reach + 1):
                low = slice(0, rows - down), slice(0, columns - right)
                high = slice(down, None), slice(right, None)
                total[down, right] += float(np.sum(change[low] * change[high]))
                count[down, right] += int(np.sum(where[low] & where[high]))
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = total / count
        return np.asarray(covariance / covariance[0, 0])


def pixels_of(blocks: Mask, shape: tuple[int, int]) -> Mask:
    """Blocks as a mask of pixels, of `shape` (rows, columns)."""
    where = np.zeros(shape, np.bool_)
    fine = np.repeat(np.repeat(blocks, BLOCK, axis=0), BLOCK, axis=1)
    where[: fine.shape[0], : fine.shape[1]] = fine
    return where


def _whole(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = plane.shape[0] // BLOCK * BLOCK, plane.shape[1] // BLOCK * BLOCK
    return plane[:rows, :columns]


def block_means(plane: NDArray[np.float32]) -> Array:
    """Means of blocks of 8 x 8 pixels; rows and columns that fill no block are left out."""
    whole = _whole(plane)
    size = whole.shape[1] // BLOCK, whole.shape[0] // BLOCK
    return np.asarray(cv2.resize(np.ascontiguousarray(whole), size, interpolation=cv2.INTER_AREA), np.float64)


def _structure(image: Image, frames: range, lag: int) -> Array:
    """D_k of every block: the median over pairs of frames, so that what passes now and then does not count."""
    pairs = list(frames)[:-lag]
    found = np.stack([block_means((image.voxels[t] - image.voxels[t + lag]) ** 2) for t in pairs]) / 2
    return np.asarray(np.median(found, axis=0) * (MEDIAN if len(pairs) > 2 else 1.0))


def usable_blocks(image: Image, frames: range) -> Mask:
    """Blocks all of whose pixels are valid and hardly any at an end of the range, where noise is cut off."""
    first = frames.start
    bad = np.zeros(image.shape[1:], np.float32)
    if image.valid is not None:
        bad += ~image.valid[first]
    low, high = (float(f(image.voxels[frames.start : frames.stop])) for f in (np.min, np.max))
    some = list(frames)[:: max(1, len(frames) // 6)]
    for t in some:
        plane = image.voxels[t]
        bad += ((plane <= low) | (plane >= high)).astype(np.float32) / len(some)
    return np.asarray(block_means(bad) < 0.01)


def differences_of(image: Image, frames: Sequence[int], where: NDArray[np.bool_]) -> tuple[Voxels, ...]:
    """Differences of successive frames where nothing moves, NaN elsewhere; at most eight of them."""
    pairs = list(frames)[:-1]
    return tuple(
        np.where(where, image.voxels[t + 1] - image.voxels[t], np.float32(np.nan))
        for t in pairs[:: max(1, len(pairs) // 8)]
    )
