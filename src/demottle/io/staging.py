"""Output that appears under its final name only when complete."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demottle.errors import OutputError
from demottle.io.workplace import aside, workplace

_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NEARLY_NOTHING = 1 << 20  # bytes


@contextmanager
def staged(final: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a path beside `final` to write a file or folder to; rename it to `final` when the block ends without error.

    On any exception, Ctrl-C included, what was written is removed and `final` is as it was before. The yielded path has
    the name of `final` (so that suffixes hold) and lies in a hidden temporary folder on the same file system. Files the
    block writes beside it (the .raw of a .mhd) are published too, before `final` itself; where that fails, both are what they
    were. What a killed process left of the same `final` is removed.

    Raises:
        OutputError: `final` exists and `overwrite` is False; the disk is full; no permission; any other system error.
    """
    if final.exists() and not overwrite:
        raise OutputError(f"{final} exists already; choose another name or allow overwriting it.")
    created: list[Path] = []
    try:
        created = _make_parents(final.parent)
        with workplace(final) as folder:
            yield folder / final.name
            _publish_all(folder, final, overwrite)
        created = []
    except OSError as error:
        raise OutputError(_sentence(error, final)) from error
    finally:
        for folder in reversed(created):  # only those this call made, and only if nothing else came to lie in them
            if not any(folder.iterdir()):
                folder.rmdir()


def _make_parents(parent: Path) -> list[Path]:
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    created = []
    for folder in reversed(missing):
        folder.mkdir()
        created.append(folder)
    return created


def _publish_all(folder: Path, final: Path, overwrite: bool) -> None:
    companions = [written for written in sorted(folder.iterdir()) if written.name != final.name]
    for written in companions:
        beside = final.with_name(written.name)
        if beside.exists() and not overwrite:
            raise OutputError(f"{beside}, which belongs to {final.name}, exists already; choose another name.")
    waiting: dict[Path, Path] = {}  # what stood in a companion's place, for as long as the whole is not there
    published = []
    try:
        for written in companions:
            beside = final.with_name(written.name)
            if beside.exists():
                waiting[beside] = beside.rename(aside(folder, beside))
            written.replace(beside)
            published.append(beside)
        _publish(folder / final.name, final, aside(folder, final))
    except BaseException:
        for beside in published:
            beside.unlink(missing_ok=True)
        for beside, earlier in waiting.items():
            earlier.replace(beside)
        raise


def _publish(complete: Path, final: Path, earlier: Path) -> None:
    """Rename `complete` to `final`; a folder cannot be replaced in one step, so the old one goes aside and back on error."""
    if not final.is_dir():
        if complete.is_dir() and final.exists():
            final.unlink()
        complete.replace(final)
        return
    final.rename(earlier)
    try:
        complete.rename(final)
    except BaseException:
        earlier.rename(final)
        raise


def _is_full(folder: Path) -> bool:
    """Look at the disk itself, for libraries that tell of a failed write without its reason."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free < _NEARLY_NOTHING


def _sentence(error: OSError, final: Path) -> str:
    if error.errno in _FULL or (error.errno is None and _is_full(final.parent)):
        return f"The disk is full: {final} was not written and nothing was left behind; free some space and try again."
    if error.errno in _PERMISSION:
        return f"No permission to write {final}; choose a folder you may write to."
    return f"{final} could not be written ({error.strerror or error}); nothing was left under that name."
