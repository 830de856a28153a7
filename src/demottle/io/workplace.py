"""Hidden folders to write in until a result is complete, and what a dead process left in them.

A process that is killed (SIGKILL, power) cannot clear up. Each folder is locked for as long as its process lives; the lock goes
with the process, whatever ends it. The next run of the same output finds folders that nobody holds, puts back what stood in the
place of the result and of those that were published together with it, and removes them. Where the file system knows no locks,
nothing is removed.
"""

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demottle.io.exchange import JOURNAL, PUBLISHED, journal_in, undo

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

    Only where an earlier result could not be brought back from it, it stays, for the next run.

    Raises:
        OSError: as the system says.
    """
    remove_leftovers(final)
    folder, lock = _claimed(final)
    failed = True
    try:
        yield folder
        failed = False
    finally:
        if not (failed and any(folder.glob(f"{_REPLACED}*"))):
            shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def aside(folder: Path, final: Path) -> Path:
    """The place in a workplace where what stood at `final` waits until the new result is there."""
    return folder / f"{_REPLACED}{final.name}"


def is_ours(path: Path) -> bool:
    """True for what a workplace holds beside results: notes, and what waits."""
    return path.name in (JOURNAL, PUBLISHED) or path.name.startswith(_REPLACED)


def remove_leftovers(final: Path) -> None:
    """Remove what dead runs left of the result `final`; what they had put aside goes back first, unless they were done.

    Results that were to be published together with it are brought back too.
    """
    for folder in sorted(final.parent.glob(glob.escape(_prefix(final)) + "?" * _RANDOM + SUFFIX)):
        folders, moves = journal_in(folder)
        with ExitStack() as locks:
            if not _all_dead([folder, *(one for one in folders if one != folder)], locks):
                continue
            undo(moves)
            if not folders:  # what versions before the journal had put aside
                _bring_back(folder, final)
            for one in reversed(folders or [folder]):  # the one that says whether all was done goes last
                shutil.rmtree(one, ignore_errors=True)


def _all_dead(folders: Iterable[Path], locks: ExitStack) -> bool:
    """Lock the workplaces that are still there; False where somebody is writing in one, or nobody can tell."""
    for folder in folders:
        try:
            lock = _lock(folder)
        except FileNotFoundError:
            continue
        except OSError:
            return False
        if lock is None:
            return False
        locks.callback(os.close, lock)
    return True


def _bring_back(folder: Path, final: Path) -> None:
    for waiting in sorted(folder.glob(f"{_REPLACED}*")):
        place = final.with_name(waiting.name.removeprefix(_REPLACED))
        if not place.exists():
            waiting.rename(place)


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


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, waiting for who holds it; nothing where the system knows no locks.

    Raises:
        OSError: as the system says.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
