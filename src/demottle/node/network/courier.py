"""What sends to one destination, whatever it speaks: a thread that tries until each object is acknowledged."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from demottle.node.configuration import AnyDestination, Configuration
from demottle.node.log import complain
from demottle.node.network.outgoing import Outgoing
from demottle.node.queue import sends
from demottle.node.queue.sends import Send
from demottle.node.queue.store import Queue

_LOOK = 0.5  # seconds between looks into the queue
REFUSALS = 5
"""An object that is refused so often is not tried again."""


class Courier(ABC):
    """Sends what is due for one destination until it is stopped.

    Attributes:
        stopping: set when it has to end.
    """

    def __init__(self, told: Configuration, queue: Queue, to: AnyDestination) -> None:
        """Know what is due.

        Args:
            told: the node's configuration.
            queue: its queue.
            to: the destination.
        """
        self._told, self._queue, self._name, self._days = told, queue, to.name, to.days
        self._audit = Outgoing(told, to)
        self.stopping = threading.Event()
        self._failures, self._least = 0, 0.0
        self._thread = threading.Thread(target=self._run, name=f"to {to.name}", daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being sent."""
        self.stopping.set()
        self._thread.join(30)
        self._audit.close()

    def _run(self) -> None:
        while not self.stopping.is_set():
            begun = time.time()
            try:
                busy = self._once()
            except Exception as error:  # a thread that dies would send nothing more, and say nothing
                complain(f"sending to {self._name}: {type(error).__name__}")
                self._failures += 1
                busy = False
            if self._failures:
                self._pause(max(sends.pause(self._failures), self._least), begun)
            else:
                self.stopping.wait(0.0 if busy else _LOOK)

    def _pause(self, seconds: float, tried: float) -> None:
        """Wait before the next try; a person who has something sent again, after the last try began, ends the pause."""
        end = time.time() + seconds
        while not self.stopping.wait(_LOOK) and time.time() < end:
            if sends.resent_since(self._queue, tried):
                return

    def _once(self) -> bool:
        """Send what is due; False where there is nothing to do."""
        due = sends.waiting(self._queue, self._name)
        if due:
            self._send(due)
            return True
        return self._else()

    @abstractmethod
    def _send(self, due: list[Send]) -> None:
        """Send objects of one round, and note in the queue what became of each."""

    def _else(self) -> bool:
        """Do what is to be done where nothing is due; False where that is nothing."""
        return False

    def _failed(self, due: Sequence[Send], why: str, least: float = 0.0) -> None:
        """Note that a destination does not answer, or takes nothing now; `least`: seconds that it wants to be left alone."""
        self._failures, self._least = self._failures + 1, least
        sends.postponed(self._queue, due, why, self._days, least=least)
        complain(f"{self._name}: {why}; next try in {max(sends.pause(self._failures), least):g} s")

    def _refused(self, send: Send, why: str) -> None:
        """Note that a destination does not take an object: some more tries, and it has failed."""
        sends.postponed(self._queue, [send], why, self._days, REFUSALS)
        self._audit.refused(send.uid, why)
        complain(f"{self._name} refused an object of {send.whose}: {why}")
