"""Everything that lies below a folder, one after the other, in the same order each time; nothing stops it."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from demottle.io.dicom.files import is_hidden


@dataclass(frozen=True)
class Entry:
    """One file, or a folder that is not looked into.

    Attributes:
        path: from the root, with / between folders.
        size: bytes.
        mtime_ns: when it was changed last.
        wrong: why it cannot be read; empty for a file.
    """

    path: str
    size: int
    mtime_ns: int
    wrong: str = ""


class Walk:
    """A walk below a root.

    Links to files are followed. Links to folders are followed where they lead out of the root, once each; what they lead to
    within it is found there.

    Attributes:
        root: where it begins.
        hidden: files and folders that were left out for their name, so far.
    """

    def __init__(self, root: Path) -> None:
        """Begin at a folder."""
        self.hidden = 0
        self.root = root
        self._real = [root.resolve()]  # what is walked through, without links

    def __iter__(self) -> Iterator[Entry]:
        for found, path in self._found():
            yield found if isinstance(found, Entry) else _entry(found, path)

    def count(self) -> int:
        """How many entries there are; looks at names alone, which is fast."""
        return sum(1 for _ in self._found())

    def _found(self) -> Iterator[tuple["Entry | os.DirEntry[str]", str]]:
        """Files as the system lists them, and folders that are not looked into; each with its path."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            below = []
            try:
                with os.scandir(self.root / folder) as found:
                    entries = sorted(found, key=lambda one: one.name)
            except OSError as error:
                yield Entry(_shown(folder or "."), 0, 0, f"The folder cannot be read ({error.strerror})."), folder
                continue
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if is_hidden(entry.name):
                    self.hidden += 1
                elif _is_folder(entry):
                    refused = self._refused(path) if entry.is_symlink() else ""
                    if refused:
                        yield Entry(_shown(path), 0, 0, refused), path
                    else:
                        below.append(path)
                else:
                    yield entry, path
            waiting += reversed(below)

    def _refused(self, path: str) -> str:
        """Why a link to a folder is not followed; empty where it is."""
        try:
            real = (self.root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return "The link leads in a circle."
        for walked in self._real:
            if real in (walked, *walked.parents):
                return f"The link leads back to {'the folder itself' if real == walked else 'a folder above it'}: a circle."
            if walked in real.parents:
                return "The link leads to a folder that is looked through anyway."
        self._real.append(real)
        return ""


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _entry(entry: "os.DirEntry[str]", path: str) -> Entry:
    shown = _shown(path)
    try:
        found = entry.stat()
    except OSError as error:
        nowhere = "in a circle; remove it." if error.errno == errno.ELOOP else "nowhere; fetch or remove the file."
        why = f"The link leads {nowhere}" if entry.is_symlink() else f"{error.strerror}."
        return Entry(shown, 0, 0, why)
    if shown != path:
        return Entry(shown, found.st_size, found.st_mtime_ns, "The name is not valid UTF-8; rename the file.")
    if not S_ISREG(found.st_mode):  # a pipe or a device never ends
        return Entry(shown, 0, 0, "It is neither a file nor a folder.")
    return Entry(shown, found.st_size, found.st_mtime_ns)


def _shown(path: str) -> str:
    """A path as text that can be kept: bytes that stand for nothing are written out."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
