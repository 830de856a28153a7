"""Who works: one program on an index or a run, one task on a series, also where a task has outlived who began it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demottle.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there
    fcntl = None  # type: ignore[assignment]


@contextmanager
def sole_indexer(folder: Path) -> Iterator[None]:
    """Hold the data set; the lock goes with the process, whatever ends it.

    Raises:
        OutputError: another program indexes into it.
    """
    with _sole(folder / "index.lock", f"Another program indexes into {folder} at this moment; let it end."):
        yield


@contextmanager
def sole_program(folder: Path) -> Iterator[None]:
    """Hold the run, likewise.

    Raises:
        OutputError: another program works at it.
    """
    taken = f"Another program is at work on the run {folder.name}; let it end, or begin a run of another name (--name)."
    with _sole(folder / "program.lock", taken):
        yield


@contextmanager
def _sole(path: Path, taken: str) -> Iterator[None]:
    """Hold a file; `taken`: what to say where another program does."""
    with _opened(path) as file:
        if fcntl is not None:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise OutputError(taken) from error
        yield


@contextmanager
def sole_task(folder: Path, number: int) -> Iterator[None]:
    """Hold a series of the run, once who holds it has ended.

    Each has a byte of one file, as a hundred thousand files would be a burden; locks of bytes work over NFS, too.
    """
    with _opened(folder / "series.lock") as file:
        if fcntl is not None:
            fcntl.lockf(file, fcntl.LOCK_EX, 1, number)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield file
    finally:
        os.close(file)
