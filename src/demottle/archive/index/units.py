"""What of the files with one SeriesInstanceUID belongs together: parts of a series, copies of it, and others of its name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from demottle.errors import InputError
from demottle.io.dicom.copies import same_object
from demottle.io.dicom.slice_header import SliceHeader

Slices = list[tuple[str, SliceHeader]]
"""Slices, each with the path of its file from the root."""
CONFLICT = " has the same SOP Instance UID and other content."
"""What is said of a file, after the name of the other."""


@dataclass
class Unit:
    """Folders that hold one series, or parts of it.

    Attributes:
        folders: from the root.
        slices: without copies in further folders.
        broken: paths of files that belong to it and cannot be read, with the reason; slices would be missing without them.
        spare: paths of files that cannot be read, with the path of a sound one that holds the same object.
        remarks: what is odd about it.
    """

    folders: list[str]
    slices: Slices
    broken: list[tuple[str, str]] = field(default_factory=list)
    spare: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def persons(self) -> set[tuple[str, str]]:
        """Patients and studies."""
        return {(one.patient, one.study_uid) for _, one in self.slices}


def folder_of(path: str) -> str:
    """The folder of a file, from the root; "." for the root."""
    return str(PurePosixPath(path).parent)


def units_of(slices: Slices, broken: Iterable[tuple[str, str, str]]) -> tuple[list[Unit], dict[str, str]]:
    """Put folders together that hold different objects of one series, and find files that are copies of others.

    A folder with objects that are there already, and the same, adds those that are not; one whose objects are others under the
    same SOP Instance UIDs is a series of its own, and so is one of another patient or study.

    Args:
        slices: of all files that can be read.
        broken: paths of those that cannot, with the reason and the SOP Instance UID, empty where it is not known.

    Returns:
        The units, and by path what is wrong with files that are left out.
    """
    by_folder: dict[str, Slices] = defaultdict(list)
    for path, header in slices:
        by_folder[folder_of(path)].append((path, header))
    units: list[Unit] = []
    copies: dict[str, str] = {}
    for folder in sorted(
        by_folder, key=lambda one: (-len(by_folder[one]), one)
    ):  # the most complete one has the series
        _place(folder, by_folder[folder], units, copies)
    for path, why, sop_uid in broken:
        _place_broken(path, why, sop_uid, units)
    return units, copies


def _place_broken(path: str, why: str, sop_uid: str, units: list[Unit]) -> None:
    """Add a broken file to the unit of its folder, else to the one that has its object, else to the first."""
    sound = {one.sop_uid: (unit, other) for unit in reversed(units) for other, one in reversed(unit.slices)}
    mine = next((unit for unit in units if folder_of(path) in unit.folders), None)
    here = {one.sop_uid: (mine, other) for other, one in reversed(mine.slices)} if mine is not None else sound
    unit, other = here.get(sop_uid, (mine, "")) if sop_uid else (mine, "")
    if unit is not None and other:
        unit.spare.append((path, other))
    elif unit is not None or units:
        (unit or units[0]).broken.append((path, why))


def _place(folder: str, members: Slices, units: list[Unit], copies: dict[str, str]) -> None:
    """Add the slices of a folder to the unit that they belong to, or as a new one."""
    mine = {(one.patient, one.study_uid) for _, one in members}
    other = ""
    for unit in units:
        known = {_object(one): (path, one) for path, one in reversed(unit.slices) if one.sop_uid}
        pairs = [(path, one, *known[_object(one)]) for path, one in members if _object(one) in known]
        if mine != unit.persons:
            other = f"Another patient or study in {unit.folders[0]} has the same SeriesInstanceUID."
        elif not all(_same(first, one) for _, one, _, first in pairs):
            other = f"Other objects in {unit.folders[0]} have the same SOP Instance UIDs."
        else:
            copies.update({path: f"A copy of {original}." for path, _, original, _ in pairs})
            new = [(path, one) for path, one in members if path not in copies]
            if new:
                unit.folders.append(folder)
                unit.slices += new
            return
    units.append(Unit([folder], members, remarks=[other] if other else []))


def _object(header: SliceHeader) -> tuple[object, ...]:
    """What two files with the same object have in common; anonymization may leave one UID to slices at several places."""
    return header.sop_uid, header.frame, header.position if header.frames == 1 else None


def _same(first: SliceHeader, second: SliceHeader) -> bool:
    try:
        return same_object(first, second)
    except InputError:  # one of them cannot be read
        return False


def conflicts_in(unit: Unit) -> dict[str, str]:
    """Files of one folder that hold something else under a SOP Instance UID that another file has, with the sentence."""
    first: dict[tuple[object, ...], tuple[str, SliceHeader]] = {}
    found = {}
    for path, one in unit.slices:
        original, other = first.setdefault(_object(one), (path, one))
        if one.sop_uid and original != path and not _same(other, one):
            found[path] = f"{PurePosixPath(original).name}{CONFLICT}"
    return found


def without_root(sentence: str, root: str) -> str:
    """A sentence without where the archive lies."""
    return sentence.replace(f"{root}/", "").replace(f"{root}\\", "")


def common_folder(folders: Sequence[str]) -> str:
    """The folder that holds all of them."""
    parts = [PurePosixPath(one).parts for one in folders]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return str(PurePosixPath(*shared)) if shared else "."
