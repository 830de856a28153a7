"""The waiting line between a source and the denoiser: bounded, in order, with a policy for when it is full."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal, get_args

from demottle.errors import InputError
from demottle.image import Voxels

Policy = Literal["drop", "slow"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame on its way.

    Attributes:
        number: counted by the source from 0; dropped frames leave gaps.
        pixels: float32 (rows, columns).
        arrived: when it was complete, seconds of `time.monotonic`.
    """

    number: int
    pixels: Voxels
    arrived: float


class WaitingLine:
    """At most `length` frames wait. One thread puts, another takes; what is taken is never out of order.

    Where a frame comes and the line is full, "drop" lets the oldest waiting frame go, which keeps the delay short, and "slow"
    makes the source wait, which loses nothing.

    Attributes:
        dropped: numbers of the frames that were let go.
    """

    def __init__(self, length: int, policy: Policy) -> None:
        """Begin empty.

        Raises:
            InputError: for a length below 1, or an unknown policy.
        """
        if length < 1:
            raise InputError(f"The queue has room for {length} frames; it needs at least 1.")
        if policy not in get_args(Policy):
            raise InputError(f'There is no policy "{policy}"; it has to be one of: {", ".join(get_args(Policy))}.')
        self._length, self._policy = length, policy
        self._frames: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self.dropped: list[int] = []

    def put(self, frame: Frame, patient: bool = False) -> bool:
        """Add a frame, a patient one once there is room for it; False where nobody takes any more."""
        with self._changed:
            if patient or self._policy == "slow":
                self._changed.wait_for(lambda: len(self._frames) < self._length or self._closed)
            if self._closed:
                return False
            if len(self._frames) >= self._length:
                self.dropped.append(self._frames.popleft().number)
            self._frames.append(frame)
            self._changed.notify_all()
        return True

    def close(self, error: BaseException | None = None) -> None:
        """Say that no more frames come; `error` is raised to who takes, once the waiting frames are taken."""
        with self._changed:
            self._closed, self._error = True, self._error or error
            self._changed.notify_all()

    def take(self, patience: float | None = None) -> Frame | None:
        """Take the oldest frame; None at the end.

        Args:
            patience: seconds to wait for one; None: as long as it takes.

        Raises:
            TimeoutError: none came in that time.
        """
        until = None if patience is None else time.monotonic() + patience
        with self._changed:
            while not self._frames and not self._closed:
                # Short waits, so that Ctrl-C is heard in between on every system.
                left = 0.5 if until is None else min(0.5, until - time.monotonic())
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            if self._frames:
                frame = self._frames.popleft()
                self._changed.notify_all()
                return frame
            if self._error is not None:
                raise self._error
            return None
