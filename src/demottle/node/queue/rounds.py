"""A series to be denoised: a round is made when it is complete, claimed by the worker, and ends with a state and a reason."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle.node.queue.arrivals import Complete
from demottle.node.queue.store import Queue, States, called, note

MOST_ATTEMPTS = 3
"""How often the worker may die at a series before that counts as failed."""


@dataclass(frozen=True)
class Round:
    """A claimed round.

    Attributes:
        id: its row.
        series: row of its series.
        number: 1, or more where the series is done again; results of each have UIDs of their own.
        rule: name of the rule that the series meets.
        wanted: what a person asked for in place of the rule's own: arguments of `Request`.
        files: the objects, below the node's folder.
        caller: AE title of who sent the series.
    """

    id: int
    series: int
    number: int
    rule: str
    wanted: Mapping[str, Any]
    files: tuple[str, ...]
    caller: str

    def __str__(self) -> str:
        """What the log calls it."""
        return called(self.series, self.number)


@dataclass(frozen=True)
class Claimed:
    """What the worker is at: round, series, name of the rule, and when it began (seconds since 1970)."""

    id: int
    series: int
    rule: str
    begun: float


@dataclass(frozen=True)
class Made:
    """An object that was made, complete on the disk; `kind` is one of `demottle.node.configuration.SENT`."""

    uid: str
    sop_class: str
    syntax: str
    kind: str
    file: str
    size: int


def begin(queue: Queue, found: Complete, rule: str | None, *, urgent: bool = False, left: str = "") -> int | None:
    """Make the round of a complete series.

    Args:
        queue: the queue.
        found: the series.
        rule: name of the rule; None: there is none.
        urgent: goes before others.
        left: why nothing is done with it; empty: it waits for the worker.

    Returns:
        The round; None where an object came meanwhile, so that the series is not complete after all.
    """
    now = time.time()
    with queue.transaction() as db:
        last = db.execute("SELECT MAX(id) AS last FROM instance WHERE series = ?", (found.id,)).fetchone()["last"]
        if last != found.upto:
            return None
        state = States.LEFT if left else States.WAITING
        number = _next_number(db, found.id)
        made = db.execute(
            "INSERT INTO round (series, number, upto, instances, state, reason, rule, urgent, made, ended) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (found.id, number, last, found.instances, state, left, rule or "", urgent, now, now if left else None),
        )
        db.execute("UPDATE series SET complete = 1 WHERE id = ?", (found.id,))
        said = left or f"{found.instances} objects, rule {rule}"
        note(db, "left alone" if left else "complete", series=found.id, round=made.lastrowid, said=said)
    return made.lastrowid


def _next_number(db: Any, series: int) -> int:
    return 1 + int(db.execute("SELECT COALESCE(MAX(number), 0) FROM round WHERE series = ?", (series,)).fetchone()[0])


def waits(queue: Queue) -> bool:
    """True where a round waits for the worker: a look that locks nothing."""
    return queue.row("SELECT 1 FROM round WHERE state = ? LIMIT 1", States.WAITING) is not None


def claim(queue: Queue) -> Round | None:
    """Take the next round, urgent ones first; None where there is none."""
    with queue.transaction() as db:
        row = db.execute(
            "SELECT r.*, s.caller FROM round r JOIN series s ON s.id = r.series WHERE r.state = ? "
            "ORDER BY r.urgent DESC, r.id LIMIT 1",
            (States.WAITING,),
        ).fetchone()
        if row is None:
            return None
        db.execute("UPDATE round SET state = ?, begun = ? WHERE id = ?", (States.WORKING, time.time(), row["id"]))
        files = db.execute(
            "SELECT file FROM instance WHERE series = ? AND id <= ? ORDER BY id", (row["series"], row["upto"])
        ).fetchall()
    return Round(
        row["id"],
        row["series"],
        row["number"],
        row["rule"],
        json.loads(row["wanted"]),
        tuple(one["file"] for one in files),
        row["caller"],
    )


def claimed(queue: Queue) -> Claimed | None:
    """Return what the worker is at; None where it has nothing to do."""
    row = queue.row("SELECT id, series, rule, begun FROM round WHERE state = ? LIMIT 1", States.WORKING)
    return None if row is None else Claimed(row["id"], row["series"], row["rule"], row["begun"])


def unclaim(queue: Queue) -> None:
    """Give back what a worker that is gone had claimed."""
    with queue.transaction() as db:
        for row in db.execute("SELECT id, series FROM round WHERE state = ?", (States.WORKING,)).fetchall():
            _set(db, row["id"], States.WAITING, "")
            note(db, "begun again", series=row["series"], round=row["id"])


def blame(queue: Queue) -> None:
    """Count that the worker died by itself at what it had claimed; what it died at several times counts as failed."""
    said = f"the worker ended {MOST_ATTEMPTS} times while it was at this series (too little memory?)"
    with queue.transaction() as db:
        for row in db.execute("SELECT id, series, attempts FROM round WHERE state = ?", (States.WORKING,)).fetchall():
            over = row["attempts"] + 1 >= MOST_ATTEMPTS
            db.execute("UPDATE round SET attempts = attempts + 1 WHERE id = ?", (row["id"],))
            _set(db, row["id"], States.FAILED if over else States.WAITING, said if over else "")
            note(db, "worker ended", series=row["series"], round=row["id"], said=said if over else "begun again")


def ended(queue: Queue, round: int, state: States, reason: str, **more: Any) -> None:
    """Note how a round ended without a result to send, unless a person rejected it meanwhile; `more`: method and gate."""
    with queue.transaction() as db:
        state_now = db.execute("SELECT state FROM round WHERE id = ?", (round,)).fetchone()["state"]
        if state_now != States.WORKING:
            return
        _set(db, round, state, reason)
        _tell(db, round, **more)
        note(db, str(state), series=_series(db, round), round=round, said=reason)


def published(
    queue: Queue,
    round: int,
    made: Sequence[Made],
    destinations: Sequence[str],
    *,
    method: str = "",
    gate: Mapping[str, Any] | None = None,
    state: States = States.SENDING,
    reason: str = "",
) -> bool:
    """Enter results, which lie complete on the disk, and what has to be sent where; all of it or nothing.

    Args:
        queue: the queue.
        round: the round.
        made: what is to be sent.
        destinations: names of where.
        method, gate: by what, and what the gate found.
        state: SENDING; REFUSED where the result fails the gate and `made` holds no more than a report of that.
        reason: why it is refused.

    Returns:
        False where more of the series came meanwhile, or a person rejected it: nothing is sent.
    """
    now = time.time()
    with queue.transaction() as db:
        row = db.execute(
            "SELECT r.state, s.complete, s.id FROM round r JOIN series s ON s.id = r.series WHERE r.id = ?", (round,)
        ).fetchone()
        if row["state"] != States.WORKING:
            return False
        if not row["complete"]:
            _set(db, round, States.OVERTAKEN, "more of the series came while it was denoised")
            note(db, str(States.OVERTAKEN), series=row["id"], round=round)
            return False
        for one in made:
            entered = db.execute(
                "INSERT INTO result (round, uid, class, syntax, kind, file, size) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (round, one.uid, one.sop_class, one.syntax, one.kind, one.file, one.size),
            )
            db.executemany(
                "INSERT INTO send (result, round, destination, state, since, next) VALUES (?, ?, ?, 'waiting', ?, ?)",
                [(entered.lastrowid, round, name, now, now) for name in destinations],
            )
        _set(db, round, state, reason)
        _tell(db, round, method=method, gate=gate)
        what = "denoised" if state is States.SENDING else str(state)
        note(db, what, series=row["id"], round=round, said=reason or f"{method}, {len(made)} objects")
    return True


def _set(db: Any, round: int, state: States, reason: str) -> None:
    done = time.time() if state in (States.REFUSED, States.FAILED, States.OVERTAKEN, States.DONE) else None
    db.execute("UPDATE round SET state = ?, reason = ?, ended = ? WHERE id = ?", (state, reason, done, round))


def _tell(db: Any, round: int, method: str = "", gate: Mapping[str, Any] | None = None) -> None:
    db.execute("UPDATE round SET method = ?, gate = ? WHERE id = ?", (method, json.dumps(gate or {}), round))


def _series(db: Any, round: int) -> int:
    return int(db.execute("SELECT series FROM round WHERE id = ?", (round,)).fetchone()["series"])


def result_folder(folder: Path, round: int) -> Path:
    """Where the results of a round lie: images, page (report.html), record (run.json)."""
    return folder / "results" / str(round)
