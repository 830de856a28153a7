"""What a person may do with a series; each goes into the log of events with the name that the person logged in with."""

import json
import time
from collections.abc import Mapping
from typing import Any

from demottle.errors import InputError
from demottle.node.queue.store import Queue, States, note


def resend(queue: Queue, round: int, who: str, destination: str | None = None) -> int:
    """Send what a round made once more, to one destination or all: the same objects, which a PACS takes as the same.

    Returns:
        How many objects are sent again.

    Raises:
        InputError: there is no such round, it made nothing, or it was rejected.
    """
    now = time.time()
    with queue.transaction() as db:
        row = _round(db, round)
        _refuse_purged(db, row["series"])
        if row["state"] == States.REJECTED:
            raise InputError("This result was rejected and is not sent; a physicist can have the series done again.")
        only = "" if destination is None else " AND destination = ?"
        values = (now, now, round) if destination is None else (now, now, round, destination)
        changed = db.execute(
            "UPDATE send SET state = 'waiting', reason = '', attempts = 0, since = ?, next = ?, arrived = NULL, asked = NULL "
            f"WHERE round = ?{only}",
            values,
        )
        if not changed.rowcount:
            raise InputError("Nothing of this series was made to be sent; do it again instead.")
        if row["state"] != States.REFUSED:  # what goes again is the report of that, and the result stays refused
            db.execute("UPDATE round SET state = ?, reason = '', ended = NULL WHERE id = ?", (States.SENDING, round))
        note(db, "resend", who=who, series=row["series"], round=round, said=destination or "all destinations")
    return changed.rowcount


def redo(queue: Queue, series: int, who: str, wanted: Mapping[str, Any] | None = None, rule: str | None = None) -> int:
    """Denoise a series again, as a round of its own: its results have new UIDs, what was sent before stays.

    Args:
        queue: the queue.
        series: row of the series.
        who: who asks for it.
        wanted: arguments of `demottle.pipeline.request.Request` in place of the rule's own, such as `{"method": "nl-bayes"}`;
            they are checked.
        rule: name of another rule; None: that of the last round.

    Returns:
        The new round.

    Raises:
        InputError: there is no such series, it is not complete, in work, or purged; it meets no rule and none is named; or what
            is wanted makes no sense.
    """
    if wanted:
        from demottle.pipeline.request import Request

        Request(**wanted)
    now = time.time()
    with queue.transaction() as db:
        found = db.execute("SELECT * FROM series WHERE id = ?", (series,)).fetchone()
        last = db.execute("SELECT * FROM round WHERE series = ? ORDER BY number DESC LIMIT 1", (series,)).fetchone()
        if found is None or last is None or not found["complete"]:
            raise InputError("There is no complete series of this number; wait until it is complete.")
        _refuse_purged(db, series)
        if last["state"] in (States.WAITING, States.WORKING):
            raise InputError("The series is being done already; wait until it is finished, or reject it.")
        name = rule or last["rule"]
        if not name:
            raise InputError("The series meets no rule; choose the rule to do it by.")
        members = db.execute("SELECT MAX(id), COUNT(*) FROM instance WHERE series = ?", (series,)).fetchone()
        made = db.execute(
            "INSERT INTO round (series, number, upto, instances, state, rule, wanted, urgent, made) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                series,
                last["number"] + 1,
                members[0],
                members[1],
                States.WAITING,
                name,
                json.dumps(dict(wanted or {})),
                1,
                now,
            ),
        )
        note(db, "redo", who=who, series=series, round=made.lastrowid, said=json.dumps(dict(wanted or {})))
    assert made.lastrowid is not None
    return made.lastrowid


def reject(queue: Queue, round: int, who: str, why: str = "") -> int:
    """Send nothing more of a round, and do not work on it. What has arrived stays there: the node deletes nothing.

    Returns:
        How many objects had arrived already.

    Raises:
        InputError: there is no such round.
    """
    now = time.time()
    with queue.transaction() as db:
        row = _round(db, round)
        there = db.execute(
            "SELECT COUNT(*) FROM send WHERE round = ? AND state IN ('sent', 'arrived')", (round,)
        ).fetchone()[0]
        db.execute(
            "UPDATE send SET state = 'failed', reason = 'rejected' WHERE round = ? AND state = 'waiting'", (round,)
        )
        db.execute(
            "UPDATE round SET state = ?, reason = ?, ended = ? WHERE id = ?",
            (States.REJECTED, f"rejected by {who}", now, round),
        )
        note(db, "reject", who=who, series=row["series"], round=round, said=why)
    return int(there)


def hurry(queue: Queue, series: int, who: str) -> None:
    """Put a series before others: what waits of it, what is still to be sent, and what is still coming.

    Raises:
        InputError: there is no such series, or it was purged.
    """
    with queue.transaction() as db:
        if not db.execute("UPDATE series SET urgent = 1 WHERE id = ?", (series,)).rowcount:
            raise InputError(f"There is no series {series}.")
        _refuse_purged(db, series)
        hurried = "UPDATE round SET urgent = 1 WHERE series = ? AND state IN (?, ?)"
        db.execute(hurried, (series, States.WAITING, States.SENDING))
        note(db, "made urgent", who=who, series=series)


def _refuse_purged(db: Any, series: int) -> None:
    if db.execute("SELECT purged FROM series WHERE id = ?", (series,)).fetchone()["purged"] is not None:
        raise InputError("The objects of this series are no longer held; send it again from the archive.")


def _round(db: Any, round: int) -> Any:
    row = db.execute("SELECT * FROM round WHERE id = ?", (round,)).fetchone()
    if row is None:
        raise InputError(f"There is no round {round}.")
    return row
