"""A node in this process, a PACS that takes everything, and a scanner that sends; all on the loopback."""

import contextlib
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, StoragePresentationContexts, evt
from tests.io.conftest import ct_slice, save

from demottle.node.configuration import Configuration
from demottle.node.disk import QUEUE, prepare
from demottle.node.log import quiet_libraries
from demottle.node.network.couriers import courier_to
from demottle.node.network.receiving import SYNTAXES, Receiver
from demottle.node.queue import arrivals, rounds
from demottle.node.queue.store import Queue
from demottle.node.toml_file import read_configuration

TOML = """
[node]
folder = "held"
port = {port}
quiet = {quiet}
reserve = 0
[[sender]]
title = "CT1"
address = "127.0.0.1"
[[destination]]
name = "pacs"
title = "PACS"
address = "127.0.0.1"
port = {pacs}
[[rule]]
name = "all"
method = "gaussian"
to = ["pacs"]
"""
Told = Callable[..., tuple[Configuration, Path]]


def until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"did not come true within {seconds:g} s")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def noisy_series(series: str = "1", slices: int = 5, size: int = 48, **changes: Any) -> list[Dataset]:
    """A CT series of a disc in air, with noise."""
    rows, columns = np.mgrid[:size, :size] - size / 2
    disc = np.where(np.hypot(rows, columns) < 0.4 * size, 1064.0, 24.0)
    made = []
    for index in range(slices):
        noise = np.random.default_rng([index, int(series)]).normal(0, 20, disc.shape)
        stored = np.clip(np.rint(disc + noise), 0, 4095)
        made.append(ct_slice(index, series=series, rows=size, columns=size, stored=stored, **changes))
    return made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pynetdicom leaves a socket whose other side was closed first to the garbage collector, which says so."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning"))


@pytest.fixture(autouse=True)
def _collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect such sockets here, and not during a test that knows nothing of them."""
    yield
    if {"told", "receiver", "pacs"} & set(request.fixturenames):
        gc.collect()


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Write a configuration and read it: `told(quiet=1, pacs=4242)`; `extra` is added."""

    def make(extra: str = "", text: str = TOML, **values: Any) -> tuple[Configuration, Path]:
        file = tmp_path / "node.toml"
        file.write_text(text.format(**{"port": 0, "quiet": 0.5, "pacs": 1, **values}) + extra)
        return read_configuration(file), file

    return make


@pytest.fixture
def receiver(told: Told) -> Iterator[Callable[..., tuple[Receiver, Queue, Configuration]]]:
    """Start a server alone, without worker and couriers."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: Any, **values: Any) -> tuple[Receiver, Queue, Configuration]:
            found, _ = told(*arguments, **values)
            prepare(found.folder)
            queue = Queue(found.folder / QUEUE)
            stack.callback(queue.close)
            quiet_libraries()
            made = Receiver(found, queue)
            made.start()
            stack.callback(made.stop)
            return made, queue, found

        yield start


@pytest.fixture
def due(told: Told) -> Iterator[Callable[..., tuple[Queue, list[str]]]]:
    """Results of one series, and a courier that sends them: `due(pacs=port)` returns the queue and the UIDs in order."""
    with contextlib.ExitStack() as stack:

        def make(count: int = 3, extra: str = "", **values: Any) -> tuple[Queue, list[str]]:
            quiet_libraries()
            configuration, _ = told(extra, **values)
            prepare(configuration.folder)
            queue = Queue(configuration.folder / QUEUE)
            stack.callback(queue.close)
            uids = make_due(queue, configuration, count)
            courier = courier_to(configuration, queue, configuration.destinations[0])
            stack.callback(courier.stop)
            courier.start()
            return queue, uids

        yield make


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Callable[[Queue], Receiver]]:
    """Start the server that belongs to a queue of `due`."""
    with contextlib.ExitStack() as stack:

        def start(queue: Queue) -> Receiver:
            made = Receiver(read_configuration(tmp_path / "node.toml"), queue)
            made.start()
            stack.callback(made.stop)
            return made

        yield start


def make_due(queue: Queue, told: Configuration, count: int) -> list[str]:
    """Enter results of one series, to be sent to the first destination; return their UIDs."""
    sources = noisy_series("3", count)
    source = sources[0]
    arrivals.arrived(
        queue,
        arrivals.Arrival(
            series="1.2.3", study="1.2", uid="1.2.3.4", sop_class=str(source.SOPClassUID), syntax="1.2.840.10008.1.2.1",
            caller="CT1", modality="CT", file="objects/a/b.dcm", size=1, digest="0", expected=None, urgent=False,
        ),
    )  # fmt: skip
    rounds.begin(queue, arrivals.complete_series(queue, 0)[0], "all")
    assert rounds.claim(queue) is not None
    made = []
    for at, one in enumerate(sources):
        file = f"results/1/images/{at}.dcm"
        path = save(one, told.folder / file)
        size = path.stat().st_size
        made.append(rounds.Made(one.SOPInstanceUID, one.SOPClassUID, "1.2.840.10008.1.2.1", "images", file, size))
    assert rounds.published(queue, 1, made, [told.destinations[0].name])
    return [str(one.uid) for one in made]


def associated(port: int, title: str = "CT1", called: str = "DEMOTTLE", **more: Any) -> Any:
    """An association with a node, as a scanner makes it."""
    entity = AE(title)
    for sop_class in StoragePresentationContexts[:100]:
        entity.add_requested_context(sop_class.abstract_syntax, list(SYNTAXES[:2]))
    entity.add_requested_context("1.2.840.10008.1.1")
    return entity.associate("127.0.0.1", port, ae_title=called, **more)


def send(port: int, datasets: list[Dataset], **more: Any) -> list[int]:
    """Send objects; return the statuses."""
    association = associated(port, **more)
    assert association.is_established
    found = [int(association.send_c_store(one).Status) for one in datasets]
    association.release()
    return found


class Pacs:
    """A server that takes what it is told to take, and counts."""

    def __init__(self, port: int = 0, answer: Callable[[Dataset], int] = lambda dataset: 0) -> None:
        self.came: list[Dataset] = []
        self.answer = answer
        self._lock = threading.Lock()
        entity = AE("PACS")
        entity.supported_contexts = StoragePresentationContexts
        handlers = [(evt.EVT_C_STORE, self._take)]
        self._server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
        self.port = int(self._server.server_address[1])

    def _take(self, event: Any) -> int:
        dataset: Dataset = event.dataset
        status = self.answer(dataset)
        if status == 0:
            with self._lock:
                self.came.append(dataset)
        return status

    def uids(self) -> list[str]:
        with self._lock:
            return [str(one.SOPInstanceUID) for one in self.came]

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def pacs() -> Iterator[Callable[..., Pacs]]:
    """Start a server that takes objects."""
    made: list[Pacs] = []

    def start(*arguments: Any, **more: Any) -> Pacs:
        made.append(Pacs(*arguments, **more))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def stored(folder: Path) -> list[Dataset]:
    """The objects that a node holds, as they came."""
    return [pydicom.dcmread(path) for path in sorted((folder / "objects").glob("*/*.dcm"))]
