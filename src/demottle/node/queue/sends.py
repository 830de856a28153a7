"""Objects on their way to destinations: each is sent until it is acknowledged, and not once more after that.

States of a send: "waiting"; "sent" where it was acknowledged and storage commitment is still to come; "arrived"; "failed".
"""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from demottle.node.queue.store import Queue, States, called, note

SHORTEST, LONGEST = 2.0, 600.0
"""Seconds until the next attempt: doubled with each, up to the longest."""
_SELECT = (
    "SELECT s.id, s.round, s.attempts, r.uid, r.class, r.syntax, r.file, o.series, o.number FROM send s "
    "JOIN result r ON r.id = s.result JOIN round o ON o.id = s.round"
)


@dataclass(frozen=True)
class Send:
    """An object that has to go to a destination: SOP class, transfer syntax and UID, and its file below the node's folder.

    `whose` is what the log calls its round, which `round` is the row of.
    """

    id: int
    round: int
    uid: str
    sop_class: str
    syntax: str
    file: str
    attempts: int
    whose: str = ""


def waiting(queue: Queue, destination: str, now: float | None = None, most: int = 1000) -> list[Send]:
    """What is due for a destination: of one round, urgent ones first, in the order that they were made."""
    now = time.time() if now is None else now
    rows = queue.rows(
        f"{_SELECT} WHERE s.destination = ? AND s.state = 'waiting' AND s.next <= ? "
        "ORDER BY o.urgent DESC, s.round, s.id LIMIT ?",
        *(destination, now, most),
    )
    return _of_first_round(rows)


def _of_first_round(rows: Sequence[sqlite3.Row]) -> list[Send]:
    return [
        Send(
            *(row["id"], row["round"], row["uid"], row["class"], row["syntax"], row["file"], row["attempts"]),
            called(row["series"], row["number"]),
        )
        for row in rows
        if row["round"] == rows[0]["round"]
    ]


def acknowledged(queue: Queue, send: Send, commitment: bool) -> None:
    """Note that a destination has acknowledged an object; it is never sent there again unless a person asks for it."""
    now = time.time()
    with queue.transaction() as db:
        db.execute(
            "UPDATE send SET state = ?, reason = '', arrived = ?, asked = NULL, attempts = attempts + 1 "
            "WHERE id = ? AND state = 'waiting'",
            ("sent" if commitment else "arrived", None if commitment else now, send.id),
        )
        _settle(db, send.round)


def postponed(
    queue: Queue, sends: Sequence[Send], reason: str, days: float, most: int | None = None, *, least: float = 0.0
) -> None:
    """Note that objects did not get through: they wait longer each time, and count as failed after so many days.

    Args:
        queue: the queue.
        sends: the objects.
        reason: why, in a few words, without names.
        days: how long to try.
        least: seconds that they wait at least.
        most: after how many attempts that end for this reason they fail in any case; None: only the days count.
    """
    now = time.time()
    with queue.transaction() as db:
        for send in sends:
            row = db.execute("SELECT since, attempts, reason FROM send WHERE id = ?", (send.id,)).fetchone()
            again = most is None or row["reason"] == reason  # days without a connection are no refusals
            attempts = row["attempts"] + 1 if again else 1
            over = now - row["since"] > days * 86400 or (most is not None and attempts >= most)
            db.execute(
                "UPDATE send SET state = ?, reason = ?, attempts = ?, next = ? WHERE id = ?",
                ("failed" if over else "waiting", reason, attempts, now + max(pause(attempts), least), send.id),
            )
        for round in {send.round for send in sends}:
            _settle(db, round)


def pause(attempts: int) -> float:
    """Seconds to wait after so many attempts."""
    return float(min(LONGEST, SHORTEST * 2 ** min(attempts - 1, 20)))


def unconfirmed(queue: Queue, destination: str, again: float, now: float | None = None) -> list[Send]:
    """What a destination has acknowledged and not committed, and was not asked for within `again` seconds; of one round."""
    now = time.time() if now is None else now
    rows = queue.rows(
        f"{_SELECT} WHERE s.destination = ? AND s.state = 'sent' AND COALESCE(s.asked, 0) <= ? AND NOT EXISTS "
        "(SELECT 1 FROM send w WHERE w.round = s.round AND w.destination = s.destination AND w.state = 'waiting') "
        "ORDER BY s.round, s.id LIMIT 2000",
        *(destination, now - again),
    )
    return _of_first_round(rows)


def asked(queue: Queue, sends: Sequence[Send]) -> None:
    """Note that commitment was asked for."""
    with queue.transaction() as db:
        db.executemany("UPDATE send SET asked = ? WHERE id = ?", [(time.time(), send.id) for send in sends])


def confirmed(queue: Queue, destination: str, held: Sequence[str], missing: Sequence[str]) -> None:
    """Note what a destination says of its storage: what it does not hold is sent again."""
    now = time.time()
    find = (
        "SELECT s.id, s.round FROM send s JOIN result r ON r.id = s.result "
        "WHERE s.destination = ? AND r.uid = ? AND s.state = 'sent'"
    )
    with queue.transaction() as db:
        rounds = set()
        for uid in (*held, *missing):
            row = db.execute(find, (destination, uid)).fetchone()
            if row is None:
                continue
            rounds.add(row["round"])
            if uid in missing:
                again = "UPDATE send SET state = 'waiting', next = ?, reason = 'it says that it does not hold it' WHERE id = ?"
                db.execute(again, (now + SHORTEST, row["id"]))
            else:
                db.execute("UPDATE send SET state = 'arrived', arrived = ?, reason = '' WHERE id = ?", (now, row["id"]))
        for round in rounds:
            _settle(db, round)


def _settle(db: sqlite3.Connection, round: int) -> None:
    """End a round none of whose objects is on its way any longer."""
    rows = db.execute("SELECT state, destination, reason FROM send WHERE round = ?", (round,)).fetchall()
    states = {row["state"] for row in rows}
    if states & {"waiting", "sent"}:
        return
    failed = [row for row in rows if row["state"] == "failed"]
    state = States.FAILED if failed else States.DONE
    reason = f"{len(failed)} objects did not reach {failed[0]['destination']}: {failed[0]['reason']}" if failed else ""
    changed = db.execute(
        "UPDATE round SET state = ?, reason = ?, ended = ? WHERE id = ? AND state = ?",
        (state, reason, time.time(), round, States.SENDING),
    )
    if changed.rowcount:
        series = db.execute("SELECT series FROM round WHERE id = ?", (round,)).fetchone()["series"]
        note(db, str(state), series=series, round=round, said=reason)


def settle_all(queue: Queue) -> None:
    """End rounds that nothing is left to do for: after a restart, and where a round has nothing to send."""
    with queue.transaction() as db:
        for row in db.execute("SELECT id FROM round WHERE state = ?", (States.SENDING,)).fetchall():
            _settle(db, row["id"])


def resent_since(queue: Queue, moment: float) -> bool:
    """True where a person had something sent again after a moment (seconds since 1970)."""
    return queue.row("SELECT 1 FROM event WHERE what = 'resend' AND at > ? LIMIT 1", moment) is not None
