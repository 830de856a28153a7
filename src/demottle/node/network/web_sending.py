"""Results go out over DICOMweb: STOW-RS, each object until the server says that it has stored it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from demottle.node.configuration import Configuration, WebDestination
from demottle.node.log import tell
from demottle.node.network.courier import Courier
from demottle.node.network.stow import Answer, WebLine
from demottle.node.queue import sends
from demottle.node.queue.sends import Send
from demottle.node.queue.store import Queue

_OBJECTS, _BYTES = 50, 32 << 20  # in one request; an object that is larger goes alone
_TAKEN = (200, 201, 202)
_REFUSED = (400, 409, 413, 415, 422)  # of the objects, not of who sends them or of the server's state
_SAID = {
    401: "it does not accept the log-in (401)",
    403: "it does not let this node store (403)",
    404: "there is nothing to store at under its url (404)",
    405: "there is nothing to store at under its url (405)",
}


class WebCourier(Courier):
    """Sends by STOW-RS, several objects in a request."""

    def __init__(self, told: Configuration, queue: Queue, destination: WebDestination) -> None:
        """Know what is due and where it goes."""
        super().__init__(told, queue, destination)
        self._to = destination

    def _send(self, due: list[Send]) -> None:
        try:
            line = WebLine(self._to)
        except (OSError, ValueError):
            return self._failed(due, "its certificates or the log-in for it cannot be read")
        left, arrived = {send.id: send for send in due}, 0
        try:
            with closing(line):
                for batch in self._batches(due):
                    if self.stopping.is_set():
                        return
                    done, why, least = self._stored(line, batch, left)
                    arrived += done
                    if why:
                        return self._failed(list(left.values()), why, least)
        finally:
            self._audit.end()
            if arrived:
                tell(f"{arrived} objects of {due[0].whose} reached {self._name}")

    def _batches(self, due: list[Send]) -> Iterator[list[Send]]:
        """Cut what is due into requests."""
        batch: list[Send] = []
        size = 0
        for send in due:
            file = self._file(send)
            more = file.stat().st_size if file.is_file() else 0
            if batch and (len(batch) >= _OBJECTS or size + more > _BYTES):
                yield batch
                batch, size = [], 0
            batch.append(send)
            size += more
        if batch:
            yield batch

    def _stored(self, line: WebLine, batch: list[Send], left: dict[int, Send]) -> tuple[int, str, float]:
        """Store objects, and take from `left` those of which is known what became of them.

        Returns:
            How many the server has taken, why nothing more can be sent now (empty: it can), and how many seconds it wants to be
            left alone at least.
        """
        there = [send for send in batch if self._file(send).is_file()]
        for send in batch:
            if send not in there:
                self._refused(left.pop(send.id), "it cannot be read from the disk")
        if not there:
            return 0, "", 0.0
        for send in there:
            self._audit.going(self._file(send))
        answer = line.store([self._file(send) for send in there])
        if answer.code not in (*_TAKEN, *_REFUSED):
            return 0, answer.why or _SAID.get(answer.code, f"it answered {answer.code}"), answer.later
        if answer.code in _REFUSED and not (answer.stored or answer.failed) and len(there) > 1:
            return self._one_by_one(line, there, left)  # which of them it does not take, it does not say
        self._failures = 0
        return self._noted(line, there, answer, left)

    def _one_by_one(self, line: WebLine, batch: list[Send], left: dict[int, Send]) -> tuple[int, str, float]:
        arrived = 0
        for send in batch:
            done, why, least = self._stored(line, [send], left)
            arrived += done
            if why:
                return arrived, why, least
        return arrived, "", 0.0

    def _noted(self, line: WebLine, batch: list[Send], answer: Answer, left: dict[int, Send]) -> tuple[int, str, float]:
        """Note what became of each object of a request."""
        arrived, full = 0, ""
        for send in batch:
            reason = answer.failed.get(send.uid)
            plainly = reason is None and answer.code in (200, 201)
            # Some servers refuse what they already hold: an object whose acknowledgment was lost has arrived.
            if send.uid in answer.stored or plainly or line.holds(send.uid):
                sends.acknowledged(self._queue, left.pop(send.id), False)
                self._audit.arrived(self._file(send), send.uid)
                arrived += 1
            elif reason is not None and reason & 0xFF00 == 0xA700:
                full = f"it is out of resources (0x{reason:04X})"
            elif reason is None and answer.code == 202:
                self._refused(left.pop(send.id), "it did not say whether it has stored it")
            else:
                why = f"it refused (0x{reason:04X})" if reason else f"it refused ({answer.code})"
                self._refused(left.pop(send.id), why)
        return arrived, full, answer.later

    def _file(self, send: Send) -> Path:
        return self._told.folder / send.file
