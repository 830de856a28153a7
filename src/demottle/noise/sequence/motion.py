"""How the whole image moves from frame to frame: shift, turn and stretch, found on smoothed pictures of the frames.

Registration by enhanced correlation (Evangelidis and Psarakis, IEEE TPAMI 2008), which does not care about brightness, started
from the shift of the pair before. What it finds is believed only where it makes the frames clearly more alike than leaving them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise.sequence.blocks import block_means

Affine = NDArray[np.float64]
"""(2, 3): where (column, row, 1) of a frame lies in a later one."""
NOTHING = np.eye(2, 3)
_SIDE = 256  # pixels of the larger side of the pictures that are registered
_SMOOTH = 1.5  # pixels of those: so much that interpolating them takes off no noise, which would look like a motion
_STEPS, _SETTLED = 40, 1e-4
_BETTER = 0.97  # of the difference of frames that may be left, for a motion to be believed
_GAP = 4  # frames
_SEEN = 0.08  # correlation of the finest detail from which noise counts as moving along
_CHANCE = 12.0  # over the root of the number of pixels: what chance reaches nowhere in a frame (six deviations)
_SHARP = 0.6  # part of it that a pixel beside may have
_FINEST = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
_VOTES = 3  # parts of the image that a motion has to make alike for every one that it does not
_FAR = 0.45  # of a side: nothing moves farther between frames that are compared


@dataclass(frozen=True, eq=False)
class Registered:
    """Frames as small smoothed pictures, and what is known of their motion."""

    small: list[Voxels]
    factor: float
    inside: NDArray[np.uint8] | None

    @classmethod
    def of(cls, image: Image, frames: range) -> "Registered":
        """Make the pictures."""
        factor = max(2.0 if max(image.shape[1:]) >= 96 else 1.0, max(image.shape[1:]) / _SIDE)
        small = [_small(image.voxels[t], factor) for t in frames]
        inside = None
        if image.valid is not None:
            inside = (_small(image.valid[frames.start].astype(np.float32), factor) > 0.99).astype(np.uint8)
        return cls(small, factor, inside)

    def between(self, first: int, second: int, guess: Affine) -> Affine:
        """Return the motion from a frame to another (counted in `frames`), from a guess of it; the best of what was tried."""
        tries = [_scaled(guess, 1 / self.factor), self._shift(first, second)]
        start = min((NOTHING, *tries), key=lambda motion: self._apart(first, second, motion))
        found = self._refined(first, second, start)
        best = min((start, found), key=lambda motion: self._apart(first, second, motion))
        if self._apart(first, second, best) > self._limit() or not self._of_the_whole(first, second, best):
            return NOTHING
        return _scaled(best, self.factor)

    def _shift(self, first: int, second: int) -> Affine:
        one, other = self.small[first], self.small[second]
        window = cv2.createHanningWindow(one.shape[::-1], cv2.CV_32F)
        (right, down), _ = cv2.phaseCorrelate(one - one.mean(), other - other.mean(), window)
        return np.array([[1, 0, right], [0, 1, down]])

    def _refined(self, first: int, second: int, start: Affine) -> Affine:
        until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _STEPS, _SETTLED)
        try:
            _, found = cv2.findTransformECC(
                self.small[first],
                self.small[second],
                start.astype(np.float32),
                cv2.MOTION_AFFINE,
                until,
                self.inside,  # type: ignore[arg-type]
                1,
            )
        except cv2.error:  # nothing in common
            return start
        return np.asarray(found, np.float64)

    def _limit(self) -> float:
        """Part of the difference that a motion may leave; less in small pictures, where six numbers can follow the noise."""
        independent = self.small[0].size / (4 * np.pi * _SMOOTH**2)
        return max(0.5, _BETTER - 3 * 6 / independent)

    def _apart(self, first: int, second: int, motion: Affine) -> float:
        """Mean difference of two pictures once moved, over that of the same parts left as they are; infinite without overlap."""
        moved, left = (self._change(first, second, way) for way in (motion, NOTHING))
        if moved is None or left is None:
            return float("inf")
        both = np.isfinite(moved) & np.isfinite(left)
        before = float(np.abs(left[both]).mean()) if both.any() else 0.0
        return float(np.abs(moved[both]).mean()) / before if before > 0 else float("inf")

    def _change(self, first: int, second: int, motion: Affine) -> Voxels | None:
        """A later picture moved back, minus the earlier one; NaN where one of them shows nothing; None: they hardly overlap."""
        one, other = self.small[first], self.small[second]
        rows, columns = one.shape
        corners = motion @ np.array([[0, columns - 1, 0, columns - 1], [0, 0, rows - 1, rows - 1], [1, 1, 1, 1]])
        home = np.array([[0, columns - 1, 0, columns - 1], [0, 0, rows - 1, rows - 1]])
        if np.abs(corners - home).max() > _FAR * min(rows, columns):
            return None
        moved = cv2.warpAffine(
            other, motion, (columns, rows), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderValue=float("nan")
        )
        change = moved - one
        if self.inside is not None:
            change[self.inside == 0] = np.nan
        return np.asarray(change, np.float32)

    def _of_the_whole(self, first: int, second: int, motion: Affine) -> bool:
        """Say whether a motion is of the whole image: far more parts of it become alike by it than stop being so."""
        moved, left = (self._change(first, second, way) for way in (motion, NOTHING))
        if moved is None or left is None:
            return False
        after, before = block_means(moved**2), block_means(left**2)
        known = np.isfinite(after) & np.isfinite(before)
        if not known.any():
            return False
        noise = max(float(np.median(np.minimum(after, before)[known])), 1e-30)
        gain = (before - after)[known] / noise
        return int(np.sum(gain > 1)) > _VOTES * int(np.sum(gain < -1)) + 1


@dataclass(frozen=True, eq=False)
class Motions:
    """How frames move onto later ones; registered when asked for."""

    registered: Registered
    steps: tuple[Affine, ...]
    exact: tuple[bool, ...]
    shape: tuple[int, int]
    _known: dict[tuple[int, int], Affine] = field(default_factory=dict)

    def over(self, first: int, lag: int) -> Affine:
        """Motion from the frame at `first` to the one `lag` later, from registering the two, with single steps as a guess."""
        if (first, lag) not in self._known:
            guess = NOTHING
            for step in self.steps[first : first + lag]:
                guess = joined(guess, step)
            known = lag == 1 or all(self.exact[first : first + lag])
            self._known[first, lag] = guess if known else self.registered.between(first, first + lag, guess)
        return self._known[first, lag]

    def speed(self) -> float:
        """How far the whole image moves per frame, in pixels: the median over pairs of frames 4 apart, or fewer."""
        count = len(self.steps)
        if not count:
            return 0.0
        lag = min(_GAP, count)
        starts = np.unique(np.linspace(0, count - lag, 10).astype(int))
        return float(np.median([reach(self.over(int(t), lag), self.shape) / lag for t in starts]))


def find_motions(image: Image, frames: range) -> Motions:
    """Register every frame of `frames` to the next."""
    registered = Registered.of(image, frames)
    steps, exact, last = [], [], NOTHING
    grain = _grain(image.voxels[frames[0]])
    for first, second in enumerate(range(1, len(frames))):
        next_grain = _grain(image.voxels[frames[second]])
        shift = shift_of_the_grain(grain, next_grain)
        grain = next_grain
        exact.append(shift is not None)
        last = registered.between(first, second, last) if shift is None else shift
        steps.append(last)
    return Motions(registered, tuple(steps), tuple(exact), image.shape[1:])


def _grain(plane: Voxels) -> Voxels:
    """The finest detail of a frame, with mean square 1; edges count no more than noise."""
    fine = cv2.filter2D(plane, cv2.CV_32F, _FINEST, borderType=cv2.BORDER_REFLECT_101)
    most = 3 * 1.4826 * float(np.median(np.abs(fine)))
    fine = np.clip(fine, -most, most)
    fine[
        cv2.dilate(((plane <= plane.min()) | (plane >= plane.max())).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ] = 0
    return np.asarray(fine / max(float(np.sqrt(np.mean(fine**2))), 1e-30), np.float32)


def shared_grain(pairs: Iterable[tuple[Voxels, Voxels, NDArray[np.bool_]]]) -> float:
    """How much of its finest detail a frame shares with the next at the same pixels: motion hardly changes that.

    Args:
        pairs: pairs of a frame, the next one, and where to look.
    """
    product, square = 0.0, 0.0
    for one, other, where in pairs:
        before, after = (_grain(frame)[where].astype(np.float64) for frame in (one, other))
        product += float(np.sum(before * after))
        square += float(np.sum(before**2) + np.sum(after**2)) / 2
    return product / square if square > 0 else float("nan")


def shift_of_the_grain(one: Voxels, other: Voxels) -> Affine | None:
    """How far noise itself moves from a frame to the next, by whole pixels; None: it does not.

    Frames that were shifted after they were taken carry their noise along, as far as they shared any. It shows as a sharp peak in
    the correlation of the finest detail. Where more stays with the detector, it is not looked for.
    """
    shared = cv2.mulSpectrums(cv2.dft(other), cv2.dft(one), 0, conjB=True)
    peaks = cv2.idft(shared, flags=cv2.DFT_SCALE) / one.size
    rows, columns = peaks.shape
    down, right = (int(v) for v in np.unravel_index(int(np.argmax(peaks)), peaks.shape))
    around = [float(peaks[(down + a) % rows, (right + b) % columns]) for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    best = float(peaks[down, right])
    if (down, right) == (0, 0) or best < max(_SEEN, _CHANCE / one.size**0.5) or max(around) > _SHARP * best:
        return None
    down, right = (at - side if at > side // 2 else at for at, side in ((down, rows), (right, columns)))
    return np.array([[1.0, 0, right], [0, 1, down]])


def joined(first: Affine, second: Affine) -> Affine:
    """One motion after another."""
    return np.asarray(np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]]))[:2]


def reach(motion: Affine, shape: tuple[int, int]) -> float:
    """How far the motion takes the pixels of a frame, in pixels (root mean square over nine places)."""
    y, x = np.meshgrid(np.linspace(0, shape[0] - 1, 3), np.linspace(0, shape[1] - 1, 3), indexing="ij")
    at = np.stack([x.ravel(), y.ravel(), np.ones(9)])
    return float(np.sqrt(np.mean(np.sum((motion @ at - at[:2]) ** 2, axis=0))))


def _small(plane: Voxels, factor: float) -> Voxels:
    size = round(plane.shape[1] / factor), round(plane.shape[0] / factor)
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _scaled(motion: Affine, factor: float) -> Affine:
    """The motion in pixels that are `factor` times as many; pixels are counted from their middles."""
    shift = (factor - 1) / 2
    to_small = np.array([[1 / factor, 0, -shift / factor], [0, 1 / factor, -shift / factor], [0, 0, 1]])
    whole = np.vstack([motion, [0, 0, 1]])
    return np.asarray(np.linalg.inv(to_small) @ whole @ to_small)[:2]
