"""Index an archive: what is new is read, series that changed are made again, and the tables appear together."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from demottle.archive.columns import refuse_missing_package, write_table
from demottle.archive.index.headers import Read, read_file
from demottle.archive.index.processes import shared_out, usual_processes
from demottle.archive.index.series import Asked, failed_series, make_series
from demottle.archive.index.state import State, opened
from demottle.archive.index.walking import Entry, Walk
from demottle.archive.layout import FILES, SERIES, Archive, Told
from demottle.archive.sole import sole_indexer
from demottle.errors import InputError, OutputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.io.output import publishing, refuse_inputs, refuse_unwritable

_LOOKED_UP = 2000  # files at a time
_BATCH = 32  # files that a process reads between two words
_SERIES = 4  # series that a process makes between two words
_FEW = 300
"""Files that one process reads before others are worth starting."""
_PART = 500_000  # rows in a file
_PLACES = 3
"""Series of one place each, of which more than this many may be one scan (`demottle.io.dicom.series`)."""
T = TypeVar("T")


@dataclass(frozen=True)
class Indexed:
    """What an index found.

    Attributes:
        files, bytes, series: in the archive.
        files_wrong, series_wrong: of them with something wrong.
        read, gone: files that were new or changed, and that are there no longer.
        hidden: files and folders that were left out for their name.
        reasons: what is wrong with files: reason, how many, one of them; most first.
        kinds: modality, scanner, how many series, their slices and bytes; most first.
    """

    files: int
    bytes: int
    series: int
    files_wrong: int
    series_wrong: int
    read: int
    gone: int
    hidden: int
    reasons: tuple[tuple[str, int, str], ...]
    kinds: tuple[tuple[str, str, int, int, int], ...]


def index(
    root: Path, folder: Path, *, names: bool = False, readers: int | None = None, listener: Listener = silent
) -> Indexed:
    """Index every DICOM file below a folder, or bring an index up to date.

    Args:
        root: the archive; nothing in it is changed.
        folder: of the data set (`demottle.archive.layout`); made where it is not there.
        names: keep patients' IDs and names.
        readers: processes that read; None: as many as there are cores.
        listener: told of progress; may raise, which keeps what was read.

    Raises:
        InputError: there is no such root, nothing lies in it, or the data set is of another one.
        OutputError: the data set cannot be written.
        DemottleError: pyarrow is missing.
    """
    refuse_missing_package()
    archive = _prepared(root, folder, names)
    try:
        return _indexed(archive, root, names, readers, listener)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Stopped. What was read is kept; the same command goes on.") from None


def _indexed(archive: Archive, root: Path, names: bool, readers: int | None, listener: Listener) -> Indexed:
    walk = Walk(root)
    with sole_indexer(archive.folder), opened(archive.state) as state:
        number = state.begin_walk()
        read = _read_new(walk, state, number, partial(_read, str(root), names), readers, listener)
        gone = state.forget_unseen(number)
        state.commit()
        _make_all(state, root, names, readers, listener)
        _publish(archive, state)
        told = state.counts()
        return Indexed(
            files=told["files"],
            bytes=told["bytes"],
            series=told["series"],
            files_wrong=told["files_wrong"],
            series_wrong=told["series_wrong"],
            read=read,
            gone=gone,
            hidden=walk.hidden,
            reasons=tuple(state.reasons()),
            kinds=tuple(state.kinds()),
        )


def _prepared(root: Path, folder: Path, names: bool) -> Archive:
    """Refuse what cannot be, before anything is read; else make the folder."""
    if not root.is_dir():
        said = "is not a folder" if root.exists() else "does not exist"
        raise InputError(f"The archive {root} {said}; name the folder that holds it.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise InputError(f"No permission to look into {root}.")
    if not next(iter(Walk(root)), None):
        raise InputError(f"There is nothing in {root}; is it the right folder, and is its disk there?")
    refuse_inputs((folder,), (root,), added=True)
    archive, wanted = Archive(folder), Told(str(root.resolve()), names)
    if archive.told_file.exists():
        told = archive.told()
        if told.root != wanted.root:
            raise InputError(f"{folder} is the data set of {told.root}; give {root} another one.")
        if told.names != names:
            kept = "with" if told.names else "without"
            raise InputError(f"{folder} was made {kept} the names of patients; index into a new folder to change that.")
        return archive
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} holds something else than the data set of an archive; name a new folder.")
    refuse_unwritable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    archive.tell(wanted)
    return archive


def _read(root: str, names: bool, entries: list[Entry]) -> list[Read]:
    return [read_file(Path(root), one.path, names) for one in entries]


def _read_new(
    walk: Walk, state: State, number: int, work: "partial[list[Read]]", readers: int | None, listener: Listener
) -> int:
    """Read the files that are not known as they are; return how many."""
    listener(Progress(Stage.INDEX, 0, 1, "counting files"))
    total, seen, done = Walk(walk.root).count(), [0], 0

    def new() -> Iterator[Entry]:
        for some in _groups(walk, _LOOKED_UP):
            seen[0] += len(some)
            yield from state.new_among(some, number)
            listener(Progress(Stage.INDEX, min(seen[0], total), total, f"{done} read"))

    source = new()
    first = list(islice(source, _FEW))
    processes = (readers or usual_processes()) if len(first) == _FEW else 1
    for entries in (first, source):
        several = 1 if entries is first else processes
        for task, results in shared_out(work, _groups(entries, _BATCH), several, _lost):
            for entry, found in zip(task, results, strict=True):
                state.take(entry, found, number)
            done += len(task)
            state.commit()
            listener(Progress(Stage.INDEX, min(seen[0], total), total, f"{done} read"))
    return done


def _lost(entry: Entry) -> Read:
    return Read(entry.path, wrong="Reading the header ended the program that did it; remove the file, or report it.")


def _groups(source: Iterable[T], size: int) -> Iterator[list[T]]:
    items = iter(source)
    while some := list(islice(items, size)):
        yield some


def _make_all(state: State, root: Path, names: bool, readers: int | None, listener: Listener) -> None:
    """Make the series whose files changed, and then those that have a SeriesInstanceUID for each place."""
    changed = state.changed()
    tasks = (Asked(str(root), [uid], state.files_of([uid]), names) for uid in changed)
    _make(state, tasks, len(changed), readers, listener)
    fresh = set(changed)
    for alike, uids in state.alike(_PLACES):
        if fresh & set(uids):
            _make(state, iter([Asked(str(root), uids, state.files_of(uids), names, alike)]), 1, 1, listener)


def _make(state: State, tasks: Iterator[Asked], total: int, readers: int | None, listener: Listener) -> None:
    processes = (readers or usual_processes()) if total > _SERIES * 4 else 1
    done = 0
    listener(Progress(Stage.GROUP, 0, max(1, total)))
    for task, results in shared_out(make_series, _groups(tasks, _SERIES), processes, failed_series):
        for asked, made in zip(task, results, strict=True):
            state.put_series(asked.uids, made.series, made.files)
        state.commit()
        done += len(task)
        listener(Progress(Stage.GROUP, done, max(1, total)))


def _publish(archive: Archive, state: State) -> None:
    """Write the tables; both appear together."""
    with publishing([archive.files, archive.series], overwrite=True) as at:
        rows = state.file_rows()
        for number, some in enumerate(_parts(rows)):
            write_table(at[archive.files] / f"part-{number:05d}.parquet", FILES, some)
        write_table(at[archive.series], SERIES, state.series_rows())


def _parts(rows: Iterator[T]) -> Iterator[Iterator[T]]:
    """Rows in parts, one after the other, never all in memory."""
    for first in rows:
        yield _led(first, islice(rows, _PART - 1))


def _led(first: T, others: Iterator[T]) -> Iterator[T]:
    yield first
    yield from others
