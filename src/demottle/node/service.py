"""The node's network process: it receives, finds complete series, sends, tidies up, and keeps a worker running beside it."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.node.completing import complete
from demottle.node.configuration import Configuration, Web
from demottle.node.disk import QUEUE, alone, clear, has_room, prepare, room
from demottle.node.log import complain, tell
from demottle.node.memory import few_heaps
from demottle.node.network.couriers import courier_to
from demottle.node.network.receiving import Receiver
from demottle.node.queue.sends import settle_all
from demottle.node.queue.store import Queue
from demottle.node.retention import purge, sweep
from demottle.node.supervisor import Supervisor
from demottle.node.systemd import say_to_systemd

if TYPE_CHECKING:
    from demottle.node.web.server import WebServer

_LOOK = 0.25
_HOUR = 3600.0
_PULSE = 20.0


class Service:
    """A node that runs; `running` makes one.

    Attributes:
        told: its configuration.
        queue: its queue.
        receiver: its server.
        web: dashboard and DICOMweb; None where the configuration has no [web].
    """

    def __init__(self, told: Configuration, config: Path, queue: Queue) -> None:
        """Prepare; nothing runs yet."""
        self.told, self.queue = told, queue
        self.receiver = Receiver(told, queue)
        self.web = None if told.web is None else _web(told, told.web, queue)
        self._stopping = threading.Event()
        self._supervisor = Supervisor(told, config, queue, self._stopping)
        self._couriers = [courier_to(told, queue, one) for one in told.destinations]
        self._threads = [
            threading.Thread(target=self._complete, name="complete", daemon=True),
            threading.Thread(target=self._tidy, name="tidy", daemon=True),
            threading.Thread(target=self._supervisor.run, name="worker", daemon=True),
        ]

    @property
    def worker(self) -> int | None:
        """The process id of its worker; None where there is none at the moment."""
        return self._supervisor.worker

    def start(self) -> None:
        """Begin.

        Raises:
            InputError: an address or a port cannot be had, or certificates are of no use.
        """
        settle_all(self.queue)
        if not has_room(self.told.folder, self.told.reserve):
            complain(f"no object is taken until there is room: {room(self.told.folder, self.told.reserve)}")
        self.receiver.start()
        if self.web is not None:
            try:
                self.web.start()
            except BaseException:
                self.receiver.stop()
                raise
        for courier in self._couriers:
            courier.start()
        for thread in self._threads:
            thread.start()

    def lives(self) -> bool:
        """True while its threads run and its queue can be read."""
        try:
            self.queue.row("SELECT 1")
        except sqlite3.Error:
            return False
        return self.receiver.listens and all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End in order; what is not finished is gone on with after the next start."""
        self._stopping.set()
        if self.web is not None:
            self.web.stop()
        self.receiver.stop()
        for courier in self._couriers:
            courier.stop()
        for thread in self._threads:
            thread.join(10)

    def _every(self, seconds: float, what: str, do: Callable[[], object]) -> None:
        while not self._stopping.is_set():
            try:
                do()
            except Exception as error:  # a thread that dies would stop the node without a word
                complain(f"{what}: {type(error).__name__}; next try in {max(seconds, 5):g} s")
                self._stopping.wait(5)
            self._stopping.wait(seconds)

    def _complete(self) -> None:
        since = time.time()  # while the node was away nothing could come
        self._every(_LOOK, "looking for complete series", lambda: complete(self.told, self.queue, since))

    def _tidy(self) -> None:
        def tidy() -> None:
            purge(self.told, self.queue)
            sweep(self.told.folder, self.queue)

        self._every(_HOUR, "tidying up", tidy)


def _web(told: Configuration, web: Web, queue: Queue) -> "WebServer":
    from demottle.node.web.server import WebServer  # FastAPI takes a second, and not every node has a page

    return WebServer(told, web, queue)


@contextmanager
def running(told: Configuration, config: Path) -> Iterator[Service]:
    """Run a node while the block does.

    Args:
        told: its configuration.
        config: the file that it is from, which the worker reads again.

    Raises:
        OutputError: another node works in the folder.
        InputError: the folder cannot be written, the queue cannot be opened, an address or a port cannot be had, or certificates
            are of no use.
    """
    prepare(told.folder)
    with ExitStack() as stack:
        stack.enter_context(alone(told.folder, "node"))
        clear(told.folder / "incoming")
        queue = Queue(told.folder / QUEUE)
        stack.callback(queue.close)
        service = Service(told, config, queue)
        service.start()
        stack.callback(service.stop)
        yield service


def serve(told: Configuration, config: Path) -> None:
    """Run a node until it is told to end (Ctrl-C, SIGTERM); errors as `running`.

    Under systemd it says when it is ready, and that it lives as long as `Service.lives`.
    """
    few_heaps()
    with running(told, config) as service:
        tell("the node runs; it ends with Ctrl-C")
        say_to_systemd("READY=1")
        try:
            while True:
                if service.lives():
                    say_to_systemd("WATCHDOG=1")
                time.sleep(_PULSE)
        finally:
            say_to_systemd("STOPPING=1")
