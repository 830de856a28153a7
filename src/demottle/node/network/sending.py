"""Results go out over DICOM: C-STORE, each object until it is acknowledged, and storage commitment."""

from typing import Any

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

from demottle.node.configuration import Configuration, Destination
from demottle.node.log import complain, tell
from demottle.node.network.commitment import ask, take_report
from demottle.node.network.courier import Courier
from demottle.node.network.transport import LARGEST_PDU, client_context, quicken
from demottle.node.queue import sends
from demottle.node.queue.sends import Send
from demottle.node.queue.store import Queue

_ASK_AGAIN = 600.0  # seconds until commitment is asked for once more
_TAKEN = (0x0000, 0xB000, 0xB006, 0xB007)  # success, and the warnings with which an object is kept


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
                if answer in _TAKEN:
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
        path = self._told.folder / send.file
        try:
            answer = association.send_c_store(pydicom.dcmread(path))
        except ValueError:  # no presentation context was accepted for it
            return 0x0122
        except RuntimeError:  # no longer associated
            return None
        except (OSError, AttributeError, pydicom.errors.InvalidDicomError):
            complain(f"a result of {send.whose} cannot be read")
            return 0xC000
        return int(answer.Status) if answer else None

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
        entity = AE(self._told.title)
        entity.maximum_pdu_size = LARGEST_PDU
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
        entity.connection_timeout = 15
        for sop_class in classes:
            entity.add_requested_context(sop_class, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        tls = None
        if self._to.tls and self._told.tls is not None:
            tls = client_context(self._told.tls), self._to.address
        handlers = [(evt.EVT_N_EVENT_REPORT, self._reported)]
        association = entity.associate(
            self._to.address, self._to.port, ae_title=self._to.title, tls_args=tls, evt_handlers=handlers
        )
        if not association.is_established:
            return None
        quicken(association)
        return association

    def _reported(self, event: Any) -> tuple[int, None]:
        take_report(self._queue, self._to.name, event.event_information)
        return 0x0000, None
