"""An archive in this process: it takes objects, notes when each came, and may be away for a while."""

import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, StoragePresentationContexts, evt


@dataclass(frozen=True)
class Came:
    """An object that came: when (seconds since 1970), whose, of which series, its UID."""

    at: float
    patient: str
    series: str
    uid: str


class Archive:
    """A DICOM server; it listens while it is open.

    Attributes:
        title, port: what it is called and where it listens.
    """

    def __init__(self, title: str) -> None:
        """Choose a port; nothing listens yet."""
        self.title = title
        self._lock = threading.Lock()
        self._came: list[Came] = []
        self._server: Any = None
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])

    @property
    def came(self) -> list[Came]:
        """What came until now, in order."""
        with self._lock:
            return list(self._came)

    def open(self) -> None:
        """Begin to listen."""
        entity = AE(self.title)
        for context in StoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        self._server = entity.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._take)]
        )

    def close(self) -> None:
        """Listen no more, and end what is under way."""
        if self._server is not None:
            self._server.shutdown()
        self._server = None

    def as_toml(self, name: str) -> str:
        """The destination as a node's configuration names it."""
        return f'[[destination]]\nname = "{name}"\ntitle = "{self.title}"\naddress = "127.0.0.1"\nport = {self.port}\n'

    def _take(self, event: Any) -> int:
        found = event.dataset
        one = Came(time.time(), str(found.PatientID), str(found.SeriesInstanceUID), str(found.SOPInstanceUID))
        with self._lock:
            self._came.append(one)
        return 0
