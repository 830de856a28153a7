"""Where the DICOM files of an input lie: a file, a folder, a DICOMDIR, a zip."""

import io
import os
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from demottle.errors import InputError, OutputError
from demottle.io.bombs import refuse_bomb, refuse_deflate_bomb
from demottle.io.dicom.headers.text import make_explicit

_PREAMBLE = 132
_META = 1024  # bytes of file meta information that are searched for the transfer syntax
_ZIP_TAIL = 22 + (1 << 16)  # where a zip says how long its table of contents is
_MOST_CONTENTS = 16 << 20  # bytes
_MOST_MEMBERS = 50_000


_LOOKED_AT = 20  # files in a hidden folder
_MACHINERY = ("__MACOSX", "._", ".git", ".datalad", ".demottle", ".Trash", ".snapshot", ".AppleDouble", ".Spotlight")


@dataclass(frozen=True)
class FileRef:
    """One file on disk, or one member of a zip; `series_uid` is what a DICOMDIR says of it."""

    path: Path
    member: str | None = None
    series_uid: str = field(default="", compare=False)

    def open(self) -> BinaryIO:
        """Open for reading; a zip's member is unpacked into memory, so that threads do not share a handle.

        Raises:
            InputError: no permission, or a broken zip.
        """
        try:
            if self.member is None:
                if not self.path.is_file() and self.path.exists():  # a pipe or a device never ends
                    raise InputError(f"{self.name} is not a regular file; leave it out.")
                stream: BinaryIO = self.path.open("rb")
            else:
                stream = io.BytesIO(self._archive.read(self._member))
            return self._checked(stream)
        except PermissionError as error:
            raise InputError(f"No permission to read {self.name}.") from error
        except FileNotFoundError as error:
            if self.series_uid:
                raise InputError(f"The DICOMDIR names {self.name}, which is missing; copy the whole medium.") from error
            raise InputError(f"The file {self.name} is missing (a broken link?); fetch or remove it.") from error
        except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            raise InputError(f"{self.name} cannot be unpacked ({error}); the zip is broken.") from error

    @property
    def _archive(self) -> zipfile.ZipFile:
        return open_zip(self.path)

    @property
    def _member(self) -> zipfile.ZipInfo:
        member = self._archive.getinfo(self.member or "")
        refuse_bomb(self.name, member.file_size, member.compress_size)
        return member

    def _checked(self, stream: BinaryIO) -> BinaryIO:
        """Look at what is deflated as a whole before pydicom unpacks it at once."""
        head = stream.read(_PREAMBLE + _META)
        if head[128:132] == b"DICM" and DeflatedExplicitVRLittleEndian.encode() in head:
            length = int.from_bytes(head[_PREAMBLE + 8 : _PREAMBLE + 12], "little")  # of what stands before the rest
            stream.seek(_PREAMBLE + 12 + length)
            try:
                refuse_deflate_bomb(self.name, stream.read())
            except InputError:
                stream.close()
                raise
        stream.seek(0)
        return stream

    @property
    def size(self) -> int:
        """Bytes of the file, or of the zip's member as it is packed."""
        if self.member is None:
            return self.path.stat().st_size
        return self._archive.getinfo(self.member).compress_size

    @property
    def length(self) -> int:
        """Bytes of the file, or of the zip's member once it is unpacked."""
        if self.member is None:
            return self.path.stat().st_size
        return self._archive.getinfo(self.member).file_size

    @property
    def name(self) -> str:
        """The name to show to a user."""
        return str(self.path) if self.member is None else f"{self.path}:{self.member}"

    @property
    def suffix(self) -> str:
        """The lower-case suffix of the file's own name."""
        return Path(self.member or self.path.name).suffix.lower()


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip, once for all of its members: its table of contents takes long where it has many.

    Raises:
        InputError: it cannot be read, or its table of contents is larger than that of any archive of scans.
    """
    try:
        return _opened_zip(path, path.stat().st_mtime_ns)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"The zip {path} cannot be read ({error}).") from error


@lru_cache(maxsize=2)
def _opened_zip(path: Path, changed: int) -> zipfile.ZipFile:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _ZIP_TAIL))
        tail = stream.read()
    end = tail.rfind(b"PK\5\6")
    contents = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    archive = None if contents > _MOST_CONTENTS else zipfile.ZipFile(path)
    if archive is None or len(archive.infolist()) > _MOST_MEMBERS:
        raise InputError(f"The zip {path} holds more than {_MOST_MEMBERS} files; unpack what you need of it first.")
    return archive


def save(dataset: Dataset, path: Path) -> None:
    """Write one object. It is put together in memory first: pydicom would hide the reason of a failing disk.

    Raises:
        OutputError: an element of the header is broken.
        OSError: from the file system.
    """
    buffer = io.BytesIO()
    try:
        make_explicit(dataset)
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    except Exception as error:  # pydicom raises many types on broken elements
        raise OutputError(
            f"The header of a source is broken and cannot be written again ({in_short(error)}); repair it, or write another "
            "format such as .nii.gz."
        ) from error
    path.write_bytes(buffer.getbuffer())


def in_short(error: Exception) -> str:
    """Return an error of pydicom in one line: its messages may hold tracebacks."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def collect(path: Path) -> list[FileRef]:
    """List all files that may be DICOM, sorted by name; DICOMDIR files, hidden files and folders are left out.

    Raises:
        InputError: there is no such path, or a DICOMDIR or zip cannot be read.
    """
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if _is_candidate(file, path)]
        return [FileRef(file) for file in files if file.is_file() or _leads_nowhere(file)]
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if zipfile.is_zipfile(path):
        return _collect_zip(path)
    if path.name.upper() == "DICOMDIR":
        return _collect_dicomdir(path)
    return [FileRef(path)]


def _is_candidate(file: Path, root: Path) -> bool:
    return file.name.upper() != "DICOMDIR" and not any(is_hidden(part) for part in file.relative_to(root).parts)


def is_hidden(name: str) -> bool:
    """True for the names of files and folders that are never part of a scan."""
    return name.startswith((".", "__MACOSX"))


def hidden_with_dicom(path: Path) -> list[Path]:
    """Files and folders below `path` that are left out for their name, and hold what begins as DICOM files do.

    Exports name both after the series description, which may begin with a dot.
    """
    found: list[Path] = []
    for name, below, files in os.walk(path):
        for one in sorted(one for one in (*below, *files) if is_hidden(one) and not _is_machinery(one)):
            hidden = Path(name, one)
            inside = sorted(hidden.iterdir())[:_LOOKED_AT] if hidden.is_dir() else [hidden]
            found += [hidden] if any(_says_dicom(file) for file in inside if file.is_file()) else []
        below[:] = [one for one in below if not is_hidden(one)]
    return found


def _is_machinery(name: str) -> bool:
    return name.startswith(_MACHINERY) or name.endswith(".partial")


def _says_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _leads_nowhere(file: Path) -> bool:
    """True for a link whose file is not there, as in data sets that are fetched piece by piece: it may be a slice."""
    return file.is_symlink() and not file.exists()


def _collect_zip(path: Path) -> list[FileRef]:
    members = open_zip(path).infolist()
    if any(member.flag_bits & 0x1 for member in members):
        raise InputError(f"The zip {path} is encrypted; unpack it first.")
    names = [member.filename for member in members if not member.is_dir()]
    return [FileRef(path, name) for name in sorted(names) if _is_candidate(Path("/") / name, Path("/"))]


def _collect_dicomdir(path: Path) -> list[FileRef]:
    try:
        records = pydicom.dcmread(path).DirectoryRecordSequence
    except Exception as error:  # pydicom raises many types for a broken file
        raise InputError(f"The DICOMDIR {path} cannot be read ({error}); name the folder instead.") from error
    files, series = [], ""
    for record in records:
        file_id = record.get("ReferencedFileID")
        if file_id and record.get("DirectoryRecordType") == "IMAGE":
            parts = [file_id] if isinstance(file_id, str) else list(file_id)
            files.append(FileRef(_find_case_insensitive(path.parent, parts), series_uid=series or "unknown"))
        elif record.get("DirectoryRecordType") == "SERIES":  # its images follow
            series = str(record.get("SeriesInstanceUID") or "")
    if not files:
        raise InputError(f"The DICOMDIR {path} names no images.")
    return files


def _find_case_insensitive(root: Path, parts: list[str]) -> Path:
    """Resolve a file ID; media copied to other file systems often come out in lower case. The file may be missing."""
    found = root
    for part in parts:
        if part in ("", ".", "..") or "/" in part:
            raise InputError(f"The DICOMDIR in {root} names a file outside its folder; name the folder instead.")
        exact = found / part
        if not exact.exists():
            siblings = found.iterdir() if found.is_dir() else iter(())
            exact = next((child for child in siblings if child.name.upper() == part.upper()), exact)
        found = exact
    return found
