"""The audit log: a line of JSON for each event, with the fields of an IHE ATNA message; only added to, on the disk when written.

No pixels, no names of patients: what was touched is told by its UIDs.
"""

import datetime
import json
import os
from pathlib import Path
from threading import Lock

from demottle.node.log import plain

FILE = "audit.jsonl"
SUCCESS, MINOR, SERIOUS = 0, 4, 8
"""Outcomes of an event in ATNA: done, refused, failed."""
CREATE, READ, UPDATE, DELETE, EXECUTE = "C", "R", "U", "D", "E"


class Audit:
    """The log of a node."""

    def __init__(self, folder: Path) -> None:
        """Open the log for adding, readable for the node's user alone."""
        self._descriptor: int | None = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = Lock()

    def note(
        self,
        event: str,
        action: str,
        who: str,
        where: str,
        *,
        uids: tuple[str, ...] = (),
        outcome: int = SUCCESS,
        said: str = "",
    ) -> None:
        """Add an event.

        Args:
            event: what happened, such as "log-in" or "object stored".
            action: one of `CREATE`, `READ`, `UPDATE`, `DELETE`, `EXECUTE`.
            who: name of the user, or AE title of the sender.
            where: network address.
            uids: study, series or objects.
            outcome: one of `SUCCESS`, `MINOR`, `SERIOUS`.
            said: more, such as the reason of a refusal.
        """
        line = {
            "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "event": event,
            "action": action,
            "outcome": outcome,
            "who": plain(who, 32),
            "where": plain(where),
            "what": [plain(uid, 64) for uid in uids],
            "said": plain(said, 200),
        }
        with self._lock:
            if self._descriptor is None:  # an association that ends after the node
                return
            os.write(self._descriptor, (json.dumps(line) + "\n").encode())
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; what is noted from here on is lost."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None
