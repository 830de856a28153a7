"""Ctrl-C is answered at once, also where a long computation lets go of the program only some seconds later."""

import os
import signal
import socket
import threading

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
