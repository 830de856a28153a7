"""What there is to read: the series of one input, the scans of a folder."""

import os
from pathlib import Path

from demottle.errors import InputError
from demottle.io.dicom_read import list_dicom_series
from demottle.io.dicom_series import SeriesInfo
from demottle.io.formats import format_of


def list_series(path: str | Path) -> list[SeriesInfo]:
    """List the DICOM series in a folder, file, DICOMDIR or zip, in order of series number.

    Raises:
        InputError: nothing there, or no DICOM image in it.
    """
    return list_dicom_series(Path(path))


def find_scans(path: str | Path) -> list[Path]:
    """Return everything under `path` that `read` can be given, sorted: for working through a folder of scans.

    A folder that directly holds DICOM files is one scan, with all folders below it; every .zip and every file of another
    known format is one scan. Hidden files and folders, and so unfinished outputs, are left out.

    Raises:
        InputError: there is no such path, or nothing readable in it.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"There is no file or folder {path}.")
    found: list[Path] = []
    for name, folders, files in os.walk(path):
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        folder = Path(name)
        visible = [folder / file for file in files if not file.startswith(".") and file.upper() != "DICOMDIR"]
        found += [file for file in visible if format_of(file) not in (None, "dicom") or file.suffix.lower() == ".zip"]
        if any(_is_dicom(file) for file in visible):
            found.append(folder)
            folders.clear()  # reading this folder reads those below it too
    if not found:
        raise InputError(f"{path} holds no scans; name a folder with DICOM series or image files in it.")
    return sorted(found)


def _is_dicom(file: Path) -> bool:
    if format_of(file) == "dicom" and file.suffix.lower() != ".zip":
        return True
    if format_of(file) is not None:
        return False
    try:
        with file.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False
