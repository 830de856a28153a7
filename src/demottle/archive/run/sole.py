"""Who works: one program on a run, one task on a series, also where a task has outlived the program that began it."""

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
def sole_program(folder: Path) -> Iterator[None]:
    """Hold the run; the lock goes with the process, whatever ends it.

    Raises:
        OutputError: another program works at it.
    """
    with _opened(folder / "program.lock") as file:
        if fcntl is not None:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise OutputError(
                    f"Another program is at work on the run {folder.name}; let it end, or begin a run of another name (--name)."
                ) from error
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
