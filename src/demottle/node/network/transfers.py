"""What came over which association, for the audit log: which AE sent which objects of which series, and which were refused."""

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from demottle.node import audit
from demottle.node.audit import Audit

_MOST = 500
"""Objects that a line names; more go into lines of their own."""


class Transfers:
    """Notes the first object of a series when it comes, each that is refused, and all of them when the association ends.

    So an object that was acknowledged has its series in the log whatever ends the node.
    """

    def __init__(self, log: Audit) -> None:
        """Begin without any."""
        self._log, self._lock = log, Lock()
        self._open: WeakKeyDictionary[Any, dict[str, list[str]]] = (
            WeakKeyDictionary()
        )  # by association, objects by series

    def kept(self, association: Any, series: str, uid: str) -> None:
        """An object is kept, and will be acknowledged.

        Raises:
            OSError: the line cannot be written, so nothing may be acknowledged.
        """
        with self._lock:
            found = self._open.setdefault(association, {})
            begins = series not in found
        if begins:
            self._note(association, "objects coming", audit.CREATE, (series,))
        full: list[str] = []
        with self._lock:
            objects = found.setdefault(series, [])
            objects.append(uid)
            if len(objects) >= _MOST:
                full, found[series] = objects, []
        if full:
            self._stored(association, series, full)

    def refused(self, association: Any, uid: str, said: str) -> None:
        """An object was refused."""
        self._note(association, "object refused", audit.CREATE, (uid,), audit.MINOR, said)

    def turned_away(self, association: Any, title: str, said: str) -> None:
        """An association was refused."""
        where = str(association.requestor.address)
        self._log.note("association refused", audit.EXECUTE, title, where, outcome=audit.MINOR, said=said)

    def no_association(self, host: str, said: str) -> None:
        """A connection was refused before anybody had said who calls."""
        self._log.note("connection refused", audit.EXECUTE, "unknown", host, outcome=audit.MINOR, said=said)

    def ended(self, association: Any) -> None:
        """An association is over, however it ended."""
        with self._lock:
            found = self._open.pop(association, {})
        for series, objects in found.items():
            if objects:
                self._stored(association, series, objects)

    def close(self) -> None:
        """All associations are over."""
        for association in list(self._open):
            self.ended(association)

    def _stored(self, association: Any, series: str, objects: list[str]) -> None:
        self._note(
            association, "objects stored", audit.CREATE, (series, *objects), said=f"{len(objects)} objects over DICOM"
        )

    def _note(
        self,
        association: Any,
        event: str,
        action: str,
        uids: tuple[str, ...],
        outcome: int = audit.SUCCESS,
        said: str = "",
    ) -> None:
        who, where = str(association.requestor.ae_title).strip(), str(association.requestor.address)
        self._log.note(event, action, who, where, uids=uids, outcome=outcome, said=said)
