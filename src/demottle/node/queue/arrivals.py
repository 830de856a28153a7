"""Objects that came, and when a series is complete."""

import time
from dataclasses import dataclass
from typing import Any

from demottle.node.queue.store import Queue, States, note

NEW, SAME, OTHER = "new", "same", "other"


@dataclass(frozen=True)
class Arrival:
    """An object that lies on the disk, under its final name.

    Attributes:
        series, study, uid: its UIDs (SeriesInstanceUID, StudyInstanceUID, SOPInstanceUID).
        sop_class, syntax: SOP class and transfer syntax.
        caller: AE title of who sent it.
        modality: DICOM's word.
        file: path below the node's folder.
        size, digest: bytes, and the SHA-256 of the data set as it came.
        expected: NumberOfSeriesRelatedInstances, where it says so.
        urgent: its priority is high.
    """

    series: str
    study: str
    uid: str
    sop_class: str
    syntax: str
    caller: str
    modality: str
    file: str
    size: int
    digest: str
    expected: int | None = None
    urgent: bool = False


def arrived(queue: Queue, found: Arrival, now: float | None = None) -> str:
    """Enter an object. When this returns it may be acknowledged.

    Returns:
        "new"; "same": it was there already, with the same bytes, and the file that came is of no use; "other": one of this UID
        with other bytes is there. It stays, and the one that came is noted beside it.
    """
    now = time.time() if now is None else now
    with queue.transaction() as db:
        known = db.execute("SELECT id, series, digest FROM instance WHERE uid = ?", (found.uid,)).fetchone()
        if known is not None and known["digest"] == found.digest:
            return SAME
        if known is not None:
            added = db.execute(
                "INSERT OR IGNORE INTO other (instance, file, digest, caller, came) VALUES (?, ?, ?, ?, ?)",
                (known["id"], found.file, found.digest, found.caller, now),
            )
            if not added.rowcount:
                return SAME
            said = "an object came again with other content; the first one stays, the other is kept aside"
            note(db, "other content", series=known["series"], said=said)
            return OTHER
        series = _series_of(db, found, now)
        db.execute(
            "INSERT INTO instance (series, uid, class, syntax, file, size, digest, came) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (series, found.uid, found.sop_class, found.syntax, found.file, found.size, found.digest, now),
        )
    return NEW


def _series_of(db: Any, found: Arrival, now: float) -> int:
    """The row of the series, opened again where it was complete."""
    known = db.execute("SELECT id, complete FROM series WHERE uid = ?", (found.series,)).fetchone()
    if known is None:
        made = db.execute(
            "INSERT INTO series (uid, study, caller, modality, first, last, expected, urgent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (found.series, found.study, found.caller, found.modality, now, now, found.expected, found.urgent),
        )
        note(db, "series begins", series=made.lastrowid, said=f"{found.modality} from {found.caller}")
        return int(made.lastrowid)
    series = int(known["id"])
    db.execute(
        "UPDATE series SET last = ?, complete = 0, committed = 0, purged = NULL, expected = COALESCE(?, expected), "
        "urgent = MAX(urgent, ?) WHERE id = ?",
        (now, found.expected, found.urgent, series),
    )
    if known["complete"]:
        note(db, "late object", series=series, said="the series is done again once it is complete")
        db.execute(
            "UPDATE round SET state = ?, reason = ?, ended = ? WHERE series = ? AND state = ?",
            (States.OVERTAKEN, "more of the series came", now, series, States.WAITING),
        )
    return series


def committed(queue: Queue, uids: list[str]) -> tuple[list[str], list[str]]:
    """Answer a request for storage commitment: which of the objects are held, and which not.

    A series all of whose objects are named is complete.
    """
    with queue.transaction() as db:
        series: dict[str, int] = {}
        for uid in uids:
            row = db.execute("SELECT series FROM instance WHERE uid = ?", (uid,)).fetchone()
            if row is not None:
                series[uid] = row["series"]
        for one in set(series.values()):
            members = db.execute("SELECT uid FROM instance WHERE series = ?", (one,)).fetchall()
            if all(member["uid"] in series for member in members):
                db.execute("UPDATE series SET committed = 1 WHERE id = ?", (one,))
    return list(series), [uid for uid in uids if uid not in series]


@dataclass(frozen=True)
class Complete:
    """A series of which no more is waited for.

    Attributes:
        id: its row.
        upto: the last object that counts.
        instances: how many objects it has.
        caller: AE title of who sent the first.
        file: one of its objects.
        urgent: its priority is high.
    """

    id: int
    upto: int
    instances: int
    caller: str
    file: str
    urgent: bool


def complete_series(queue: Queue, quiet: float, now: float | None = None, since: float = 0.0) -> list[Complete]:
    """Series that are complete and have no round yet: quiet for so long, exactly as many as they should be, or committed.

    `since`: when the node began to listen; what could not come before that says nothing about quiet.
    """
    now = time.time() if now is None else now
    rows = queue.rows(
        "SELECT s.id, s.caller, s.urgent, MAX(i.id) AS upto, COUNT(*) AS instances, MIN(i.file) AS file, s.last, s.expected, "
        "s.committed FROM series s JOIN instance i ON i.series = s.id WHERE s.complete = 0 GROUP BY s.id ORDER BY s.id"
    )
    return [
        Complete(row["id"], row["upto"], row["instances"], row["caller"], row["file"], bool(row["urgent"]))
        for row in rows
        if max(row["last"], since) + quiet <= now or row["committed"] or row["instances"] == row["expected"]
    ]
