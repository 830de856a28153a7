"""The state of a run in a file that outlives every process: which series wait, are at work, are done or failed, and why.

SQLite with a write-ahead log: a step is on the disk when it ends, or it was not. One program at a time writes; the page and
other programs may read meanwhile.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demottle.archive.run.order import Job
from demottle.archive.run.rows import FAILED, Row
from demottle.errors import InputError, OutputError

WAITING, RUNNING, DONE = "waiting", "running", "done"
FILE = "state.sqlite"
_VERSION = 1
_TABLES = """
CREATE TABLE told (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE series (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, verb TEXT NOT NULL, folder TEXT NOT NULL, uid TEXT NOT NULL,
    told TEXT NOT NULL, grp TEXT NOT NULL, seconds REAL NOT NULL, bytes INTEGER NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', since REAL,
    ended REAL, row TEXT, part INTEGER);
CREATE INDEX series_state ON series (state, attempts, number);
CREATE INDEX series_part ON series (part, number);
CREATE TABLE groups (grp TEXT PRIMARY KEY, fitter INTEGER NOT NULL);
CREATE TABLE files (number INTEGER NOT NULL, paths BLOB NOT NULL, bytes INTEGER NOT NULL);
CREATE INDEX files_number ON files (number);
"""


class State:
    """An open state."""

    def __init__(self, folder: Path) -> None:
        """Open the state of a run, and make it where there is none.

        Raises:
            InputError: it is damaged, or of another version of demottle.
            OutputError: the disk does not let it be made.
        """
        self.file = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.file, timeout=30.0, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._prepare()
        except sqlite3.OperationalError as error:
            raise OutputError(f"The state {self.file} cannot be opened ({error}); let it be written.") from error
        except sqlite3.DatabaseError as error:
            raise InputError(f"The state {self.file} is damaged ({error}); begin a run of another name.") from error
        except OSError as error:
            raise OutputError(f"The folder {folder} cannot be made ({error.strerror}); let it be written.") from error

    def _prepare(self) -> None:
        with self.step() as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {_VERSION}")
            elif found != _VERSION:
                raise InputError(
                    f"The state {self.file} is of another version of demottle; begin a run of another name."
                )

    @contextmanager
    def step(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection; all that the block does is on the disk when it ends, or nothing of it.

        Raises:
            OutputError: the disk does not take it.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._undo()
            raise OutputError(f"The state {self.file} cannot be written ({error}); make room on its disk.") from error
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; its log is written into it."""
        self._db.close()

    def told(self, name: str) -> Any:
        """What was noted under a name; None for nothing."""
        found = self._db.execute("SELECT value FROM told WHERE name = ?", (name,)).fetchone()
        return None if found is None else json.loads(found[0])

    def tell(self, name: str, value: Any) -> None:
        """Note something."""
        with self.step() as db:
            db.execute("INSERT OR REPLACE INTO told VALUES (?, ?)", (name, json.dumps(value)))

    def counts(self) -> dict[str, int]:
        """How many series are in each state."""
        found = {WAITING: 0, RUNNING: 0, DONE: 0, FAILED: 0}
        return {**found, **dict(self._db.execute("SELECT state, COUNT(*) FROM series GROUP BY state").fetchall())}

    def expected(self, *states: str) -> tuple[float, int]:
        """Seconds and bytes that the series of some states are expected to take."""
        some = ",".join("?" * len(states))
        asked = f"SELECT COALESCE(SUM(seconds), 0), COALESCE(SUM(bytes), 0) FROM series WHERE state IN ({some})"
        seconds, size = self._db.execute(asked, states).fetchone()
        return float(seconds), int(size)

    def expected_of(self, job: Job) -> float:
        """Seconds that a series is expected to take."""
        return float(self._db.execute("SELECT seconds FROM series WHERE number = ?", (job.number,)).fetchone()[0])

    def next(self) -> Job | None:
        """The next series that can be begun; its state is then `RUNNING`. None: there is none, or all wait for a network.

        The first of a group that has no network yet fits it; the others of that group are begun when that has ended. Series
        that were begun before, when the program or a worker ended, come last: one that ends it does not hold up the others.
        """
        with self.step() as db:
            found = db.execute(
                "SELECT * FROM series WHERE state = ? AND (grp = '' OR grp NOT IN (SELECT grp FROM groups)) "
                "ORDER BY attempts, number LIMIT 1",
                (WAITING,),
            ).fetchone()
            if found is None:
                return None
            db.execute(
                "UPDATE series SET state = ?, since = ? WHERE number = ?", (RUNNING, time.time(), found["number"])
            )
        return self._job(found)

    def fitting(self, job: Job) -> None:
        """Note that a series fits the network of its group, so that the others wait."""
        with self.step() as db:
            db.execute("INSERT OR REPLACE INTO groups VALUES (?, ?)", (job.group, job.number))

    def loosen(self, group: str, most: int) -> None:
        """Have the series of a group be done each for itself, where so many have ended and there is still no network."""
        with self.step() as db:
            ended = db.execute("SELECT COUNT(*) FROM series WHERE grp = ? AND row IS NOT NULL", (group,)).fetchone()[0]
            if ended >= most:
                db.execute("UPDATE series SET grp = '' WHERE grp = ? AND state = ?", (group, WAITING))

    def has_ended(self, key: str) -> bool:
        """True for a series whose row is kept here."""
        found = self._db.execute("SELECT row IS NOT NULL FROM series WHERE key = ?", (key,)).fetchone()
        return bool(found and found[0])

    def running(self) -> list[Job]:
        """What was begun and has not ended."""
        return [self._job(one) for one in self._db.execute("SELECT * FROM series WHERE state = ?", (RUNNING,))]

    def span(self) -> tuple[float, float]:
        """When the first series was begun and the last one ended, in seconds of the clock; NaN where none was."""
        begun, ended = self._db.execute("SELECT MIN(since), MAX(ended) FROM series").fetchone()
        return float("nan") if begun is None else float(begun), float("nan") if ended is None else float(ended)

    def ends(self) -> dict[str, float]:
        """When each series ended, in seconds of the clock, by key."""
        return dict(self._db.execute("SELECT key, ended FROM series WHERE ended IS NOT NULL").fetchall())

    def at_work(self) -> list[tuple[str, float]]:
        """Folders of the series that were given out, and since when (seconds of the clock)."""
        asked = "SELECT folder, since FROM series WHERE state = ? ORDER BY since"
        return [(str(folder), float(since)) for folder, since in self._db.execute(asked, (RUNNING,))]

    def _job(self, found: sqlite3.Row) -> Job:
        files: list[str] = []
        size = 0
        for paths, some in self._db.execute("SELECT paths, bytes FROM files WHERE number = ?", (found["number"],)):
            files += json.loads(zlib.decompress(paths))
            size += some
        return Job(
            number=found["number"],
            key=found["key"],
            verb=found["verb"],
            folder=found["folder"],
            series_uid=found["uid"],
            files=tuple(files),
            size=size,
            group=found["grp"],
            **json.loads(found["told"]),
        )

    def ended(self, job: Job, row: Row) -> None:
        """Keep the row of a series: it is done, or failed."""
        with self.step() as db:
            db.execute(
                "UPDATE series SET state = ?, reason = ?, attempts = ?, row = ?, part = NULL, ended = ? WHERE number = ?",
                (row["state"], row["reason"], row["attempts"], json.dumps(row), time.time(), job.number),
            )
            db.execute("DELETE FROM groups WHERE fitter = ?", (job.number,))

    def died(self, job: Job) -> int:
        """Count that a series has ended the process which was at work on it; return how often it has."""
        with self.step() as db:
            db.execute("UPDATE series SET deaths = deaths + 1 WHERE number = ?", (job.number,))
            return int(db.execute("SELECT deaths FROM series WHERE number = ?", (job.number,)).fetchone()[0])

    def waits_again(self, job: Job, attempts: int, reason: str = "") -> None:
        """Give back a series that was begun and has not ended."""
        with self.step() as db:
            db.execute(
                "UPDATE series SET state = ?, attempts = ?, reason = ? WHERE number = ?",
                (WAITING, attempts, reason, job.number),
            )
            db.execute("DELETE FROM groups WHERE fitter = ?", (job.number,))

    def retry_failed(self) -> int:
        """Have what failed wait again; return how many. Files of the data set that hold their rows are written anew."""
        with self.step() as db:
            db.execute(
                "UPDATE series SET part = NULL WHERE part IN (SELECT DISTINCT part FROM series WHERE state = ?)",
                (FAILED,),
            )
            done = db.execute(
                "UPDATE series SET state = ?, attempts = 0, deaths = 0, reason = '', row = NULL WHERE state = ?",
                (WAITING, FAILED),
            )
            return done.rowcount

    def failures(self, most: int) -> list[tuple[str, str]]:
        """Folders and reasons of the last series that failed."""
        asked = "SELECT folder, reason FROM series WHERE state = ? ORDER BY since DESC LIMIT ?"
        return [(str(folder), str(reason)) for folder, reason in self._db.execute(asked, (FAILED, most))]

    def unwritten(self) -> int:
        """How many rows are not yet in a file of the data set."""
        return int(self._db.execute("SELECT COUNT(*) FROM series WHERE row IS NOT NULL AND part IS NULL").fetchone()[0])

    def parts(self) -> list[int]:
        """Numbers of the files of the data set."""
        found = self._db.execute("SELECT DISTINCT part FROM series WHERE part IS NOT NULL ORDER BY part")
        return [int(number) for (number,) in found]

    def rows(self, unwritten: bool = False) -> Iterator[Row]:
        """Rows of what has ended, one after the other; `unwritten`: only those that are in no file of the data set."""
        where = " AND part IS NULL" if unwritten else ""
        for (text,) in self._db.execute(f"SELECT row FROM series WHERE row IS NOT NULL{where} ORDER BY number"):
            yield json.loads(text)

    def written(self, part: int) -> None:
        """Note that all rows that were in no file are in this one."""
        with self.step() as db:
            db.execute("UPDATE series SET part = ? WHERE row IS NOT NULL AND part IS NULL", (part,))

    def enter(self, rows: Iterable[dict[str, Any]]) -> int:
        """Take in series that are not yet known; return how many."""
        before = self._db.total_changes
        with self.step() as db:
            db.executemany(
                "INSERT OR IGNORE INTO series (key, verb, folder, uid, told, grp, seconds, bytes, state) "
                "VALUES (:key, :verb, :folder, :uid, :told, :grp, :seconds, :bytes, 'waiting')",
                rows,
            )
            after = self._db.total_changes
        return after - before

    def without_files(self) -> dict[str, int]:
        """Numbers of the series whose files are not yet known, by key."""
        asked = "SELECT key, number FROM series WHERE number NOT IN (SELECT number FROM files)"
        return {str(key): int(number) for key, number in self._db.execute(asked)}

    def enter_files(self, found: Iterable[tuple[int, list[str], int]]) -> None:
        """Take in files of series, with the bytes of all that are given at a time."""
        with self.step() as db:
            packed = ((number, zlib.compress(json.dumps(paths).encode()), size) for number, paths, size in found)
            db.executemany("INSERT INTO files VALUES (?, ?, ?)", packed)
