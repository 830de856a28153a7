"""Copies of one slice in several files: the same object saved twice counts once, two different ones under one UID are refused."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from demottle.errors import InputError, are, counted
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.pixels import iter_stored
from demottle.io.dicom.slice_header import SliceHeader

_CHUNK = 1 << 20
_NUMBERING = ("instance", "content time")
_MOST_COPIES = 3


def without_copies(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], tuple[str, ...]]:
    """Return each object once, and a remark on the copies set aside.

    Two files with one SOPInstanceUID are copies where they are equal byte by byte, or have the same place, rescale and pixels
    (an export that changed the encoding or a name). With two UIDs they are copies where number and time are the same as well, or
    where all slices that share a place are the same in every pixel. Slices at several places under one SOPInstanceUID, as bad
    anonymization leaves them, are slices of their own, and said.

    Raises:
        InputError: two files hold different objects under one SOPInstanceUID.
    """
    kept: dict[tuple[object, ...], SliceHeader] = {}
    copies: dict[FileRef, FileRef] = {}
    for header in slices:
        if not header.sop_uid:  # refused later, for that
            kept[header.name, header.frame] = header
            continue
        place = header.position if header.frames == 1 else None
        first = kept.setdefault((header.sop_uid, header.frame, place), header)
        if first is header or copies.get(header.file) == first.file:
            continue
        if header.file == first.file or not same_object(first, header):
            raise InputError(
                f"{header.name} and {first.name} have the same SOPInstanceUID (duplicate) but are not the same slice; "
                "remove one of them."
            )
        copies[header.file] = first.file
    left = _without_renamed(list(kept.values()), copies)
    shared = _shared_uids(left)
    if not copies:
        return list(slices), shared
    file, original = next(iter(copies.items()))
    named = f"{_name(file)} of {_name(original)}" + (", ..." if len(copies) > 1 else "")
    return left, (
        f"Set aside {counted(len(copies), 'file')} that {are(len(copies))} a copy of another ({named}).",
        *shared,
    )


def _shared_uids(slices: Sequence[SliceHeader]) -> tuple[str, ...]:
    """What to say of slices in files of their own that have a SOPInstanceUID in common."""
    files: dict[str, set[FileRef]] = {}
    for header in slices:
        files.setdefault(header.sop_uid, set()).add(header.file)
    count = sum(len(found) for uid, found in files.items() if uid and len(found) > 1)
    if not count:
        return ()
    return (
        f"{count} slices share a SOPInstanceUID with another, although they lie at different places: anonymization seems to have "
        "taken their own. An archive keeps only one of them; results get UIDs of their own.",
    )


def _without_renamed(slices: list[SliceHeader], copies: dict[FileRef, FileRef]) -> list[SliceHeader]:
    """Leave out copies that got another SOPInstanceUID on their way: alike in place, number and time, and in every pixel."""
    first_at: dict[object, SliceHeader] = {}
    left = []
    for header in slices:
        first = header
        if header.frames == 1 and header.position is not None:
            first = first_at.setdefault((_meaning(header), repr(sorted(header.traits.items()))), header)
        if first is not header and _readable_alike(first, header):
            copies[header.file] = first.file
        else:
            left.append(header)
    renumbered = _renumbered(left)
    copies.update({header.file: first.file for header, first in renumbered})
    gone = {id(header) for header, _ in renumbered}
    return [header for header in left if id(header) not in gone]


def _renumbered(slices: list[SliceHeader]) -> list[tuple[SliceHeader, SliceHeader]]:
    """Copies that got another number too, each with its original; none where any two slices of one place differ.

    Slices that hold one value may be alike without being copies: they count where others are there that do not.
    """
    alike: dict[object, list[SliceHeader]] = {}
    for header in slices:
        if header.frames == 1 and header.position is not None:
            traits = {name: value for name, value in header.traits.items() if name not in _NUMBERING}
            alike.setdefault((_meaning(header), repr(sorted(traits.items()))), []).append(header)
    groups = [group for group in alike.values() if len(group) > 1]
    if any(len(group) > _MOST_COPIES for group in groups):  # a series over time
        return []
    if not all(_readable_alike(group[0], other) for group in groups for other in group[1:]):
        return []
    if not any(np.ptp(next(iter_stored([group[0]]))) for group in groups):
        return []
    return [(other, group[0]) for group in groups for other in group[1:]]


def _readable_alike(first: SliceHeader, second: SliceHeader) -> bool:
    try:
        return (first.rows, first.columns) == (second.rows, second.columns) and _same_pixels(first, second)
    except InputError:  # refused later, for that
        return False


def _name(file: FileRef) -> str:
    path = Path(file.member or file.path)
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name


def same_object(first: SliceHeader, second: SliceHeader) -> bool:
    """True for one object saved twice: equal byte by byte, or the same place, meaning and pixels.

    Raises:
        InputError: one of them cannot be read.
    """
    if _same_bytes(first.file, second.file):
        return True
    return second.frames == 1 and _meaning(first) == _meaning(second) and _same_pixels(first, second)


def _same_bytes(first: FileRef, second: FileRef) -> bool:
    with first.open() as one, second.open() as other:
        while True:
            here, there = one.read(_CHUNK), other.read(_CHUNK)
            if here != there:
                return False
            if not here:
                return True


def _meaning(header: SliceHeader) -> tuple[object, ...]:
    """All that decides where a slice lies and what its numbers mean."""
    geometry = header.position, header.orientation, header.pixel_spacing, header.thickness
    return (*geometry, header.slope, header.intercept, header.frames, header.signed, header.bits_stored, header.padding)


def _same_pixels(first: SliceHeader, second: SliceHeader) -> bool:
    (one,), (other,) = iter_stored([first]), iter_stored([second])
    return np.array_equal(one, other)
