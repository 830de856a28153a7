"""Results go out over DICOM: a thread for each destination, which tries until each object is acknowledged."""

import threading
from typing import Any

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

from demottle.node.configuration import Configuration, Destination
from demottle.node.log import complain, tell
from demottle.node.network.commitment import ask, take_report
from demottle.node.network.transport import LARGEST_PDU, client_context, quicken
from demottle.node.queue import sends
from demottle.node.queue.sends import Send
from demottle.node.queue.store import Queue

_LOOK = 0.5  # seconds between looks into the queue
_ASK_AGAIN = 600.0  # seconds until commitment is asked for once more
_REFUSALS = 5  # an object that is refused so often is not tried again
_TAKEN = (0x0000, 0xB000, 0xB006, 0xB007)  # success, and the warnings with which an object is kept


class Courier:
    """Sends what is due for one destination until it is stopped."""

    def __init__(self, told: Configuration, queue: Queue, destination: Destination) -> None:
        """Know what is due and where it goes."""
        self._told, self._queue, self._to = told, queue, destination
        self._stopping = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"to {destination.name}", daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the object that is being sent."""
        self._stopping.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self._once()
            except Exception as error:  # a thread that dies would send nothing more, and say nothing
                complain(f"sending to {self._to.name}: {type(error).__name__}")
                self._failures += 1
                busy = False
            wait = sends.pause(self._failures) if self._failures else 0.0 if busy else _LOOK
            self._stopping.wait(wait)

    def _once(self) -> bool:
        """Send what is due, or ask for commitment; False where there is nothing to do."""
        due = sends.waiting(self._queue, self._to.name)
        if due:
            self._send(due)
            return True
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
                if self._stopping.is_set():
                    return
                answer = self._stored(association, send)
                if answer in _TAKEN:
                    sends.acknowledged(self._queue, send, self._to.commitment)
                    arrived, self._failures = arrived + 1, 0
                elif answer is None or not association.is_established:
                    return self._failed(due[at:], "the connection broke off")
                elif answer & 0xFF00 == 0xA700:
                    return self._failed(due[at:], f"it is out of resources (0x{answer:04X})")
                else:
                    sends.postponed(self._queue, [send], f"it refused (0x{answer:04X})", self._to.days, _REFUSALS)
                    complain(f"{self._to.name} refused an object of round {send.round} (0x{answer:04X})")
        finally:
            association.release()
            if arrived:
                tell(f"{arrived} objects of round {due[0].round} reached {self._to.name}")

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
            complain(f"a result of round {send.round} cannot be read")
            return 0xC000
        return int(answer.Status) if answer else None

    def _failed(self, due: list[Send], why: str) -> None:
        self._failures += 1
        sends.postponed(self._queue, due, why, self._to.days)
        complain(f"{self._to.name}: {why}; next try in {sends.pause(self._failures):g} s")

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
