"""A folder of several results that take their names together: nothing is seen of them before all are complete."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demottle.errors import OutputError


def refuse_existing(folder: Path, belongs: re.Pattern[str]) -> None:
    """Raise OutputError if anything lies in `folder` that the data set would have to replace: before the work."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; choose the name of a folder.")
    taken = existing(folder, belongs)
    if taken:
        raise OutputError(f"{taken[0]} exists already; choose another folder or add --overwrite.")


def existing(folder: Path, belongs: re.Pattern[str]) -> list[Path]:
    """What lies in `folder` and, by its name, belongs to a data set."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if belongs.fullmatch(path.name))


@contextmanager
def published_together(folder: Path, belongs: re.Pattern[str], overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder to write to; what is in it goes to `folder` when the block ends without error.

    With `overwrite` everything in `folder` whose name matches `belongs` is replaced, so that no file of an earlier data set
    stays among the new ones; anything else stays. On any exception, Ctrl-C included, `folder` is as it was before.

    Raises:
        OutputError: something in `folder` has such a name and `overwrite` is False; the file system refuses.
    """
    if not overwrite:
        refuse_existing(folder, belongs)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    workplace: Path | None = None
    done = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(prefix=".demottle-", suffix=".partial", dir=folder))
        new, old = workplace / "new", workplace / "old"
        new.mkdir()
        old.mkdir()
        yield new
        _exchange(folder, existing(folder, belongs), new, old)
        done = True
    except OSError as error:
        raise OutputError(
            f"{folder} could not be written ({error.strerror or error}); nothing of the data set was left there."
        ) from error
    finally:
        if workplace is not None:
            shutil.rmtree(workplace, ignore_errors=True)
        for path in [] if done else made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def _exchange(folder: Path, earlier: list[Path], new: Path, old: Path) -> None:
    """Put the earlier results aside and the new ones in their place; on error, all back."""
    moved: list[tuple[Path, Path]] = []
    try:
        for source, target in [(path, old / path.name) for path in earlier] + [
            (path, folder / path.name) for path in sorted(new.iterdir())
        ]:
            source.rename(target)
            moved.append((source, target))
    except BaseException:
        for source, target in reversed(moved):
            target.rename(source)
        raise
