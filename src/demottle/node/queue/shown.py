"""What a person sees of the queue: plain dictionaries, for pages and for JSON. Nothing here writes.

No names of patients: the queue does not hold any. What a page shows beside these (a name, a picture) it reads from the files.
"""

import json
from typing import Any

from demottle.node.queue.store import Queue, States

Shown = dict[str, Any]

_SERIES = (
    "SELECT s.id, s.uid, s.study, s.caller, s.modality, s.first, s.last, s.urgent, s.expected, s.complete, s.purged, "
    "(SELECT COUNT(*) FROM instance i WHERE i.series = s.id) AS instances, "
    "(SELECT COUNT(*) FROM other o JOIN instance i ON i.id = o.instance WHERE i.series = s.id) AS others, "
    "r.id AS round, r.number, r.state AS round_state, r.reason, r.rule, r.method, r.attempts, r.begun, r.ended "
    "FROM series s LEFT JOIN round r ON r.id = (SELECT id FROM round WHERE series = s.id ORDER BY number DESC LIMIT 1)"
)


def list_series(queue: Queue, *, state: str | None = None, most: int = 200, before: int | None = None) -> list[Shown]:
    """Series, newest first, each with its state, its latest round and how far that was sent.

    Args:
        queue: the queue.
        state: only series in this state (`States`).
        most: at most so many.
        before: only series with an id below this one, to go on where the last call ended.

    Returns:
        id, uid, study, caller, modality, first, last (seconds since 1970), instances (objects held), others (objects of the
        same UID with other content, kept aside), urgent, purged, state, reason, round (its id; None), number, rule, method,
        attempts, begun, ended, sends (`{destination: {state: count}}`).
    """
    found: list[Shown] = []
    last = 2**62 if before is None else before
    while len(found) < most:
        rows = queue.rows(f"{_SERIES} WHERE s.id < ? ORDER BY s.id DESC LIMIT ?", last, most)
        if not rows:
            break
        shown = [_series(queue, dict(row)) for row in rows]
        found += [one for one in shown if state is None or one["state"] == state]
        last = rows[-1]["id"]
    return found[:most]


def one_series(queue: Queue, series: int) -> Shown | None:
    """One series as in `list_series`, and `rounds`: each with id, number, state, reason, rule, wanted, method, gate, sends,
    made, begun, ended, instances; None where there is no such series.
    """
    row = queue.row(f"{_SERIES} WHERE s.id = ?", series)
    if row is None:
        return None
    rounds = [dict(one) for one in queue.rows("SELECT * FROM round WHERE series = ? ORDER BY number DESC", series)]
    for one in rounds:
        one["wanted"], one["gate"] = json.loads(one["wanted"]), json.loads(one["gate"])
        one["sends"] = sends_of(queue, one["id"])
    return {**_series(queue, dict(row)), "rounds": rounds}


def _series(queue: Queue, row: Shown) -> Shown:
    state = row.pop("round_state")
    row["state"] = str(States.RECEIVING) if not row.pop("complete") or state is None else state
    row["sends"] = {} if row["round"] is None else sends_of(queue, row["round"])
    return row


def sends_of(queue: Queue, round: int) -> dict[str, dict[str, int]]:
    """How many objects of a round are in which state, by destination."""
    found: dict[str, dict[str, int]] = {}
    for row in queue.rows("SELECT destination, state, COUNT(*) AS n FROM send WHERE round = ? GROUP BY 1, 2", round):
        found.setdefault(row["destination"], {})[row["state"]] = row["n"]
    return found


def sends_with_reasons(queue: Queue, round: int) -> list[Shown]:
    """What of a round has not arrived: destination, state, reason, attempts, next (when it is tried again) and how many."""
    rows = queue.rows(
        "SELECT destination, state, reason, MAX(attempts) AS attempts, MIN(next) AS next, COUNT(*) AS objects FROM send "
        "WHERE round = ? AND state <> 'arrived' GROUP BY 1, 2, 3",
        round,
    )
    return [dict(row) for row in rows]


def files_of_series(queue: Queue, series: int) -> list[str]:
    """The objects of a series as they came, below the node's folder."""
    return [row["file"] for row in queue.rows("SELECT file FROM instance WHERE series = ? ORDER BY id", series)]


def files_of_round(queue: Queue, round: int, kind: str = "images") -> list[str]:
    """What a round made, of one kind (`demottle.node.configuration.SENT`), below the node's folder."""
    return [
        row["file"]
        for row in queue.rows("SELECT file FROM result WHERE round = ? AND kind = ? ORDER BY id", round, kind)
    ]


def counts(queue: Queue) -> Shown:
    """Numbers for metrics: objects and bytes held, series by state, sends by destination and state, age of the oldest waiting."""
    held = queue.row("SELECT COUNT(*) AS objects, COALESCE(SUM(size), 0) AS bytes FROM instance")
    states: dict[str, int] = {}
    for row in queue.rows(
        "SELECT CASE WHEN s.complete = 0 THEN 'receiving' ELSE r.state END AS state, COUNT(*) AS n FROM series s "
        "LEFT JOIN round r ON r.id = (SELECT id FROM round WHERE series = s.id ORDER BY number DESC LIMIT 1) GROUP BY 1"
    ):
        states[row["state"] or str(States.RECEIVING)] = row["n"]
    sends: dict[str, dict[str, int]] = {}
    for row in queue.rows("SELECT destination, state, COUNT(*) AS n FROM send GROUP BY 1, 2"):
        sends.setdefault(row["destination"], {})[row["state"]] = row["n"]
    oldest = queue.row("SELECT MIN(made) AS made FROM round WHERE state IN (?, ?)", States.WAITING, States.WORKING)
    assert held is not None and oldest is not None
    return {
        "objects": held["objects"],
        "bytes": held["bytes"],
        "series": states,
        "sends": sends,
        "oldest": oldest["made"],
    }


def events(queue: Queue, *, after: int = 0, most: int = 500, series: int | None = None) -> list[Shown]:
    """The log of events after one of them: id, at (seconds since 1970), who, what, series, round, said."""
    only = "" if series is None else "AND series = ?"
    values = (after, most) if series is None else (after, series, most)
    return [dict(row) for row in queue.rows(f"SELECT * FROM event WHERE id > ? {only} ORDER BY id LIMIT ?", *values)]
