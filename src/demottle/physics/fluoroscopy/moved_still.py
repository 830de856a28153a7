"""A still picture that moves before the camera: runs whose motion is known at every pixel, for tests and benchmarks.

Frame t shows the still at `p + displacement(p, t)`. Beyond its borders the still goes on as in a mirror, so no pan is too long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Voxels

Kind = Literal["rest", "pan", "zoom", "rotation", "heartbeat", "breathing"]
Array = NDArray[np.float64]
Field = Callable[[Array, Array, float], tuple[Array, Array]]
"""From rows, columns (pixels from the middle) and the number of a frame to how far away (down, right) the still is."""


@dataclass(frozen=True)
class StillMotion:
    """How a still moves.

    Attributes:
        kind: "rest", "pan", "zoom" and "rotation" about the middle, "heartbeat" (a third of the frame, the rest stands still) or
            "breathing" (up and down, most at the bottom, nothing at the top).
        speed: pixels per frame: of a pan; of the corners in zoom and rotation; the highest in heartbeat and breathing.
        direction: direction of a pan, degrees from the right, downward.
    """

    kind: Kind = "rest"
    speed: float = 0.0
    direction: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        if self.kind not in get_args(Kind):
            raise InputError(f"There is no motion '{self.kind}'; choose one of {', '.join(get_args(Kind))}.")

    def field(self, size: int) -> Field:
        """Return the displacement for frames of `size` x `size` pixels."""
        corner, period = size / 2**0.5, 12.0
        turn = 2 * np.pi / period

        def pan(y: Array, x: Array, t: float) -> tuple[Array, Array]:
            angle = np.deg2rad(self.direction)
            return np.full_like(y, self.speed * t * np.sin(angle)), np.full_like(x, self.speed * t * np.cos(angle))

        def zoom(y: Array, x: Array, t: float) -> tuple[Array, Array]:
            grown = -self.speed / corner * t
            return y * np.expm1(grown), x * np.expm1(grown)

        def rotation(y: Array, x: Array, t: float) -> tuple[Array, Array]:
            angle = self.speed / corner * t
            return (np.cos(angle) - 1) * y + np.sin(angle) * x, (np.cos(angle) - 1) * x - np.sin(angle) * y

        def heartbeat(y: Array, x: Array, t: float) -> tuple[Array, Array]:
            radius = size / 5
            inside = np.exp(-(y**2 + x**2) / (2 * radius**2))
            beat = self.speed / turn * np.sin(turn * t) / (radius * np.exp(-0.5))
            return beat * inside * y, beat * inside * x

        def breathing(y: Array, x: Array, t: float) -> tuple[Array, Array]:
            low = np.clip(y / size + 0.5, 0, 1)
            return low * self.speed / turn * 2 * np.sin(turn * t / 2), np.zeros_like(x)

        def rest(y: Array, x: Array, t: float) -> tuple[Array, Array]:
            return np.zeros_like(y), np.zeros_like(x)

        known: dict[str, Field] = {
            "rest": rest, "pan": pan, "zoom": zoom, "rotation": rotation, "heartbeat": heartbeat, "breathing": breathing,
        }  # fmt: skip
        return known[self.kind]


def moved_still(still: Voxels, size: int, frames: int, motion: StillMotion) -> Voxels:
    """Return the frames (frames, size, size), float32, by bicubic interpolation of a still (rows, columns) without noise.

    The middle of the first frame shows the middle of the still. A pan by whole pixels along rows or columns interpolates nothing.
    """
    field, middle = motion.field(size), (size - 1) / 2
    y, x = np.meshgrid(np.arange(size) - middle, np.arange(size) - middle, indexing="ij")
    top, left = ((side - size) // 2 + middle for side in still.shape)
    out = np.empty((frames, size, size), np.float32)
    for t in range(frames):
        down, right = field(y, x, float(t))
        at_y, at_x = _mirrored(y + down + top, still.shape[0]), _mirrored(x + right + left, still.shape[1])
        out[t] = cv2.remap(
            still, at_x.astype(np.float32), at_y.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
    return out


def _mirrored(at: Array, side: int) -> Array:
    """Fold places into 0 .. side - 1, as if the picture were mirrored at its borders again and again."""
    far = 2 * (side - 1)
    folded = np.mod(at, far)
    return np.asarray(np.where(folded > side - 1, far - folded, folded))
