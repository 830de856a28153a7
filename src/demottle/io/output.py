"""The one place where results get their names: refused before the work, written aside, and published when all is complete.

`staged` is for one result, `publishing` for several that belong together (scan, page, record and model appear together or not at
all), `publishing_in` for a folder of results. What a killed process left half done, the next run of any of its results undoes.
No result takes the place of an input, nor lies among its files: `refuse_inputs` says so for every verb, before the work.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demottle.errors import OutputError
from demottle.io.exchange import Move, exchange
from demottle.io.workplace import aside, held, is_ours, workplace

_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NEARLY_NOTHING = 1 << 20  # bytes
_OPEN: dict[Path, Path] = {}
"""Workplaces that are being written in, and the folder where the results will lie: nothing in them is published yet."""


def exists_already(path: Path, never: str = "") -> OutputError:
    """Return what to say of a name that is taken.

    Args:
        path: the name.
        never: what such results are called if they are never overwritten, such as "studies".
    """
    if never:
        return OutputError(f"{path} exists already, and {never} are never overwritten; choose another name.")
    return OutputError(f"{path} exists already; choose another name or add --overwrite (in Python: overwrite=True).")


def refuse_existing(paths: Iterable[Path | None], never: str = "") -> None:
    """Raise OutputError where a name is taken, None standing for nothing wanted: it may be a result that took hours."""
    for path in paths:
        if path is not None and path.exists():
            raise exists_already(path, never)


def refuse_inputs(results: Iterable[Path | None], inputs: Iterable[Path | None], *, added: bool = False) -> None:
    """Raise OutputError where a result would take the place of an input, lie in its folder, or hold it.

    Args:
        results: names that are to be written; None: not wanted.
        inputs: files and folders that are read; None: not given.
        added: the results are folders that files are added to, which may hold an input.
    """
    read = [path.resolve() for path in inputs if path is not None and path.exists()]
    for result in results:
        if result is None:
            continue
        place = result.resolve()
        for used in read:
            if place == used:
                raise OutputError(f"{result} is an input, which is never changed; choose another name.")
            if used in place.parents:
                raise OutputError(f"{result} lies inside the input folder {used}; choose a place outside of it.")
            if place in used.parents and not added:
                raise OutputError(f"{result} holds the input {used}, which would be lost; choose another name.")


def refuse_same_name(results: Iterable[Path | None]) -> None:
    """Raise OutputError where two results would have the same name, None standing for nothing wanted."""
    seen = set()
    for result in results:
        if result is None:
            continue
        if result.resolve() in seen:
            raise OutputError(f"Two results would be called {result}; choose another name for one of them.")
        seen.add(result.resolve())


def refuse_taken(folder: Path, belongs: re.Pattern[str]) -> None:
    """Raise OutputError if anything lies in `folder` that results with such names would have to replace: before the work."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; choose the name of a folder.")
    refuse_existing(_belonging(folder, belongs)[:1])


def refuse_unwritable(folder: Path) -> None:
    """Raise OutputError where nothing can be written to a folder, or to the one it would be made in; nothing stays there."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{there} is a file, but a folder is needed there; choose another name.")
    try:  # tried: permissions alone do not tell of every disk
        Path(tempfile.mkdtemp(prefix=".demottle-", dir=there)).rmdir()
    except OSError as error:
        # the system may say of a folder that is there that it is not
        reason = "" if error.errno == errno.ENOENT else f" ({error.strerror})"
        raise OutputError(
            f"Nothing can be written to the folder {there}{reason}; choose one that you may write to."
        ) from error


@contextmanager
def staged(final: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a path beside `final` to write a file or folder to; it becomes `final` when the block ends without error.

    On any exception, Ctrl-C included, what was written is removed and `final` is as it was before. The yielded path has
    the name of `final` (so that suffixes hold) and lies in a hidden temporary folder on the same file system. Files the
    block writes beside it (the .raw of a .mhd) are published too, together with `final`. Where `final` is itself such a path,
    it is yielded as it is: whoever made the path publishes it.

    Raises:
        OutputError: `final` exists and `overwrite` is False; the disk is full; no permission; any other system error.
    """
    named = _named_later(final)
    if named is not None:
        if final.exists() and not overwrite:
            raise exists_already(named)
        with in_a_sentence(named, final):
            final.parent.mkdir(parents=True, exist_ok=True)
            yield final
        return
    with in_a_sentence(final, final), publishing([final], overwrite=overwrite) as places:
        yield places[final]


@contextmanager
def publishing(
    finals: Iterable[Path | None], *, overwrite: bool = False, grown: Path | None = None
) -> Iterator[Mapping[Path, Path]]:
    """Yield for each name a path to write to; all of them take their names together when the block ends without error.

    On any exception nothing new is there, and what stood there before is. A process that is killed while the names change leaves
    a note of it, and the next run of any of these results puts back what was there.

    Args:
        finals: the names; None: not wanted.
        overwrite: replace what is there.
        grown: one more name, of a file that every run adds to: replaced in any case. Runs that add to it at once wait for each
            other; whoever reads it in the block reads what the last one left.

    Raises:
        OutputError: one of the names is taken and `overwrite` is False, or is there twice; the system refuses to write one.
    """
    wanted = [final for final in (*finals, grown) if final is not None]
    refuse_same_name(wanted)
    if not overwrite:
        refuse_existing(final for final in wanted if final != grown)
    made: list[Path] = []
    done = False
    folders: dict[Path, Path] = {}
    try:
        with ExitStack() as stack:
            for final in wanted:
                with in_a_sentence(final, final):
                    made += _made(final.absolute().parent)
                    if final == grown:
                        stack.enter_context(held(final.absolute().parent))
                    folders[final] = stack.enter_context(workplace(final))
                _OPEN[folders[final]] = final.parent
            yield {final: folder / final.name for final, folder in folders.items()}
            moves = [move for final, folder in folders.items() for move in _moves(folder, final)]
            if not overwrite:
                refuse_existing(move.final for move in moves if move.final != grown)
            exchange(moves, list(folders.values()))
            done = True
    except OSError as error:
        blamed = next((final for final, folder in folders.items() if _is_about(error, final, folder)), None)
        if blamed is None:  # something else that was done in the block
            raise
        raise OutputError(_sentence(error, blamed)) from error
    finally:
        for folder in folders.values():
            _OPEN.pop(folder, None)
        _remove_empty([] if done else made)


@contextmanager
def publishing_in(folder: Path, belongs: re.Pattern[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder to write to; what is in it goes to `folder` when the block ends without error.

    With `overwrite` everything in `folder` whose name matches `belongs` is replaced, so that no file of earlier results
    stays among the new ones; anything else stays. On any exception, Ctrl-C included, `folder` is as it was before.

    Raises:
        OutputError: something in `folder` has such a name and `overwrite` is False; the file system refuses.
    """
    if not overwrite:
        refuse_taken(folder, belongs)
    made: list[Path] = []
    done = False
    try:
        with in_a_sentence(folder, folder):
            made += _made(folder.absolute())
            with workplace(folder / "results") as place:
                new = place / "new"
                new.mkdir()
                yield new
                written = {path.name: path for path in sorted(new.iterdir())}
                names = dict.fromkeys([*(path.name for path in _belonging(folder, belongs)), *written])
                exchange(
                    [Move(folder / name, aside(place, folder / name), written.get(name)) for name in names], [place]
                )
                done = True
    finally:
        _remove_empty([] if done else made)


@contextmanager
def in_a_sentence(final: Path, place: Path) -> Iterator[Path]:
    """Yield `place`, and say of what the system refuses in the block that it was the writing of `final`.

    Raises:
        OutputError: in place of an OSError.
    """
    try:
        yield place
    except OSError as error:
        raise OutputError(_sentence(error, final)) from error


def _named_later(path: Path) -> Path | None:
    """What a path in a workplace will be called; None for any other path."""
    for folder, published in _OPEN.items():
        if path.is_relative_to(folder):
            return published / path.relative_to(folder)
    return None


def _is_about(error: OSError, final: Path, folder: Path) -> bool:
    """True where the system speaks of a result: of its name, or of what is written in its workplace."""
    names = [Path(os.fsdecode(name)) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    if not names:
        return error.errno in _FULL
    return any(name == final or name.is_relative_to(folder) for name in names)


def _moves(folder: Path, final: Path) -> list[Move]:
    """What was written in a workplace, the result itself last."""
    beside = [path for path in sorted(folder.iterdir()) if path.name != final.name and not is_ours(path)]
    complete = folder / final.name
    if not complete.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(final))
    if complete.is_file() and final.is_dir():  # whatever lies in it would be lost
        raise OutputError(f"{final} is a folder, and a file is to be written there; choose another name.")
    return [
        Move(final.with_name(new.name), aside(folder, final.with_name(new.name)), new) for new in (*beside, complete)
    ]


def _belonging(folder: Path, belongs: re.Pattern[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if belongs.fullmatch(path.name))


def _made(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the new ones, the outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return list(reversed(missing))


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders that were made, if nothing else came to lie in them."""
    for folder in reversed(list(folders)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _is_full(folder: Path) -> bool:
    """Look at the disk itself, for libraries that tell of a failed write without its reason."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free < _NEARLY_NOTHING


def _sentence(error: OSError, final: Path) -> str:
    if error.errno in _FULL or (error.errno is None and _is_full(final.parent)):
        reason = f" ({error.strerror})" if error.strerror else ""
        return f"The disk is full{reason}: {final} was not written and nothing was left behind; free some space and try again."
    if error.errno in _PERMISSION:
        return f"No permission to write {final}; choose a folder you may write to."
    return f"{final} could not be written ({error.strerror or error}); nothing was left under that name."
