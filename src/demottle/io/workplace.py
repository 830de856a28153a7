"""Hidden folders to write in until a result is complete, and what a dead process left in them.

A process that is killed (SIGKILL, power) cannot clear up. Each folder is locked for as long as its process lives; the lock goes
with the process, whatever ends it. The next run of the same output finds folders that nobody holds, puts back what stood in the
result's place, and removes them. Where the file system knows no locks, nothing is removed.
"""

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there, so nothing is taken for left behind
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".partial"
_REPLACED = "replaced-"
_NAME_LENGTH = 80  # of 255: the rest is for what is added to it
_RANDOM = 8  # letters that tempfile puts in


@contextmanager
def workplace(final: Path) -> Iterator[Path]:
    """Yield a new hidden folder beside `final`; it is gone when the block ends, and so is what dead runs of `final` left.

    Raises:
        OSError: as the system says.
    """
    remove_leftovers(final)
    folder, lock = _claimed(final)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def aside(folder: Path, final: Path) -> Path:
    """The place in a workplace where what stood at `final` waits until the new result is there."""
    return folder / f"{_REPLACED}{final.name}"


def remove_leftovers(final: Path) -> None:
    """Remove what dead runs left of the result `final`; what they had put aside and not replaced goes back first."""
    for folder in sorted(final.parent.glob(glob.escape(_prefix(final)) + "?" * _RANDOM + SUFFIX)):
        try:
            lock = _lock(folder)
        except OSError:  # somebody is writing there, or it is gone
            continue
        if lock is None:
            continue  # nobody can tell
        try:
            for waiting in sorted(folder.glob(f"{_REPLACED}*")):
                place = final.with_name(waiting.name.removeprefix(_REPLACED))
                if not place.exists():
                    waiting.rename(place)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _prefix(final: Path) -> str:
    # Cut by bytes, which is what file systems count, and never within a character; the hash keeps long names apart.
    name = os.fsencode(final.name)
    if len(name) > _NAME_LENGTH:
        name = name[: _NAME_LENGTH - 9] + b"-" + hashlib.sha256(name).hexdigest()[:8].encode()
    return f".{name.decode(errors='ignore')}."


def _claimed(final: Path) -> tuple[Path, int | None]:
    """Make a folder and lock it; None where the file system knows no locks."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_prefix(final), suffix=SUFFIX, dir=final.parent))
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # another run took it for left behind before it was locked, and removes it
        if lock is None or (folder.exists() and os.path.samestat(os.fstat(lock), folder.stat())):
            return folder, lock
        os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return a descriptor that holds the folder's lock, or None where it cannot be locked.

    Raises:
        BlockingIOError: another process holds it.
        FileNotFoundError: it is gone.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor
