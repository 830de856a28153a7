"""The recursive filter of fluoroscopy cameras: `y_t = w x_t + (1 - w) y_{t-1}`.

Where nothing moves the variance of white noise falls to `w / (2 - w)` of itself: 9.5 dB at w = 0.2. What moves leaves a trail
that fades by 1 - w per frame.
"""

from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.registry import name_of
from demottle.methods.streaming import PlainFilter, Stream

NAME = name_of(__name__)


@dataclass(frozen=True)
class RecursiveSettings:
    """Settings of the filter.

    Attributes:
        weight: weight of the new frame, above 0 and up to 1.
        warm_up: begin as a plain mean (weight 1, 1/2, 1/3, ... down to `weight`), so that the first frame, noise and all,
            does not stay for long.
        correct_lag: undo lag first, where it is measured.
    """

    weight: float = 0.2
    warm_up: bool = True
    correct_lag: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not 0 < self.weight <= 1:
            raise InputError(f"weight is {self.weight}; it has to be above 0 and at most 1.")


class RecursiveStream(Stream):
    """The filter's state: the last result."""

    def __init__(self, settings: RecursiveSettings) -> None:
        """Start without a frame."""
        self._settings = settings
        self._last: Voxels | None = None
        self._count = 0

    def _step(self, frame: Voxels) -> Voxels:
        self._count += 1
        weight = self._settings.weight
        if self._settings.warm_up:
            weight = max(weight, 1 / self._count)
        last = self._last
        out = frame.copy() if last is None else np.asarray(last + np.float32(weight) * (frame - last), np.float32)
        self._last = out
        return out.copy()


class Recursive(PlainFilter[RecursiveSettings]):
    """The filter; it learns nothing."""

    method = NAME

    def _stream(self) -> RecursiveStream:
        """See `PlainFilter`."""
        return RecursiveStream(self._settings)


Settings, fit, restore = RecursiveSettings, Recursive.fit, Recursive.restore
