"""Ctrl-C is answered at once, also where a long computation lets go of the program only some seconds later."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_IN_EARNEST = 1.0  # seconds; torchrun passes the same Ctrl-C on a second time, within a fraction of that
_STANDARD_ERROR = 2
_told = threading.Event()
_told.set()  # nobody waits for a thread that was not started


def answer_at_once() -> None:
    """Say "Stopping" the moment Ctrl-C is pressed. What the signal does besides (`KeyboardInterrupt`) stays as it is.

    Python runs its own handlers between two steps of the main thread, which a step of learning can hold for a while. The
    wake-up descriptor is written to at once; a thread listens at its other end.
    """
    hearing, telling = socket.socketpair()
    telling.setblocking(False)
    _told.clear()
    signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(hearing, telling), name="stopping", daemon=True).start()


def _listen(hearing: socket.socket, telling: socket.socket) -> None:
    # `telling` is held only so that it stays open.
    while heard := hearing.recv(16):
        if signal.SIGINT in heard:
            os.write(_STANDARD_ERROR, b"\nStopping ...\n")
            _told.set()


def wait_until_told() -> None:
    """Wait, a second at most, until "Stopping" is said, so that what comes after it does not come before it."""
    _told.wait(1.0)


class StopRequest:
    """Whether Ctrl-C was pressed, or the program told to end (SIGTERM); callable, as `learning.run.Run.stop`."""

    def __init__(self) -> None:
        """Begin without a signal."""
        self.number: int | None = None
        self._since = 0.0

    def __call__(self) -> bool:
        """True once there was a signal."""
        return self.number is not None

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: the first is noted, another one a second later ends the program where it is."""
        if self.number is None:
            self.number, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > _IN_EARNEST:
            self.end()

    def end(self) -> NoReturn:
        """Raise what the signal does elsewhere in the program."""
        if self.number == signal.SIGTERM:
            sys.exit(128 + signal.SIGTERM)
        raise KeyboardInterrupt


@contextmanager
def signals_wait() -> Iterator[StopRequest]:
    """Let Ctrl-C and SIGTERM wait until the block looks for them; `demottle train` does after every step."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():  # only there can signals be heard
        yield request
        return
    before = {number: signal.signal(number, request.hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
