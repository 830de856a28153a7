"""Single slices that lie loose beside folders of scans, where `find_scans` takes all of it for one scan."""

from collections import defaultdict
from itertools import combinations
from pathlib import Path

from demottle.errors import InputError
from demottle.io.dicom.files import FileRef, collect, is_hidden
from demottle.io.dicom.payload import quiet_pydicom
from demottle.io.dicom.scan import scan
from demottle.io.dicom.series import choose, group_series
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.formats import format_of
from demottle.io.scans import find_scans

Objects = dict[str, set[str]]
"""SOPInstanceUIDs by SeriesInstanceUID."""


def scans_beside_loose_slices(path: Path) -> list[Path]:
    """Return the scans in the folders below `path` and each loose slice as a scan of its own.

    Empty where `path` is not such a folder: all of it is read as one scan (a localizer beside a series), a loose slice belongs
    to a series in a folder below, several loose ones are of one series, or parts of a series are spread over folders.

    Raises:
        InputError: a folder below cannot be looked through.
    """
    visible = [one for one in sorted(path.iterdir()) if not is_hidden(one.name)] if path.is_dir() else []
    folders, files = ([one for one in visible if one.is_dir() is kind] for kind in (True, False))
    if not folders or not files or path / "DICOMDIR" in files:
        return []
    with quiet_pydicom():
        headers, broken = _headers(files)
        below = {folder: _headers(collect(folder))[0] for folder in folders}
        loose = _objects(headers)
        everything = [*headers, *(header for held in below.values() for header in held)]
        if broken or len(loose) != len({header.file.path for header in headers}) or not _is_choice(everything):
            return []
        scans = [one for folder, held in below.items() if held for one in find_scans(folder)]
        held = [_objects(_headers(collect(one))[0]) for one in scans]
    if any(uid in objects for uid in loose for objects in held) or _spread(held):
        return []
    others = [file for file in files if format_of(file) not in (None, "dicom")]
    return sorted({*scans, *others, *(header.file.path for header in headers)})


def _headers(files: "list[FileRef] | list[Path]") -> tuple[list[SliceHeader], bool]:
    """Slices in these files, and whether one of the files is broken."""
    found, aside = scan([file if isinstance(file, FileRef) else FileRef(file) for file in files])
    return found, any(one.broken for one in aside)


def _objects(headers: list[SliceHeader]) -> Objects:
    found: Objects = defaultdict(set)
    for header in headers:
        found[header.series_uid].add(header.sop_uid)
    return found


def _is_choice(headers: list[SliceHeader]) -> bool:
    """True where several series are there, none of which is meant more than the others."""
    if not headers:
        return False
    try:
        choose(group_series(headers), None)
    except InputError as error:
        return error.remedy == "series"
    return False


def _spread(held: list[Objects]) -> bool:
    """True where two scans hold different parts of one series; copies hold the same."""
    return any(not one[uid] & other[uid] for one, other in combinations(held, 2) for uid in one.keys() & other.keys())
