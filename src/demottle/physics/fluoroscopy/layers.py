"""Layers of a fluoroscopy scene: each is drawn once, without motion, and then only moved from frame to frame.

All motion is a shift and a scale (`Motion`), so moving a layer is one resampling (bilinear, at twice the pixels' fineness).
Coordinates as in `moving`: (y, x) in mm from the middle of the detector.
"""

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.physics.fluoroscopy.moving import Array, Motion, Shadow

FINE = 2
_MARGIN = 45.0  # mm around the detector that may move into view
Plane = NDArray[np.float32]


class Part(IntEnum):
    """What lies in front at a pixel, and so what its flow is that of."""

    PATIENT = 0
    DIAPHRAGM = 1
    HEART = 2
    CATHETER = 3
    GUIDEWIRE = 4


@dataclass(frozen=True)
class Layer:
    """Shadows that move together."""

    part: Part
    motion: Motion
    shadows: tuple[Shadow, ...]


@dataclass(frozen=True)
class Detector:
    """The detector's grid: so many rows and columns of square pixels of `pixel` mm."""

    size: int
    pixel: float

    def places(self, fine: int = 1) -> tuple[Array, Array]:
        """Middles of the pixels, or of their parts: y of shape (rows, 1) and x of shape (1, columns)."""
        return _places(self.size * fine, self.pixel / fine)


class Drawn:
    """One layer drawn without motion, on a canvas somewhat larger than the detector."""

    def __init__(self, layer: Layer, detector: Detector) -> None:
        """Draw it: line integrals at `FINE` points per pixel, and where it is."""
        self.layer = layer
        self._detector = detector
        self._count = detector.size * FINE + 2 * int(np.ceil(_MARGIN / detector.pixel * FINE))
        step = detector.pixel / FINE
        y, x = _places(self._count, step)
        total = np.zeros((self._count, self._count))
        covered = np.zeros(total.shape, np.bool_)
        for shadow in layer.shadows:
            total += shadow.integral(y, x, step)
            if layer.part is not Part.PATIENT:
                covered |= shadow.covers(y, x, detector.pixel)
        self._integral = total.astype(np.float32)
        self._covered = covered.astype(np.uint8)

    def integral(self, t: float) -> Plane:
        """Line integrals at time t, shape (rows * FINE, columns * FINE)."""
        side = self._detector.size * FINE
        border = cv2.BORDER_REPLICATE if self.layer.part is Part.PATIENT else cv2.BORDER_CONSTANT
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(self._integral, self._to_canvas(t, FINE), (side, side), flags=flags, borderMode=border)
        return np.asarray(moved, np.float32)

    def covered(self, t: float) -> NDArray[np.bool_]:
        """Where it is at time t, shape (rows, columns); the patient is everywhere."""
        side = self._detector.size
        if self.layer.part is Part.PATIENT:
            return np.ones((side, side), np.bool_)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(self._covered, self._to_canvas(t, 1), (side, side), flags=flags) > 0)

    def _to_canvas(self, t: float, fine: int) -> Array:
        """Matrix from the place (column, row) of a fine pixel to where it was drawn on the canvas."""
        step, drawn = self._detector.pixel / fine, self._detector.pixel / FINE
        first = -(self._detector.size * fine - 1) / 2 * step
        origin = -(self._count - 1) / 2 * drawn
        scale = self.layer.motion.scale(t)
        (down, right), (about_y, about_x) = self.layer.motion.shift(t), self.layer.motion.about
        at_y, at_x = (
            (about + (first - about - shift) / scale - origin) / drawn
            for about, shift in ((about_y, down), (about_x, right))
        )
        ratio = step / scale / drawn
        return np.array([[ratio, 0, at_x], [0, ratio, at_y]])


def transmitted(drawn: list[Drawn], t: float) -> Plane:
    """The part of the X-rays that comes through at time t: `exp(-sum of line integrals)`, averaged over each pixel."""
    total = drawn[0].integral(t)
    for layer in drawn[1:]:
        total += layer.integral(t)
    through = cv2.exp(-total)
    side = len(through) // FINE
    return np.asarray(cv2.resize(through, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _places(count: int, step: float) -> tuple[Array, Array]:
    at: Array = (np.arange(count, dtype=np.float64) - (count - 1) / 2) * step
    return at[:, None], at[None]
