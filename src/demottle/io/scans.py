"""What there is to read: the series of one input, the scans of a folder."""

import os
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from demottle.errors import InputError
from demottle.io.dicom.aside import Aside, refuse_nothing_read
from demottle.io.dicom.files import FileRef, collect, is_hidden
from demottle.io.dicom.payload import quiet_pydicom
from demottle.io.dicom.read import list_dicom_series, run_in_dicom
from demottle.io.dicom.scan import scan, scan_file
from demottle.io.dicom.series import SeriesInfo
from demottle.io.formats import format_of

_LISTED = 6


def list_series(path: str | Path) -> list[SeriesInfo]:
    """List the DICOM series in a folder, file, DICOMDIR or zip, in order of series number.

    Raises:
        InputError: nothing there, or no DICOM image in it.
    """
    return list_dicom_series(Path(path))


def holds_run(path: str | Path, series: str | None = None) -> bool:
    """True where what `read` would take from a DICOM path are X-ray frames over time; looks at no pixel.

    Raises:
        InputError: nothing there, or several series and none chosen.
    """
    return run_in_dicom(Path(path), series)


def find_scans(path: str | Path) -> list[Path]:
    """Return everything under `path` that `read` can be given, sorted: for working through a folder of scans.

    A folder that directly holds DICOM slices or frames is one scan, with all below it and all files beside them. Folders with
    parts of one series are one scan: the folder that holds them all. Elsewhere every .zip and every file of another known format
    is one scan. Hidden files and folders, and so unfinished outputs, are left out.

    Raises:
        InputError: there is no such path, or nothing readable in it.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(
            f"There is no file or folder {path}." if not path.exists() else f"{path} is neither a file nor a folder."
        )
    folders, files = _walk(path)
    found = [*_joined(folders), *files]
    if not found:
        raise InputError(_nothing_in(path))
    return sorted(found)


def only_file_in(path: str | Path) -> Path:
    """Return the one file of a known format where `path` is a folder that holds no DICOM; else `path` itself.

    Raises:
        InputError: several such files, or such a file and a folder with DICOM; they are listed.
    """
    path = Path(path)
    folders, files = _walk(path) if path.is_dir() else ([], [])
    images = [file for file in files if not _is_zip(file)]  # often the download of what lies beside it
    if folders and images and not (path / "DICOMDIR").exists():
        found = sorted({*folders, *images})
        raise InputError(
            f"{path} holds {len(found)} scans ({_named(found, path)}); name one of them, or choose a DICOM series.",
            remedy="series",
        )
    if folders or not files:
        return path
    if len(files) > 1:
        raise InputError(f"{path} holds {len(files)} scans ({_named(files, path)}); name one of them.")
    return files[0]


def _named(scans: list[Path], path: Path) -> str:
    return ", ".join(str(one.relative_to(path)) for one in scans[:_LISTED]) + (", ..." * (len(scans) > _LISTED))


def _walk(path: Path) -> tuple[list[Path], list[Path]]:
    """Folders with slices or frames, and, outside of them, files of other formats and zips."""
    folders: list[Path] = []
    files: list[Path] = []
    for name, below, names in os.walk(path):
        below[:] = sorted(folder for folder in below if not is_hidden(folder))
        visible = [Path(name) / file for file in sorted(names) if not is_hidden(file) and file.upper() != "DICOMDIR"]
        if _holds_slices(visible):
            folders.append(Path(name))
            below.clear()  # reading this folder reads those below it too
        else:
            files += [file for file in visible if format_of(file) not in (None, "dicom") or _is_zip(file)]
    return folders, files


def _holds_slices(files: list[Path]) -> bool:
    """True for a folder with slices or frames, or with files that ought to be: those are refused by name when it is read."""
    broken = False
    with quiet_pydicom():
        for file in files:
            if format_of(file) in (None, "dicom") and not _is_zip(file):
                found = scan_file(FileRef(file))
                if not isinstance(found, Aside):
                    return True
                broken |= bool(found.broken)
    return broken


def _is_zip(file: Path) -> bool:
    return file.suffix.lower() == ".zip"


def _joined(folders: list[Path]) -> list[Path]:
    """Join folders that hold parts of one series into the one that holds them all, with whatever else that holds.

    Folders with the same objects are copies of a scan, or variants of it, and stay apart.
    """
    if len(folders) < 2:
        return folders
    parts: dict[str, list[tuple[Path, set[str]]]] = defaultdict(list)
    with quiet_pydicom():
        for folder in folders:
            objects: dict[str, set[str]] = defaultdict(set)
            for header in scan(collect(folder))[0]:
                objects[header.series_uid].add(header.sop_uid)
            for uid, mine in objects.items():
                parts[uid].append((folder, mine))
    joined = {
        Path(os.path.commonpath([one, other]))
        for held in parts.values()
        for (one, mine), (other, others) in combinations(held, 2)
        if not mine & others
    }
    roots = [folder for folder in joined if not any(other in folder.parents for other in joined)]
    alone = [folder for folder in folders if not any(root in folder.parents for root in roots)]
    return [*alone, *roots]


def _nothing_in(path: Path) -> str:
    """Say what is there instead: reports and structure sets are named."""
    with quiet_pydicom():
        aside = scan(collect(path))[1]
    try:
        refuse_nothing_read(path, [one for one in aside if one.kind or one.archive])
    except InputError as error:
        if any(one.kind or one.archive for one in aside):
            return str(error)
    return f"{path} holds no scans; name a folder with DICOM series or image files in it."
