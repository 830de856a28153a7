"""The mean of the last frames, as fluoroscopy systems offer it beside the recursive filter."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.registry import name_of
from demottle.methods.streaming import PlainFilter, Stream

NAME = name_of(__name__)


@dataclass(frozen=True)
class FrameAverageSettings:
    """Settings of the filter.

    Attributes:
        frames: how many are averaged.
        centered: as many before as after the frame, which delays the result by half of them; False: only those before.
        correct_lag: undo lag first, where it is measured.
    """

    frames: int = 5
    centered: bool = False
    correct_lag: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.frames < 1 or (self.centered and self.frames % 2 == 0):
            odd = " and odd, because they are centered" if self.centered else ""
            raise InputError(f"frames is {self.frames}; it has to be at least 1{odd}.")

    @property
    def delay(self) -> int:
        """In frames."""
        return self.frames // 2 if self.centered else 0


class FrameAverageStream(Stream):
    """The filter's state: the last frames. At the ends of a run there are fewer to average."""

    def __init__(self, settings: FrameAverageSettings) -> None:
        """Start without frames."""
        self.delay = settings.delay
        self._before = settings.frames - 1 - settings.delay  # frames that came before the one whose result is due
        self._frames: deque[Voxels] = deque(maxlen=settings.frames)
        self._seen = 0
        self._told = 0

    def _step(self, frame: Voxels) -> Voxels | None:
        self._frames.append(frame.copy())
        self._seen += 1
        return self._mean() if self._seen > self.delay else None

    def finish(self) -> list[Voxels]:
        """See `Stream`."""
        return [self._mean() for _ in range(self._seen - self._told)]

    def _mean(self) -> Voxels:
        """Mean of the frames around the one whose result is due."""
        first = self._seen - len(self._frames)
        from_ = max(0, self._told - self._before - first)
        to = self._told + self.delay + 1 - first
        self._told += 1
        return np.asarray(np.mean(list(self._frames)[from_:to], axis=0, dtype=np.float32), np.float32)


class FrameAverage(PlainFilter[FrameAverageSettings]):
    """The filter; it learns nothing."""

    method = NAME

    def _stream(self) -> FrameAverageStream:
        """See `PlainFilter`."""
        return FrameAverageStream(self._settings)


Settings, fit, restore = FrameAverageSettings, FrameAverage.fit, FrameAverage.restore
