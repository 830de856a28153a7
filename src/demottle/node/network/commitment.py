"""Storage commitment both ways: senders ask this node what it holds, and this node asks destinations."""

import threading
import time
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import generate_uid
from pynetdicom import AE, build_role
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from demottle.node.configuration import Configuration, Destination, Sender
from demottle.node.log import complain, plain, tell
from demottle.node.network.transport import lies_in
from demottle.node.queue import sends
from demottle.node.queue.arrivals import committed
from demottle.node.queue.store import Queue

_HELD, _NOT_ALL = 1, 2  # event types of PS3.4 J.3.3
_NO_SUCH = 0x0112
_TRIES, _PAUSE = 6, 10.0
_ANSWER = 5.0  # seconds for an answer on the same association ...
_FAREWELL = 0.5  # ... and for the thanks for it, which must not meet the end of the association


class Commitments:
    """What the server answers to requests, and what it does with reports."""

    def __init__(self, told: Configuration, queue: Queue) -> None:
        """Know senders, destinations and what is held."""
        self._told, self._queue = told, queue

    def asked(self, event: Any) -> tuple[int, None]:
        """Answer an N-ACTION, and report what is held: to the sender's own server, or on the same association."""
        if event.action_type != 1:
            return 0x0123, None  # no such action
        wanted = event.action_information
        items = [
            (str(one.ReferencedSOPClassUID), str(one.ReferencedSOPInstanceUID)) for one in wanted.ReferencedSOPSequence
        ]
        transaction, association = str(wanted.TransactionUID), event.assoc
        title, host = str(association.requestor.ae_title).strip(), str(association.requestor.address)
        sender = next((one for one in self._told.senders if one.title == title and lies_in(host, one.address)), None)
        if sender is None:
            return 0x0124, None  # not authorized
        held, _ = committed(self._queue, [uid for _, uid in items])
        report = _report(transaction, items, set(held))
        arguments = (sender, host, association, report, _HELD if len(held) == len(items) else _NOT_ALL)
        threading.Thread(target=self._report, args=arguments, name="commitment", daemon=True).start()
        tell(f"{plain(title, 16)} asked for commitment of {len(items)} objects, {len(held)} are held")
        return 0x0000, None

    def _report(self, sender: Sender, host: str, association: Any, report: Dataset, kind: int) -> None:
        for _ in range(_TRIES):
            time.sleep(0.2)  # the answer to the request goes first
            if sender.port is None and association.is_established:
                answer, _ = association.send_n_event_report(
                    report, kind, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
                )
                if answer and answer.Status == 0:
                    return
            elif sender.port is not None and self._reported_to(sender, host, report, kind):
                return
            time.sleep(_PAUSE)
        complain(f"{plain(sender.title, 16)} could not be told what is held; it has to ask again")

    def _reported_to(self, sender: Sender, host: str, report: Dataset, kind: int) -> bool:
        entity = AE(self._told.title)
        entity.add_requested_context(StorageCommitmentPushModel)
        role = build_role(StorageCommitmentPushModel, scp_role=True)
        association = entity.associate(host, sender.port, ae_title=sender.title, ext_neg=[role])
        if not association.is_established:
            return False
        try:
            answer, _ = association.send_n_event_report(
                report, kind, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
            return bool(answer) and answer.Status == 0
        finally:
            association.release()

    def reported(self, event: Any) -> tuple[int, None]:
        """Take a destination's report on an association that it has opened."""
        title = str(event.assoc.requestor.ae_title).strip()
        names = [one.name for one in self._told.dicom_destinations if one.title == title and one.commitment]
        for name in names:
            take_report(self._queue, name, event.event_information)
        return (0x0000 if names else 0x0124), None


def take_report(queue: Queue, destination: str, report: Dataset) -> None:
    """Note what a destination holds and what it does not."""
    held = [str(one.ReferencedSOPInstanceUID) for one in report.get("ReferencedSOPSequence") or ()]
    missing = [str(one.ReferencedSOPInstanceUID) for one in report.get("FailedSOPSequence") or ()]
    sends.confirmed(queue, destination, held, missing)
    tell(f"{destination} has committed {len(held)} objects and lacks {len(missing)}")


def ask(association: Any, queue: Queue, destination: Destination, wanted: list[sends.Send]) -> bool:
    """Ask a destination, over an association with the context of storage commitment, for what it holds.

    The report may come on the same association within seconds, or later on one that the destination opens.

    Returns:
        True where it will say.
    """
    request = Dataset()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = Items([_reference(one.sop_class, one.uid) for one in wanted])
    answer, _ = association.send_n_action(request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
    if not answer or answer.Status != 0:
        return False
    sends.asked(queue, wanted)
    until = time.monotonic() + _ANSWER
    while time.monotonic() < until and association.is_established and sends.unconfirmed(queue, destination.name, 0):
        time.sleep(0.05)
    time.sleep(_FAREWELL)
    return True


def _report(transaction: str, items: list[tuple[str, str]], held: set[str]) -> Dataset:
    made = Dataset()
    made.TransactionUID = transaction
    there = [_reference(sop_class, uid) for sop_class, uid in items if uid in held]
    lacking = [_reference(sop_class, uid) for sop_class, uid in items if uid not in held]
    for one in lacking:
        one.FailureReason = _NO_SUCH
    if there:
        made.ReferencedSOPSequence = Items(there)
    if lacking:
        made.FailedSOPSequence = Items(lacking)
    return made


def _reference(sop_class: str, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item
