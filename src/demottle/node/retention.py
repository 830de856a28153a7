"""What has been done with goes from the disk after some days; the queue keeps its lines, without which nobody knows what was."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from demottle.errors import InputError
from demottle.node.configuration import Configuration
from demottle.node.log import tell
from demottle.node.queue.rounds import result_folder
from demottle.node.queue.store import ENDED, Queue, note

_DAY = 86400.0
_ON_ITS_WAY = (  # of a series whose id follows
    "SELECT 1 FROM send w JOIN round v ON v.id = w.round WHERE w.state IN ('waiting', 'sent') AND v.series ="
)
_COMING = 3600.0  # an object that has been coming for so long comes no more


def purge(told: Configuration, queue: Queue, now: float | None = None) -> int:
    """Remove objects and results of series that ended before the days of their rule, else of the node, and nothing unfinished.

    Returns:
        How many series were purged.
    """
    now = time.time() if now is None else now
    least = min([told.keep, *(rule.keep for rule in told.rules if rule.keep is not None)])
    marks = ",".join("?" * len(ENDED))
    rows = queue.rows(
        "SELECT s.id, s.last, (SELECT MAX(COALESCE(r.ended, ?)) FROM round r WHERE r.series = s.id) AS ended, "
        "(SELECT r.rule FROM round r WHERE r.series = s.id ORDER BY r.number DESC LIMIT 1) AS rule "
        "FROM series s WHERE s.purged IS NULL AND s.complete = 1 AND s.last < ? AND NOT EXISTS "
        f"(SELECT 1 FROM round r WHERE r.series = s.id AND r.state NOT IN ({marks})) AND NOT EXISTS ({_ON_ITS_WAY} s.id)",
        now,
        now - least * _DAY,
        *ENDED,
    )
    over = [row for row in rows if max(row["last"], row["ended"] or 0.0) < now - told.keep_of(row["rule"]) * _DAY]
    return sum(_purged(told, queue, row["id"], now) for row in over)


def purge_series(told: Configuration, queue: Queue, series: int, who: str) -> None:
    """Remove objects and results of one series now.

    Raises:
        InputError: there is no such series, or something is still to be done or sent of it.
    """
    rounds = [row["state"] for row in queue.rows("SELECT state FROM round WHERE series = ?", series)]
    if not rounds or any(state not in ENDED for state in rounds) or queue.row(f"{_ON_ITS_WAY} ?", series):
        raise InputError("Something of this series is still to be done or sent; wait for it, or reject it first.")
    if not _purged(told, queue, series, time.time(), who):
        raise InputError("More of this series has just come; wait until it is complete.")


def _purged(told: Configuration, queue: Queue, series: int, now: float, who: str = "node") -> bool:
    with queue.transaction() as db:  # first the note: an object that comes from here on opens the series again
        gone = db.execute("UPDATE series SET purged = ? WHERE id = ? AND complete = 1", (now, series))
        if not gone.rowcount:
            return False
        kept = "SELECT file FROM instance WHERE series = ? UNION SELECT o.file FROM other o JOIN instance i ON i.id = o.instance "
        files = [row["file"] for row in db.execute(f"{kept} WHERE i.series = ?", (series, series)).fetchall()]
        found = [row["id"] for row in db.execute("SELECT id FROM round WHERE series = ?", (series,)).fetchall()]
        for table in (
            "other WHERE instance IN (SELECT id FROM instance WHERE series = ?)",
            "instance WHERE series = ?",
        ):
            db.execute(f"DELETE FROM {table}", (series,))
        note(db, "purged", who=who, series=series, said=f"{len(files)} objects")
        for file in files:
            (told.folder / file).unlink(missing_ok=True)
    for emptied in {(told.folder / file).parent for file in files}:
        with suppress(OSError):  # another content of an object is still there, or something has just come
            emptied.rmdir()
    for round in found:
        shutil.rmtree(result_folder(told.folder, round), ignore_errors=True)
    tell(f"series {series}: purged" + (", its days are over" if who == "node" else " by a person"))
    return True


def sweep(folder: Path, queue: Queue, now: float | None = None) -> None:
    """Remove what no line of the queue knows: objects that broke off while they came, and those of a killed step."""
    now = time.time() if now is None else now
    for path in (folder / "incoming").iterdir():
        if path.stat().st_mtime < now - _COMING:
            path.unlink(missing_ok=True)
    for path in (folder / "objects").glob("*/*.dcm"):
        name = str(path.relative_to(folder))
        if path.stat().st_mtime >= now - _COMING or queue.row("SELECT 1 FROM instance WHERE file = ?", name):
            continue
        if queue.row("SELECT 1 FROM other WHERE file = ?", name) is None:
            path.unlink(missing_ok=True)
    for path in (folder / "results").iterdir():
        row = queue.row("SELECT state FROM round WHERE id = ?", path.name)
        if row is None:
            shutil.rmtree(path, ignore_errors=True)
