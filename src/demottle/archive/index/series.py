"""From the headers of all files with one SeriesInstanceUID to rows: as `demottle.read` groups them, and what it would say."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import Any

from demottle.archive.index.headers import NUMBERS, TEXTS, read_file, unpacked
from demottle.archive.index.units import Unit, common_folder, conflicts_in, units_of, without_root
from demottle.errors import InputError
from demottle.io.dicom.aside import Aside, refuse_broken_member
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.geometry import Stack
from demottle.io.dicom.payload import quiet_pydicom
from demottle.io.dicom.read import DicomSeries, series_of
from demottle.io.dicom.series import Series, group_series, refuse_several_people, scan_of
from demottle.io.dicom.slice_header import SliceHeader

_LONGEST = 500  # letters of what is said of a series


@dataclass(frozen=True)
class Asked:
    """SeriesInstanceUIDs whose series are to be made.

    Attributes:
        root: folder of the archive.
        uids: one; several where they may be one scan with a UID for each place.
        files: path, size, time, SOP Instance UID, what is wrong with it and packed header (None: read it) of all their files.
        names: keep patients' IDs and names.
        alike: what such series share; empty for one.
    """

    root: str
    uids: list[str]
    files: list[tuple[str, int, int, str, str, bytes | None]]
    names: bool
    alike: str = ""


@dataclass
class Made:
    """What came of it.

    Attributes:
        series: key, what it shares with others of which it may be a part, and row of each.
        files: path, key of its series, place in it, and what is wrong with it beside the others.
    """

    series: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    files: list[tuple[str, str, int | None, str]] = field(default_factory=list)


def make_series(tasks: list[Asked]) -> list[Made]:
    """Make the series of some UIDs."""
    with quiet_pydicom():
        return [_made(asked) for asked in tasks]


def failed_series(asked: Asked) -> Made:
    """What is said where making a series ended the process."""
    made = Made()
    first = asked.files[0]
    row = {"series_uid": asked.uids[0], "folder": str(PurePosixPath(first[0]).parent)}
    row["wrong"] = "Looking at its headers ended the program; keep its files and report this."
    key = key_of(asked.uids[0], row["folder"])
    made.series.append((key, "", {**row, "key": key}))
    made.files = [(path, key, None, "") for path, *_ in asked.files]
    return made


def key_of(uid: str, folder: str) -> str:
    """The key of a series."""
    return hashlib.sha256(f"{uid}\0{folder}".encode()).hexdigest()[:16]


def _made(asked: Asked) -> Made:
    root, made = Path(asked.root), Made()
    slices, facts, broken = [], dict[str, dict[str, Any]](), []
    for path, _, _, sop_uid, wrong, header in asked.files:
        held = header or (b"" if wrong else read_file(root, path, asked.names).header)
        if held:
            some, facts[path] = unpacked(root, path, held)
            slices += [(path, one) for one in some]
        else:
            broken.append((path, wrong or "It cannot be read any longer.", sop_uid))
    units, copies = units_of(slices, broken)
    about = _About(asked, facts, {path: (size, time) for path, size, time, *_ in asked.files})
    for unit in units:
        _make_unit(unit, about, made)
    keys = {path: key for path, key, _, _ in made.files}
    originals = {path: sentence.removeprefix("A copy of ").removesuffix(".") for path, sentence in copies.items()}
    made.files += [(path, keys.get(originals[path], ""), None, sentence) for path, sentence in copies.items()]
    return made


@dataclass(frozen=True)
class _About:
    asked: Asked
    facts: dict[str, dict[str, Any]]
    stats: dict[str, tuple[int, int]]


def _make_unit(unit: Unit, about: _About, made: Made) -> None:
    by_file = {one.file: path for path, one in unit.slices}
    conflicts = conflicts_in(unit)
    for info, members in group_series([one for _, one in unit.slices]):
        mine = sorted({by_file[one.file] for one in members})
        folder = common_folder([str(PurePosixPath(path).parent) for path in mine])
        key = key_of(info.uid, folder)
        read, wrong = _tried((info, members), unit, about, folder)
        used = set(mine) if read is None else {by_file[one.file] for one in read.members}
        row = _row(key, folder, (info, members), read, about, sorted(used))
        stack, bad = (None, "") if read is None or wrong else _stacked(read)
        row |= _sizes(read, stack)
        row["wrong"] = without_root(wrong or bad, about.asked.root)[:_LONGEST]
        spare = (f"{path} is broken; its slice is read from {sound}." for path, sound in unit.spare)
        said = " ".join([*unit.remarks, *([] if read is None else read.aside), *spare])
        row["remarks"] = without_root(said, about.asked.root)[:_LONGEST]
        places = {} if stack is None or len(read.parts if read else ()) > 1 else _places(stack, by_file)
        alike = about.asked.alike if info.scattered else _alike((info, members), folder)
        made.series.append((key, alike, {**row, "scattered": info.scattered}))
        for path in mine:
            why = conflicts.get(path) or ("" if path in used else "A copy of another file of its series.")
            made.files.append((path, key, places.get(path), why))
        made.files += [(path, key, None, "") for path, _ in (*unit.broken, *unit.spare)]


def _tried(series: Series, unit: Unit, about: _About, folder: str) -> tuple[DicomSeries | None, str]:
    """The volumes that the images make, or what `demottle.read` would say."""
    root = Path(about.asked.root)
    info, members = series
    wrong = ""
    try:
        broken = [
            Aside(FileRef(root / path), broken=f"{path}: {why}", series_uid=info.uid) for path, why in unit.broken
        ]
        refuse_broken_member(broken, info.uid)
    except InputError as error:
        wrong = str(error)
    try:
        refuse_several_people(series)
        return series_of(root / folder, members), wrong
    except InputError as error:
        return None, wrong or str(error)
    except Exception as error:  # a header that nobody has thought of must not cost the others
        return None, wrong or f"The headers make no series ({type(error).__name__}); report this with one of the files."


def _stacked(read: DicomSeries) -> tuple[Stack | None, str]:
    """The first volume in order, or what is wrong with one of them."""
    first = None
    for part in read.parts:
        if part.over_time:
            continue
        try:
            stack = read.stacked(part)[0]
            first = first or stack
        except InputError as error:
            return first, str(error)
        except Exception as error:
            return first, f"The slices make no volume ({type(error).__name__}); report this with one of the files."
    return first, ""


def _places(stack: Stack, by_file: dict[FileRef, str]) -> dict[str, int]:
    """The place of each file that holds one slice."""
    if len({one.file for one in stack.slices}) < len(stack.slices):
        return {}
    return {by_file[one.file]: place for place, one in enumerate(stack.slices)}


def _row(
    key: str, folder: str, series: Series, read: DicomSeries | None, about: _About, used: Sequence[str]
) -> dict[str, Any]:
    info, members = series
    first = (members if read is None else read.members)[0]
    facts = about.facts[used[0]]
    mas = [value for path in used if (value := about.facts[path].get("mas")) is not None]
    stats = [(path, *about.stats[path]) for path in used]
    return {
        "key": key,
        "study_uid": first.study_uid,
        "series_uid": info.uid,
        "folder": folder,
        "modality": first.modality,
        **{name: facts.get(name) or "" for name in TEXTS},
        **{name: facts.get(name) for name in NUMBERS},
        "mas": round(fmean(mas), 3) if mas else None,
        "thickness": first.thickness,
        "number": info.number,
        "date": first.acquired,
        "own": info.own_output,
        "rows": first.rows,
        "columns": first.columns,
        "files": len(used),
        "bytes": sum(size for _, size, _ in stats),
        "digest": hashlib.sha256(repr(stats).encode()).hexdigest()[:16],
        "patient": facts.get("patient", ""),
        "patient_name": facts.get("patient_name", ""),
    }


def _sizes(read: DicomSeries | None, stack: Stack | None) -> dict[str, Any]:
    """Slices, volumes and distances."""
    if read is None:
        return {}
    first: SliceHeader = read.members[0]
    rows, columns = first.pixel_spacing or (None, None)
    between = None
    if stack is not None:
        between, rows, columns = stack.spacing
        between = between if len(stack.slices) > 1 else None
    elif read.parts:
        between = first.spacing_between
    slices = sum(one.frames if one.frame is None else 1 for one in _slices(read))
    return {
        "slices": slices,
        "volumes": sum(len(part.volumes) for part in read.parts),
        "spacing_slices": None if between is None else round(between, 4),
        "spacing_rows": None if rows is None else round(rows, 4),
        "spacing_columns": None if columns is None else round(columns, 4),
    }


def _slices(read: DicomSeries) -> Iterable[SliceHeader]:
    """The images that are read; strays are left out."""
    if not read.parts:
        return read.members
    return [one for part in read.parts for volume in part.volumes for one in volume.slices]


def _alike(series: Series, folder: str) -> str:
    """What a series of one place has in common with others that may be parts of the same scan; empty for all others."""
    shared = scan_of(series)
    return "" if shared is None else hashlib.sha256(f"{shared!r} {folder}".encode()).hexdigest()[:16]
