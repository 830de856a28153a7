"""Names for libraries that take text only: a file whose name is not UTF-8 is reached by a link that is.

Some abort the whole process when given the bytes of such a name.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WRITTEN = "written"
_NOT_A_LINE = str.maketrans("", "", "\n\r")


@contextmanager
def readable_name(path: Path) -> Iterator[Path]:
    """Yield a name that is text for a file that is there, and for the data file that its header names."""
    if _is_plain(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"read{path.suffix}")
        link.symlink_to(path.absolute())
        if path.suffix.lower() in (".mhd", ".nhdr"):
            header = path.read_bytes()
            for beside in path.absolute().parent.iterdir():
                if beside.name != path.name and os.fsencode(beside.name) in header:
                    Path(folder, beside.name).symlink_to(beside)
        yield link


@contextmanager
def writable_name(path: Path) -> Iterator[Path]:
    """Yield a name that is text to write to; what was written, a data file of the same stem too, takes the names of `path`."""
    if _is_plain(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, _WRITTEN + path.suffix)
        for written in sorted(Path(folder).iterdir()):
            final = path
            if path.suffix == ".mhd":
                stem = path.stem.translate(_NOT_A_LINE)
                if written.suffix == ".mhd":
                    header = written.read_bytes()
                    written.write_bytes(header.replace(_WRITTEN.encode() + b".", os.fsencode(stem) + b"."))
                else:
                    final = path.with_name(stem + written.suffix)
            shutil.move(written, final)


def _is_plain(path: Path) -> bool:
    """True for a name that is UTF-8 and of one line: the header of .mhd holds the name of its data file."""
    try:
        str(path.absolute()).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\n" not in path.name and "\r" not in path.name
