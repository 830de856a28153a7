"""Bring frames onto one another: optical flow, with a confidence that says where it can be believed.

The flow is found on guides: frames with noise of deviation 1 everywhere, smoothed. Where not moving explains the frames as
well as moving does, nothing is moved: flow that follows noise would blur what stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Voxels
from demottle.noise import guide

Bytes = NDArray[np.uint8]
SIGMA = 1.5
"""Width of the guides' Gaussian in pixels."""
_NEAR, _FAR = 1.5, 3.0  # photometric error, in what noise alone gives: fully believed up to, not at all from
_RETURN = 1.0  # pixels a point may miss itself by, forth and back
_SPARE = 1.05  # the noise is measured, and may be a little stronger here or there
_STILL = 1.25  # standing still is believed up to this error
_AROUND = 31  # pixels across of what has to stand still together
_LEAST, _ENOUGH = 0.8, 0.95  # share of it that has to: none is believed below, all from there on


@dataclass(frozen=True, eq=False)
class Recursion:
    """The recursive average of frames brought onto one.

    Attributes:
        mean: float32 (rows, columns).
        variance: variance of its noise, in units of a frame's; 1 where hardly anything could be believed.
        confidence: 0 to 1: the believed frames' share.
    """

    mean: Voxels
    variance: Voxels
    confidence: Voxels


class Alignment:
    """Brings frames of one sequence onto one another; guides and flows are kept."""

    def __init__(self, stabilized: Voxels, grain: float, compensate: bool = True) -> None:
        """Make the guides.

        Args:
            stabilized: frames with noise of deviation 1, (frames, rows, columns).
            grain: deviation of that noise once smoothed by `SIGMA`: 0.19 where it is white.
            compensate: False: frames are never moved, only believed or not.
        """
        self._guides = [guide.smooth(frame, SIGMA) for frame in stabilized]
        self._compensate = compensate and min(self._guides[0].shape) >= 16
        low, high = np.percentile(np.stack(self._guides[:: max(1, len(self._guides) // 8)]), [0.5, 99.5])
        self._low, self._scale = float(low), 255 / max(float(high - low), 1e-6)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._known: dict[tuple[int, int], Voxels] = {}
        self._alike = _SPARE * 2 / np.pi**0.5 * max(grain, 1e-3)  # mean difference of two such guides

    def bring(self, frame: Voxels, here: int, there: int) -> tuple[Voxels, Voxels]:
        """Bring `frame`, the one at `there`, onto the one at `here`; returns it and its confidence (0 to 1)."""
        still = self._error(self._guides[there], here)
        if not self._compensate:
            return frame, _falling(still)
        forth, back = self._between(here, there), self._between(there, here)
        moved = self._error(_warped(self._guides[there], forth), here)
        missed = np.hypot(*np.moveaxis(forth + _warped(back, forth), -1, 0))
        stay = (still <= _STILL) | (still <= moved)
        flow = np.where(stay[..., None], np.float32(0), forth)
        confidence = np.where(stay, _falling(still), _falling(moved) * np.exp(-((missed / _RETURN) ** 2)))
        return _warped(frame, flow), np.asarray(confidence, np.float32)

    def standing(self, here: int, there: int) -> Voxels:
        """Say where nothing moves from one frame to another, 0 to 1: not only a pixel, but what is around it."""
        alike = _falling(self._error(self._guides[there], here))
        around = cv2.blur(alike, (_AROUND, _AROUND))
        return np.asarray(alike * np.clip((around - _LEAST) / (_ENOUGH - _LEAST), 0, 1), np.float32)

    def recursion(
        self, frames: Voxels, here: int, others: Sequence[int], weight: float, farther: Sequence[int] = ()
    ) -> Recursion:
        """Average frames recursively, brought onto the one at `here`.

        `y <- y + w (m - y)` with `w = c max(weight, 1 / n)`: m the frame brought here, c its confidence, n the sum of
        confidences so far. So the first frames count alike, instead of the very first one most.

        Args:
            frames: the sequence, (frames, rows, columns).
            here: the frame to bring the others onto.
            others: the frames to average, in this order.
            weight: weight of a new frame in the long run, 0 to 1.
            farther: frames that count only where everything around stands still, and then as much as any other.
        """
        shape = frames[here].shape
        mean, variance, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        standing = ((frames[there], self.standing(here, there), 0) for there in farther)
        brought = ((*self.bring(frames[there], here, there), 1) for there in others)
        believed = np.zeros(shape, np.float32)
        for moved, confidence, counts in chain(standing, brought):
            total += confidence
            believed += counts * confidence
            gain = confidence * np.maximum(np.float32(0 if farther else weight), 1 / np.maximum(total, 1))
            gain = np.where(total <= 1, confidence / np.maximum(total, 1e-3), gain)
            mean += gain * (moved - mean)
            variance = (1 - gain) ** 2 * variance + gain**2
        believed /= max(len(others), 1)
        return Recursion(mean, np.where(total > 0, variance, 1).astype(np.float32), believed.astype(np.float32))

    def _between(self, here: int, there: int) -> Voxels:
        """Flow (rows, columns, 2) from `here` to `there`: how far (columns, rows) what is here lies there."""
        if (here, there) not in self._known:
            if len(self._known) > 64:
                self._known.clear()
            self._known[here, there] = self._flow.calc(self._eight_bits(here), self._eight_bits(there), None)  # type: ignore[call-overload]
        return self._known[here, there]

    def _eight_bits(self, index: int) -> Bytes:
        shown: Bytes = np.clip((self._guides[index] - self._low) * self._scale, 0, 255).astype(np.uint8)
        return shown

    def _error(self, other: Voxels, here: int) -> Voxels:
        """Difference of two guides around each pixel, 1 where noise alone makes it."""
        apart = np.abs(other - self._guides[here])
        return np.asarray(cv2.blur(apart, (5, 5)) / self._alike, np.float32)


def _warped(frame: Voxels, flow: Voxels) -> Voxels:
    rows, columns = flow.shape[:2]
    x = np.arange(columns, dtype=np.float32)[None] + flow[..., 0]
    y = np.arange(rows, dtype=np.float32)[:, None] + flow[..., 1]
    return np.asarray(cv2.remap(frame, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _falling(error: Voxels) -> Voxels:
    """From 1 up to `_NEAR` smoothly to 0 at `_FAR`."""
    t = np.clip((error - _NEAR) / (_FAR - _NEAR), 0, 1)
    return np.asarray(1 - t * t * (3 - 2 * t), np.float32)
