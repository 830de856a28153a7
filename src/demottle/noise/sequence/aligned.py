"""The noise of a run that moves, from frames brought onto each other.

A later frame is brought onto an earlier one block by block, by whole pixels, which leaves its noise as it is; the fraction of a
pixel that is missing then is made up for on a smoothed picture. What is left in flat blocks is noise: half the mean square

    D_k = s (1 - rho_k r(d_k))      noise that stays with the detector, or
    D_k = s (1 - rho_k)             noise that moves with the image (frames that were shifted after they were taken)

for frames k apart, moved by d_k; r is the correlation of the noise of pixels. What is smooth over 4 pixels is taken off these
differences first: motion that was not found leaves that, and of noise it is some percent, which r tells. So where the image
moves by some pixels even a camera that filters over time gives independent noise, and motion helps to measure it. What
successive frames share at one pixel of the detector is found from products of two such differences.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.noise.sequence.blocks import (
    BLOCK,
    MEDIAN,
    block_means,
    frames_to_look_at,
    pixels_of,
    shared_in_space,
    usable_blocks,
)
from demottle.noise.sequence.curve import NoiseCurve, curve_of
from demottle.noise.sequence.flat import SMOOTH, flat_blocks
from demottle.noise.sequence.motion import Affine, Motions, find_motions, shared_grain

LAGS = 6
_STARTS, _ENOUGH = 10, 4  # frames that later ones are brought onto; in large frames, which hold many blocks
_LARGE = 512 * 512  # pixels
_APART = 3.0  # pixels between which noise counts as independent
_LEAST = 64  # blocks
_MOST_HELD = 0.97
DOUBTED = 0.06
"""How much more frames may seem to share than their finest detail does; beyond, slow motion was taken for noise."""
_COARSE = 4.0  # pixels

Array = NDArray[np.float64]
Owner = Literal["detector", "image"]


@dataclass(frozen=True, eq=False)
class MovingNoise:
    """Noise of a run that moves.

    Attributes:
        curve: noise of a frame against its signal.
        held: part of a frame's noise that the next one still holds, wherever it is found; NaN where not measurable.
        correlation: correlation of the noise of frames 1, 2, ... apart.
        owner: whether shared noise stays with the detector or moves with the image.
        differences: aligned differences of frames far apart, NaN where nothing is flat or known.
    """

    curve: NoiseCurve
    held: float
    correlation: tuple[float, ...]
    owner: Owner
    differences: tuple[Voxels, ...]


@dataclass(frozen=True, eq=False)
class _Pair:
    """A frame and a later one brought onto it; `moved` in whole pixels (rows, columns, 2: right, down) of blocks."""

    first: int
    lag: int
    change: Voxels
    moved: Array

    @property
    def distance(self) -> Array:
        return np.asarray(np.hypot(*np.moveaxis(self.moved, -1, 0)))


def moving_noise(image: Image, motions: Motions | None = None) -> MovingNoise | None:
    """Measure a run of which much or all moves; None where too little can be brought onto each other."""
    frames = frames_to_look_at(image)
    if len(frames) < 2:
        return None
    bench = _Bench(image, frames, find_motions(image, frames) if motions is None else motions)
    pairs = [pair for first in bench.starts for lag in range(1, LAGS + 1) if (pair := bench.pair(first, lag))]
    lags = sorted({pair.lag for pair in pairs})
    if not pairs or bench.count(pairs) < _LEAST:
        return None
    far = [pair for pair in pairs if pair.lag == lags[-1]]
    differences = tuple(np.where(bench.pixels(pair.first), pair.change, np.float32(np.nan)) for pair in far[:8])
    near = shared_in_space(differences)
    whole = 1 / _kept(near)
    pooled = curve_of(*bench.signal_and_variance(pairs))
    if pooled is None:
        return None
    ratio, shared = np.array([bench.against(pairs, lag, pooled, near) for lag in lags]).T
    level, held = _fitted(np.array(lags), ratio, shared)
    curve = curve_of(*bench.signal_and_variance(pairs, dict(zip(lags, ratio / level / whole, strict=True))))
    if curve is None:
        return None
    along = 1 - ratio / level
    detector = tuple(bench.at_detector(pairs, apart) for apart in (1, 2, 3))
    if len(lags) < 2:
        return MovingNoise(curve, float("nan"), (), "detector", differences)
    told = np.isfinite(detector[0])  # else it moves too slowly to tell detector and image apart
    if told and along[0] - max(detector[0], 0) * shared[0] > max(0.05, detector[0]):
        return MovingNoise(curve, float(along[0]), tuple(float(v) for v in along), "image", differences)
    held = float(np.clip(detector[0], -0.1, _MOST_HELD)) if told else held
    fine = bench.shared_grain()
    if held - fine > DOUBTED:
        told, held = False, max(fine, 0.0)
    correlation = detector if told else tuple(held**lag for lag in lags)
    return MovingNoise(curve, held, correlation, "detector", differences)


class _Bench:
    """The frames, what is flat in each of them, and how they move."""

    def __init__(self, image: Image, frames: range, motions: Motions) -> None:
        self._image, self._frames, self._motions = image, frames, motions
        last = len(frames) - 1
        most = _ENOUGH if image.shape[1] * image.shape[2] > _LARGE else _STARTS
        self.starts = [int(t) for t in np.unique(np.linspace(0, last - 1, min(most, last)).astype(int))]
        self._usable = usable_blocks(image, frames)
        self._smoothed: dict[int, Voxels] = {}
        self._known_flat: dict[int, Mask] = {}

    def _frame(self, at: int) -> Voxels:
        return np.asarray(self._image.voxels[self._frames[at]])

    def _smooth(self, at: int) -> Voxels:
        if at not in self._smoothed:
            made = cv2.GaussianBlur(self._frame(at), (0, 0), SMOOTH, borderType=cv2.BORDER_REFLECT_101)
            self._smoothed[at] = np.asarray(made, np.float32)
        return self._smoothed[at]

    def flat(self, at: int) -> Mask:
        """Blocks of a frame without structure to speak of."""
        if at not in self._known_flat:
            self._known_flat[at] = flat_blocks(self._smooth(at), self._usable)
        return self._known_flat[at]

    def pixels(self, at: int) -> Mask:
        """The same as pixels."""
        return pixels_of(self.flat(at), self._image.shape[1:])

    def pair(self, first: int, lag: int, moved: Array | None = None) -> _Pair | None:
        """Bring a later frame onto the one at `first`; `moved`: by these whole pixels, instead of the nearest."""
        if first + lag >= len(self._frames):
            return None
        motion = self._motions.over(first, lag)
        moved = _whole(motion, self._image.shape[1:]) if moved is None else moved
        brought = _brought(self._frame(first + lag), self._smooth(first + lag), motion, moved)
        return _Pair(first, lag, _rough(brought - self._frame(first)), moved)

    def blocks(self, pair: _Pair) -> tuple[Mask, Array]:
        """Flat blocks that both frames show, and half the mean squared difference of all blocks."""
        variance = block_means(pair.change**2) / 2
        return self.flat(pair.first) & np.isfinite(variance), variance

    def count(self, pairs: list[_Pair]) -> int:
        """How many blocks there are to measure on."""
        return sum(int(self.blocks(pair)[0].sum()) for pair in pairs)

    def signal_and_variance(self, pairs: list[_Pair], per_lag: dict[int, float] | None = None) -> tuple[Array, Array]:
        """Signal and noise variance of all flat blocks; each variance over what its lag leaves of it."""
        signal, variance = [], []
        for pair in pairs:
            where, found = self.blocks(pair)
            signal.append(block_means(self._smooth(pair.first))[where])
            variance.append(found[where] * MEDIAN / (1.0 if per_lag is None else max(per_lag[pair.lag], 0.02)))
        return np.concatenate(signal), np.concatenate(variance)

    def against(self, pairs: list[_Pair], lag: int, curve: NoiseCurve, near: Array) -> tuple[float, float]:
        """Return D_k over the variance of `curve`, and the mean of r(d): how much pixels of the detector so far apart share."""
        some = [pair for pair in pairs if pair.lag == lag]
        signal, variance = self.signal_and_variance(some)
        distance = np.concatenate([pair.distance[self.blocks(pair)[0]] for pair in some])
        if not variance.size:
            return float("nan"), float("nan")
        expected = curve.sigma(signal.astype(np.float32)).astype(np.float64) ** 2
        return float(np.median(variance / expected)), float(np.mean(_near(distance, near)))

    def at_detector(self, pairs: list[_Pair], apart: int) -> float:
        """Noise correlation at the same pixel of the detector of frames `apart`; NaN where the image moves too little.

        `d_t = n_t - n_(t+k)(x + d)` and the same d of `t + apart`: `<d_t d_(t+apart)> = 2 rho s` and `<d_t^2> = 2 s`, once d
        is so large that the noise of pixels as far apart is independent.
        """
        product, square = 0.0, 0.0
        for pair in self._far_enough(pairs):
            later = self.pair(pair.first + apart, pair.lag, pair.moved)
            if later is None:
                continue
            here = self.flat(pair.first) & self.flat(pair.first + apart) & (pair.distance >= _APART)
            both = np.isfinite(pair.change) & np.isfinite(later.change) & pixels_of(here, self._image.shape[1:])
            one, other = pair.change[both].astype(np.float64), later.change[both].astype(np.float64)
            product += float(np.sum(one * other))
            square += float(np.sum(one**2) + np.sum(other**2)) / 2
        return product / square if square > 0 else float("nan")

    def shared_grain(self) -> float:
        """What successive frames share of their finest detail where both are flat."""
        some = ((t, self.pixels(t) & self.pixels(t + 1)) for t in self.starts)
        return shared_grain((self._frame(t), self._frame(t + 1), where) for t, where in some)

    def _far_enough(self, pairs: list[_Pair]) -> list[_Pair]:
        """Return, for every start, the pair with the smallest lag over which most flat blocks move far."""
        found: dict[int, _Pair] = {}
        for pair in pairs:
            where, _ = self.blocks(pair)
            if pair.first not in found and where.any() and np.mean(pair.distance[where] >= _APART) > 0.5:
                found[pair.first] = pair
        return list(found.values())


def _fitted(lags: Array, ratio: Array, shared: Array) -> tuple[float, float]:
    """Fit `ratio = c (1 - held^k)`, or with `shared` where noise stays with the detector; return c and held.

    Noise that stays is preferred: only where the other one explains the ratios far better does noise move with the image.
    """
    if lags.size < 2:
        return float(ratio[0]), 0.0
    best: dict[Owner, tuple[float, float, float]] = {}
    owners: tuple[tuple[Owner, Array], ...] = (("detector", shared), ("image", np.ones_like(shared)))
    for owner, part in owners:
        tries = []
        for held in np.arange(0.0, _MOST_HELD, 0.005):
            model = 1 - held**lags * part
            level = float(model @ ratio / (model @ model))
            tries.append((float(np.sum((ratio - level * model) ** 2)), level, float(held)))
        best[owner] = min(tries)
    owner = "image" if best["image"][0] < 0.5 * best["detector"][0] else "detector"
    return best[owner][1], best[owner][2]


def _rough(change: Voxels) -> Voxels:
    """Take off what is smooth; NaN stays NaN, and counts for nothing around it."""
    known = np.isfinite(change)
    parts = (np.where(known, change, 0).astype(np.float32), known.astype(np.float32))
    total, weight = (cv2.GaussianBlur(part, (0, 0), _COARSE, borderType=cv2.BORDER_REFLECT_101) for part in parts)
    return np.asarray(change - total / np.maximum(weight, 1e-3), np.float32)


def _kept(near: Array) -> float:
    """Part of the noise's variance that `_rough` leaves, from the correlation of what it left."""
    if not np.isfinite(near).all():
        near = np.eye(1, 16).reshape(4, 4)
    at = np.abs(np.arange(-3, 4))
    square = at[:, None] ** 2 + at[None] ** 2
    taken = 0.0
    for times, variance in ((2.0, _COARSE**2), (-1.0, 2 * _COARSE**2)):  # of G and of G twice
        gaussian = np.exp(-square / (2 * variance)) / (2 * np.pi * variance)
        taken += times * float(np.sum(near[at[:, None], at[None]] * gaussian))
    return 1 - min(max(taken, 0.0), 0.5)


def _near(distance: Array, near: Array) -> Array:
    """Noise correlation of pixels at whole distances, from the table of those up to 3 apart; 0 beyond."""
    if not np.isfinite(near).all():
        return np.asarray(distance == 0, np.float64)
    along = np.append((near[0] + near[:, 0]) / 2, 0.0)
    return np.asarray(np.interp(distance, np.arange(along.size), np.clip(along, 0, 1)))


def _whole(motion: Affine, shape: tuple[int, int]) -> Array:
    """Motion of blocks in whole pixels, (rows, columns, 2) with right and down; blocks at the border that are cut count too."""
    rows, columns = (side // BLOCK for side in shape)
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    at = np.stack([x, y, np.ones_like(x)]) * np.array([BLOCK, BLOCK, 1.0])[:, None, None]
    at[:2] += (BLOCK - 1) / 2
    return np.asarray(np.rint(np.moveaxis(np.tensordot(motion, at, 1) - at[:2], 0, -1)))


def _brought(frame: Voxels, smooth: Voxels, motion: Affine, moved: Array) -> Voxels:
    """Take a frame's blocks from where they have moved to; NaN where it shows nothing."""
    rows, columns = frame.shape
    fine = np.repeat(np.repeat(moved, BLOCK, axis=0), BLOCK, axis=1)
    fine = np.pad(fine, ((0, rows - fine.shape[0]), (0, columns - fine.shape[1]), (0, 0)), mode="edge")
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    exact_x, exact_y = ((motion[i, 0] * x + motion[i, 1] * y + motion[i, 2]).astype(np.float32) for i in (0, 1))
    whole_x, whole_y = ((here + fine[..., i]).astype(np.float32) for i, here in enumerate((x, y)))
    out = cv2.remap(frame, whole_x, whole_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    if max(float(np.abs(exact_x - whole_x).max()), float(np.abs(exact_y - whole_y).max())) > 1e-3:
        finer = cv2.remap(smooth, exact_x, exact_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        out = out + finer - cv2.remap(smooth, whole_x, whole_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    for at, side in ((exact_x, columns), (exact_y, rows), (whole_x, columns), (whole_y, rows)):
        out[(at < 0) | (at > side - 1)] = np.nan
    return np.asarray(out, np.float32)
