"""The node's folder: where objects and results lie, and how they get there so that they survive a power cut.

queue.sqlite                the queue
incoming/                   objects that are coming; whatever lies here at the start of the node is removed
objects/SERIES/NAME.dcm     objects as they came; the names are hashes, since UIDs come from outside
work/ROUND/                 what the worker is at
results/ROUND/              images/, map/, page/, report/, capture/, refusal/, report.html, run.json
users.json                  who may log in, passwords as scrypt hashes
audit.jsonl                 who did what, when, from where; only added to
models/                     networks that the next series of a protocol uses
"""

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demottle.errors import InputError, OutputError

QUEUE = "queue.sqlite"
_MIB = 1 << 20


def prepare(folder: Path) -> None:
    """Make the folders of a node, readable for its own user alone.

    Raises:
        InputError: they cannot be made, or nothing can be written there.
    """
    try:
        for name in ("", "incoming", "objects", "work", "results", "models"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder / name, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        said = f"'folder' in [node] is {folder}, where this user cannot write ({error.strerror})"
        raise InputError(f"{said}; let it write there, or name another folder.") from error


@contextmanager
def alone(folder: Path, what: str, wait: bool = False) -> Iterator[None]:
    """Hold a lock in the folder, which goes with the process whatever ends it.

    Raises:
        OutputError: another process holds it, unless `wait` is True.
    """
    descriptor = os.open(folder / f"{what}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise OutputError(
                f"Another node works in {folder}; stop it first, or give this one another folder."
            ) from None
        yield
    finally:
        os.close(descriptor)


def object_name(series: str, uid: str, digest: str) -> str:
    """Where an object goes, below the node's folder. No name is used twice: what is purged is never what has just come."""
    return f"objects/{_hash(series)}/{_hash(uid)}-{digest[:8]}-{secrets.token_hex(6)}.dcm"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def settle(temporary: Path, final: Path) -> None:
    """Move a file that is complete to its final name; file and name are on the disk when this returns.

    Raises:
        OSError: as the system says, for a full disk too.
    """
    sync_file(temporary)
    if not final.parent.exists():
        final.parent.mkdir(mode=0o700, exist_ok=True)
        sync_folder(final.parent.parent)
    temporary.rename(final)
    sync_folder(final.parent)


def sync_file(path: Path) -> None:
    """Have what was written to a file on the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Have everything below a folder on the disk."""
    for path in sorted(folder.rglob("*"), reverse=True):
        (sync_folder if path.is_dir() else sync_file)(path)
    sync_folder(folder)


def has_room(folder: Path, reserve: float) -> bool:
    """True where more than `reserve` MiB are free."""
    return _free(folder) > reserve


def room(folder: Path, reserve: float) -> str:
    """What is free beside what has to stay free, in words."""
    return f"{_free(folder):.0f} MiB are free and {reserve:.0f} have to stay free (reserve)"


def _free(folder: Path) -> float:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize / _MIB


def clear(folder: Path) -> None:
    """Empty a folder of things that are of no use after a restart."""
    for path in folder.iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
