"""Mean of similar pixels in space and time: those in 5 x 5 pixels and 5 frames that lie within two standard deviations.

Lee's sigma filter (1983) over space and time, as fluoroscopy's noise-variance-controlled averaging has it. Motion needs no
detection: what is no longer there is not similar. Costs 125 comparisons per pixel.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.registry import name_of
from demottle.methods.streaming import NoiseFilter, Stream
from demottle.noise.sequence.curve import NoiseCurve

NAME = name_of(__name__)


@dataclass(frozen=True)
class NvcaSettings:
    """Settings of the filter.

    Attributes:
        window: side in pixels, odd.
        frames: odd; half of them, rounded down, is the delay.
        within: standard deviations of the noise that a pixel may differ by and still be averaged.
        correct_lag: undo lag first, where it is measured.
    """

    window: int = 5
    frames: int = 5
    within: float = 2.0
    correct_lag: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name, value in (("window", self.window), ("frames", self.frames)):
            if value < 1 or value % 2 == 0:
                raise InputError(f"{name} is {value}; it has to be odd and at least 1.")
        if not self.within > 0:
            raise InputError(f"within is {self.within}; it has to be positive.")

    @property
    def delay(self) -> int:
        """In frames."""
        return self.frames // 2


class NvcaStream(Stream):
    """The filter's state: the frames around the one whose result is due."""

    def __init__(self, settings: NvcaSettings, curve: NoiseCurve) -> None:
        """Start without frames."""
        self.delay = settings.delay
        self._settings = settings
        self._curve = curve
        self._frames: deque[Voxels] = deque(maxlen=settings.frames)  # with a margin of half a window
        self._seen = 0
        self._told = 0

    def _step(self, frame: Voxels) -> Voxels | None:
        self._frames.append(np.pad(frame, self._settings.window // 2, mode="reflect"))
        self._seen += 1
        return self._due() if self._seen > self.delay else None

    def finish(self) -> list[Voxels]:
        """See `Stream`."""
        return [self._due() for _ in range(self._seen - self._told)]

    def _due(self) -> Voxels:
        first = self._seen - len(self._frames)
        around = list(self._frames)[max(0, self._told - self.delay - first) : self._told + self.delay + 1 - first]
        middle = self._frames[self._told - first]
        self._told += 1
        side = self._settings.window
        rows, columns = middle.shape[0] - side + 1, middle.shape[1] - side + 1
        center = middle[side // 2 : side // 2 + rows, side // 2 : side // 2 + columns]
        reach = np.float32(self._settings.within) * self._curve.sigma(center)
        change, count = np.zeros_like(center), np.zeros_like(center)
        for frame in around:
            for down in range(side):
                for right in range(side):
                    difference = frame[down : down + rows, right : right + columns] - center
                    similar = np.abs(difference) <= reach
                    change += difference * similar
                    count += similar
        return np.asarray(center + change / count, np.float32)  # the pixel itself is always among them


class Nvca(NoiseFilter[NvcaSettings]):
    """The filter with the noise it was made for."""

    method = NAME

    def _stream(self) -> NvcaStream:
        """See `PlainFilter`."""
        return NvcaStream(self._settings, self._curve)


Settings, fit, restore = NvcaSettings, Nvca.fit, Nvca.restore
