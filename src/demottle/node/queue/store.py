"""The file of the queue: its tables, and transactions that are on the disk when they end."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from demottle.errors import InputError

_VERSION = 1
_PAGES_KIB = 512  # of the database in memory; SQLite's own 2 MB fill in the course of a day and look like a leak
_PATIENCE = 30.0  # seconds to wait for the other process


class States(StrEnum):
    """The states of a round, and with `RECEIVING` those of a series."""

    RECEIVING = "receiving"  # of a series only: more may come
    WAITING = "waiting"  # for the worker
    WORKING = "working"  # being denoised
    SENDING = "sending"  # done, and not everywhere yet
    DONE = "done"  # arrived at all destinations
    LEFT = "left"  # no rule knows it, or the rule leaves it alone
    REFUSED = "refused"  # the result fails the gate: not sent
    FAILED = "failed"  # could not be denoised, or not be sent
    REJECTED = "rejected"  # by a person
    OVERTAKEN = "overtaken"  # more of the series came before anything was sent: the next round does it all


ENDED = (States.DONE, States.LEFT, States.REFUSED, States.FAILED, States.REJECTED, States.OVERTAKEN)
"""States that a round stays in until a person does something."""

_TABLES = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, study TEXT NOT NULL, caller TEXT NOT NULL, modality TEXT NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, expected INTEGER, urgent INTEGER NOT NULL DEFAULT 0,
    committed INTEGER NOT NULL DEFAULT 0, complete INTEGER NOT NULL DEFAULT 0, purged REAL);
CREATE INDEX series_open ON series (complete, last);
CREATE TABLE instance (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series, uid TEXT NOT NULL UNIQUE, class TEXT NOT NULL,
    syntax TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL, came REAL NOT NULL);
CREATE INDEX instance_series ON instance (series);
CREATE TABLE other (
    id INTEGER PRIMARY KEY, instance INTEGER NOT NULL REFERENCES instance, file TEXT NOT NULL, digest TEXT NOT NULL,
    caller TEXT NOT NULL, came REAL NOT NULL, UNIQUE (instance, digest));
CREATE TABLE round (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series, number INTEGER NOT NULL, upto INTEGER NOT NULL,
    instances INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', rule TEXT NOT NULL DEFAULT '',
    wanted TEXT NOT NULL DEFAULT '{}', method TEXT NOT NULL DEFAULT '', gate TEXT NOT NULL DEFAULT '{}',
    urgent INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, made REAL NOT NULL, begun REAL, ended REAL,
    UNIQUE (series, number));
CREATE INDEX round_state ON round (state, urgent);
CREATE TABLE result (
    id INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES round, uid TEXT NOT NULL UNIQUE, class TEXT NOT NULL,
    syntax TEXT NOT NULL, kind TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL);
CREATE INDEX result_round ON result (round);
CREATE TABLE send (
    id INTEGER PRIMARY KEY, result INTEGER NOT NULL REFERENCES result, round INTEGER NOT NULL REFERENCES round,
    destination TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
    since REAL NOT NULL, next REAL NOT NULL, arrived REAL, asked REAL, UNIQUE (result, destination));
CREATE INDEX send_open ON send (destination, state, next);
CREATE INDEX send_round ON send (round);
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, series INTEGER, round INTEGER,
    said TEXT NOT NULL DEFAULT '');
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
"""


class Queue:
    """An open queue. Several threads and processes may have it open; a process that is killed loses no step that was finished."""

    def __init__(self, file: Path) -> None:
        """Open the queue, and make it where there is none.

        Raises:
            InputError: it is of another version of demottle, or damaged.
        """
        self.file = file
        self._lock = threading.RLock()
        try:
            self._open()
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"The queue {file} cannot be opened ({error}); restore it, or begin in another folder."
            ) from error

    def _open(self) -> None:
        _private(self.file)
        self._db = sqlite3.connect(self.file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute(f"PRAGMA cache_size = -{_PAGES_KIB}")
        with self.transaction() as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _statements(_TABLES):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_VERSION}")
            elif found != _VERSION:
                raise InputError(f"The queue {self.file} is of another version of demottle; begin in another folder.")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection; all that the block does is on the disk when it ends, or nothing of it."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error:  # a full disk; what stays open would be in the way of the next one
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """What a SELECT finds."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row that a SELECT finds."""
        with self._lock:
            found: sqlite3.Row | None = self._db.execute(statement, values).fetchone()
            return found

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _private(file: Path) -> None:
    """Make the file where there is none, for its own user alone; SQLite gives the files beside it the same mode."""
    with suppress(
        FileExistsError
    ):  # one that exists is not opened: to close it would end SQLite's locks of this process
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for one in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        with suppress(FileNotFoundError, PermissionError):  # somebody else's is for them to look after
            one.chmod(0o600)


def called(series: int, number: int) -> str:
    """What the log calls a round: its series, and the how manieth of the series it is."""
    return f"series {series}, round {number}"


def _statements(script: str) -> Iterator[str]:
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""


def note(
    db: sqlite3.Connection,
    what: str,
    *,
    who: str = "node",
    series: int | None = None,
    round: int | None = None,
    said: str = "",
) -> None:
    """Add a line to the log of events, within a transaction. No names of patients, no descriptions: they may hold names."""
    db.execute(
        "INSERT INTO event (at, who, what, series, round, said) VALUES (?, ?, ?, ?, ?, ?)",
        (time.time(), who, what, series, round, said),
    )
