"""What goes to a destination, for the audit log: which series, before its first object leaves, and which objects arrived."""

from pathlib import Path
from urllib.parse import urlsplit

import pydicom
import pydicom.errors

from demottle.node import audit
from demottle.node.audit import Audit
from demottle.node.configuration import AnyDestination, Configuration, WebDestination
from demottle.node.log import complain

_SERIES = "SeriesInstanceUID"
_MOST = 500
"""Objects that a line names; more go into lines of their own."""


class Outgoing:
    """The lines of one destination; used by one thread."""

    def __init__(self, told: Configuration, to: AnyDestination) -> None:
        """Open the log."""
        self._log, self._who, self._to = Audit(told.folder), told.title, to
        self._open: dict[str, list[str]] = {}

    def going(self, file: Path) -> None:
        """An object is about to be sent: of a new series this is noted before.

        Raises:
            OSError: the line cannot be written, so nothing may leave.
        """
        series = _series_of(file)
        if series not in self._open:
            self._note("objects going", audit.READ, (series,))
            self._open[series] = []

    def arrived(self, file: Path, uid: str) -> None:
        """The destination has acknowledged an object."""
        self._open.setdefault(_series_of(file), []).append(uid)

    def refused(self, uid: str, why: str) -> None:
        """The destination does not take an object."""
        self._note("object not taken", audit.READ, (uid,), audit.MINOR, why)

    def end(self) -> None:
        """The association, or what stands for one, is over: note what arrived."""
        found, self._open = self._open, {}
        try:
            for series, objects in found.items():
                for first in range(0, len(objects), _MOST):
                    some = objects[first : first + _MOST]
                    self._note("objects sent", audit.READ, (series, *some), said=f"{len(some)} objects")
        except OSError as error:  # they have arrived, and the queue knows
            complain(f"what was sent to {self._to.name} cannot be written to the audit log: {error.strerror}")

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _note(
        self, event: str, action: str, uids: tuple[str, ...], outcome: int = audit.SUCCESS, said: str = ""
    ) -> None:
        to = f"to {self._to.name}" + (f": {said}" if said else "")
        self._log.note(event, action, self._who, _host(self._to), uids=uids, outcome=outcome, said=to)


def _host(to: AnyDestination) -> str:
    if isinstance(to, WebDestination):
        return urlsplit(to.url).hostname or ""
    return to.address


def _series_of(file: Path) -> str:
    try:
        return str(pydicom.dcmread(file, specific_tags=[_SERIES], stop_before_pixels=True)[_SERIES].value)
    except (OSError, KeyError, pydicom.errors.InvalidDicomError):  # whoever sends it will say so
        return "unknown"
