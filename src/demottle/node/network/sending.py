"""Results go out over DICOM: C-STORE, each object until it is acknowledged, and storage commitment."""

from typing import Any

import pydicom
from pynetdicom import evt
from pynetdicom.sop_class import StorageCommitmentPushModel

from demottle.node.configuration import Configuration, Destination
from demottle.node.log import complain, tell
from demottle.node.network.association import TAKEN, associated, stored
from demottle.node.network.commitment import ask, take_report
from demottle.node.network.courier import Courier
from demottle.node.queue import sends
from demottle.node.queue.sends import Send
from demottle.node.queue.store import Queue

_ASK_AGAIN = 600.0  # seconds until commitment is asked for once more


class DicomCourier(Courier):
    """Sends by C-STORE, and asks for storage commitment where the destination is told to give it."""

    def __init__(self, told: Configuration, queue: Queue, destination: Destination) -> None:
        """Know what is due and where it goes."""
        super().__init__(told, queue, destination)
        self._to = destination

    def _else(self) -> bool:
        """Ask for commitment of what was acknowledged."""
        if self._to.commitment and (open_ := sends.unconfirmed(self._queue, self._to.name, _ASK_AGAIN)):
            self._ask(open_)
            return True
        return False

    def _send(self, due: list[Send]) -> None:
        association = self._associated(sorted({send.sop_class for send in due}))
        if association is None:
            return self._failed(due, "no connection")
        arrived = 0
        try:
            for at, send in enumerate(due):
                if self.stopping.is_set():
                    return
                self._audit.going(self._told.folder / send.file)
                answer = self._stored(association, send)
                if answer in TAKEN:
                    sends.acknowledged(self._queue, send, self._to.commitment)
                    self._audit.arrived(self._told.folder / send.file, send.uid)
                    arrived, self._failures = arrived + 1, 0
                elif answer is None or not association.is_established:
                    return self._failed(due[at:], "the connection broke off")
                elif answer & 0xFF00 == 0xA700:
                    return self._failed(due[at:], f"it is out of resources (0x{answer:04X})")
                else:
                    self._refused(send, f"it refused (0x{answer:04X})")
        finally:
            association.release()
            self._audit.end()
            if arrived:
                tell(f"{arrived} objects of {due[0].whose} reached {self._to.name}")

    def _stored(self, association: Any, send: Send) -> int | None:
        """Send one object; return the status, None where nobody answered."""
        try:
            return stored(association, self._told.folder / send.file)
        except (OSError, AttributeError, pydicom.errors.InvalidDicomError):
            complain(f"a result of {send.whose} cannot be read")
            return 0xC000

    def _ask(self, wanted: list[Send]) -> None:
        association = self._associated([StorageCommitmentPushModel])
        if association is None:
            self._failures += 1
            return
        self._failures = 0
        try:
            if not ask(association, self._queue, self._to, wanted):
                complain(f"{self._to.name} does not answer requests for storage commitment")
                sends.asked(self._queue, wanted)
        finally:
            association.release()

    def _associated(self, classes: list[str]) -> Any:
        """An association with the destination; None where there is none to be had."""
        handlers = [(evt.EVT_N_EVENT_REPORT, self._reported)]
        return associated(self._told.title, self._to, self._told.tls, classes, handlers)

    def _reported(self, event: Any) -> tuple[int, None]:
        take_report(self._queue, self._to.name, event.event_information)
        return 0x0000, None
