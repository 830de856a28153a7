"""The state of an index, in SQLite: what was read, and what has still to be done; it outlives whatever ends the program."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from demottle.archive.index.headers import Read
from demottle.archive.index.units import CONFLICT
from demottle.archive.index.walking import Entry
from demottle.errors import InputError, OutputError

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, sop TEXT DEFAULT '', uid TEXT DEFAULT '', wrong TEXT DEFAULT '',
    doubt TEXT DEFAULT '', series TEXT DEFAULT '', place INTEGER, header BLOB, seen INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_uid ON files (uid);
CREATE INDEX IF NOT EXISTS by_series ON files (series);
CREATE TABLE IF NOT EXISTS series (key TEXT PRIMARY KEY, uid TEXT, alike TEXT, told TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS series_by_uid ON series (uid);
CREATE INDEX IF NOT EXISTS series_by_alike ON series (alike);
CREATE TABLE IF NOT EXISTS changed (uid TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
"""
_FETCHED = 1000


class State:
    """The state of one index. Whatever is called has happened for good once `commit` returned."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it.

        Raises:
            InputError: it is broken.
        """
        try:
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.executescript(_TABLES)
            self._base.execute("BEGIN")
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} cannot be used ({error}); remove it, and everything is read again.") from error

    def close(self) -> None:
        """Keep everything and let go of the file."""
        self._base.execute("COMMIT")
        self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._base.close()

    def commit(self) -> None:
        """Make what was done last."""
        self._base.execute("COMMIT")
        self._base.execute("BEGIN")

    def begin_walk(self) -> int:
        """Return the number of a new walk."""
        self._base.execute("INSERT INTO counters VALUES ('walk', 1) ON CONFLICT DO UPDATE SET value = value + 1")
        return int(self._base.execute("SELECT value FROM counters WHERE name = 'walk'").fetchone()[0])

    def new_among(self, entries: Sequence[Entry], walk: int) -> list[Entry]:
        """Note that files were seen, and return those that are not known as they are."""
        new = []
        for one in entries:
            if one.wrong:
                self._unreadable(one, walk)
                continue
            known = self._base.execute("SELECT size, mtime FROM files WHERE path = ?", (one.path,)).fetchone()
            if known == (one.size, one.mtime_ns):
                self._base.execute("UPDATE files SET seen = ? WHERE path = ?", (walk, one.path))
            else:
                new.append(one)
        return new

    def _unreadable(self, one: Entry, walk: int) -> None:
        self._touch(one.path)
        self._base.execute(
            "INSERT OR REPLACE INTO files (path, size, mtime, wrong, seen) VALUES (?, ?, ?, ?, ?)",
            (one.path, one.size, one.mtime_ns, one.wrong, walk),
        )

    def take(self, entry: Entry, read: Read, walk: int) -> None:
        """Keep what was read of a file; its series, and the one that it belonged to before, have to be looked at again."""
        self._touch(entry.path)
        self._base.execute(
            "INSERT OR REPLACE INTO files (path, size, mtime, sop, uid, wrong, header, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.path,
                entry.size,
                entry.mtime_ns,
                read.sop_uid,
                read.series_uid,
                read.wrong,
                read.header or None,
                walk,
            ),
        )
        self._touch(entry.path)

    def _touch(self, path: str) -> None:
        """Note that the series of a file has to be made again; one that has a UID for each place, as a whole."""
        found = self._base.execute("SELECT uid, series FROM files WHERE path = ?", (path,)).fetchone()
        if found and found[0]:
            self._base.execute("INSERT OR IGNORE INTO changed VALUES (?)", found[:1])
            self._base.execute(
                "INSERT OR IGNORE INTO changed SELECT DISTINCT uid FROM files WHERE series = "
                "(SELECT key FROM series WHERE key = ? AND json_extract(told, '$.scattered') > 0)",
                found[1:],
            )

    def forget_unseen(self, walk: int) -> int:
        """Forget files that are gone; return how many."""
        for (path,) in self._base.execute("SELECT path FROM files WHERE seen != ?", (walk,)).fetchall():
            self._touch(path)
        return self._base.execute("DELETE FROM files WHERE seen != ?", (walk,)).rowcount

    def changed(self) -> list[str]:
        """SeriesInstanceUIDs whose series have to be made again."""
        return [uid for (uid,) in self._base.execute("SELECT uid FROM changed ORDER BY uid")]

    def files_of(self, uids: Sequence[str]) -> list[tuple[str, int, int, str, str, bytes | None]]:
        """Path, size, time, SOP Instance UID, what is wrong with it and packed header of the files of some series, by path."""
        marks = ", ".join("?" * len(uids))
        return self._base.execute(
            f"SELECT path, size, mtime, sop, wrong, header FROM files WHERE uid IN ({marks}) ORDER BY path", tuple(uids)
        ).fetchall()

    def put_series(
        self,
        uids: Sequence[str],
        series: Iterable[tuple[str, str, Mapping[str, Any]]],
        files: Iterable[tuple[str, str, int | None, str]],
    ) -> None:
        """Replace the series of some SeriesInstanceUIDs; the headers of their files are not needed any longer.

        Args:
            uids: all of whose files were looked at.
            series: key, what it shares with others of which it may be a part, and row of each.
            files: path, key of its series, place in it and what is wrong with it in company of others.
        """
        for uid in uids:
            self._base.execute("DELETE FROM series WHERE uid = ?", (uid,))
            self._base.execute("DELETE FROM changed WHERE uid = ?", (uid,))
            self._base.execute(
                "UPDATE files SET series = '', place = NULL, doubt = '', header = NULL WHERE uid = ?", (uid,)
            )
        self._base.executemany(
            "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)",
            [(key, row["series_uid"], alike, json.dumps(row)) for key, alike, row in series],
        )
        self._base.executemany(
            "UPDATE files SET series = ?, place = ?, doubt = ? WHERE path = ?",
            [(key, place, doubt, path) for path, key, place, doubt in files],
        )

    def alike(self, fewest: int) -> list[tuple[str, list[str]]]:
        """What more than `fewest` series share that may be parts of one, with the SeriesInstanceUIDs of their files."""
        rows = self._base.execute(
            "SELECT alike FROM series WHERE alike != '' GROUP BY alike "
            "HAVING COUNT(*) > ? OR (COUNT(*) > 1 AND MAX(json_extract(told, '$.scattered')) > 0)",
            (fewest,),
        ).fetchall()
        query = "SELECT DISTINCT f.uid FROM files f JOIN series s ON f.series = s.key WHERE s.alike = ? ORDER BY f.uid"
        return [(alike, [uid for (uid,) in self._base.execute(query, (alike,))]) for (alike,) in rows]

    def counts(self) -> dict[str, int]:
        """Files, series, bytes; files and series with something wrong."""
        one = self._base.execute(
            "SELECT COUNT(*), TOTAL(size), COUNT(NULLIF(wrong || doubt, '')) FROM files"
        ).fetchone()
        series = self._base.execute(
            "SELECT COUNT(*), COUNT(NULLIF(json_extract(told, '$.wrong'), '')) FROM series"
        ).fetchone()
        return dict(
            zip(("files", "bytes", "files_wrong", "series", "series_wrong"), map(int, (*one, *series)), strict=True)
        )

    def reasons(self) -> list[tuple[str, int, str]]:
        """What is wrong with files: reason, how many, and the path of one of them; most first."""
        return self._base.execute(
            "SELECT CASE WHEN doubt LIKE ? THEN 'A copy of another file.' WHEN doubt LIKE ? THEN ? ELSE wrong || doubt END "
            "AS why, COUNT(*), MIN(path) FROM files WHERE why != '' GROUP BY why ORDER BY 2 DESC, 1",
            ("A copy of %", f"%{CONFLICT}", f"Another file{CONFLICT}"),
        ).fetchall()

    def kinds(self) -> list[tuple[str, str, int, int, int]]:
        """Series by modality, manufacturer and model: how many, their slices and bytes; most first."""
        names = ("modality", "manufacturer", "model", "slices", "bytes")
        modality, manufacturer, model, slices, size = (f"json_extract(told, '$.{name}')" for name in names)
        return self._base.execute(
            f"SELECT {modality}, TRIM({manufacturer} || ' ' || {model}), COUNT(*), "
            f"CAST(TOTAL({slices}) AS INTEGER), CAST(TOTAL({size}) AS INTEGER) "
            "FROM series GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        ).fetchall()

    def file_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `layout.FILES`, by path."""
        names = ("path", "size", "mtime_ns", "sop_uid", "series", "place", "wrong")
        query = "SELECT path, size, mtime, sop, series, place, wrong || doubt FROM files ORDER BY path"
        yield from (dict(zip(names, row, strict=True)) for row in self._rows(query))

    def series_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `layout.SERIES`, by folder."""
        for (told,) in self._rows("SELECT told FROM series ORDER BY json_extract(told, '$.folder'), key"):
            yield json.loads(told)

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        found = self._base.execute(query)
        while some := found.fetchmany(_FETCHED):
            yield from some


@contextmanager
def opened(path: Path) -> Iterator[State]:
    """Open the state for a block, and keep what was done whatever ends the block.

    Raises:
        OutputError: the disk is full.
    """
    state = State(path)
    try:
        yield state
    except sqlite3.OperationalError as error:
        raise OutputError(f"{path} cannot be written ({error}); make room. What was read is kept.") from error
    finally:
        with suppress(sqlite3.Error):  # said above
            state.close()
