"""The frames of a series in the order in which they are looked at, each with what was made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from demottle.node.web.viewer.groups import numbers, said_of

_TAGS = [
    *("SOPInstanceUID", "InstanceNumber", "NumberOfFrames", "ImagePositionPatient", "ImageOrientationPatient"),
    *("SourceImageSequence", "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"),
]


@dataclass(frozen=True)
class Frame:
    """A frame of a file, counted from 0."""

    file: Path
    number: int


@dataclass(frozen=True)
class Pair:
    """A frame as it came, and what was made of it; None where nothing was (a localizer, an object that came late)."""

    before: Frame
    after: Frame | None


@dataclass(frozen=True)
class _Header:
    file: Path
    uid: str
    source: str
    number: int | None
    along: float
    frames: tuple[int, ...]


@lru_cache(maxsize=16)
def pairs_of(before: tuple[Path, ...], after: tuple[Path, ...]) -> tuple[Pair, ...]:
    """Return the frames of a series: by their numbers where each has one of its own, else by place.

    Args:
        before: files as they came. No file name is used twice, so what was found is remembered.
        after: files that were made of them, in any order; each names its source.
    """
    came = _in_order([one for one in map(_read, before) if one is not None])
    made = {one.source: one for one in map(_read, after) if one is not None}
    found = []
    for one in came:
        other = made.get(one.uid)
        for number in one.frames:
            there = other is not None and number in other.frames
            found.append(Pair(Frame(one.file, number), Frame(other.file, number) if there and other else None))
    return tuple(found)


def _in_order(headers: Sequence[_Header]) -> list[_Header]:
    numbered = {one.number for one in headers}
    if None not in numbered and len(numbered) == len(headers):
        return sorted(headers, key=lambda one: one.number or 0)
    return sorted(headers, key=lambda one: (one.along, one.number or 0, one.file.name))


@lru_cache(maxsize=20000)
def _read(file: Path) -> _Header | None:
    """What is needed of a header; None where it cannot be read."""
    try:
        header = pydicom.dcmread(file, specific_tags=_TAGS, stop_before_pixels=True)
        sources = header.get("SourceImageSequence") or []
        source = str(sources[-1].get("ReferencedSOPInstanceUID")) if sources else ""
        number = header.get("InstanceNumber")
        return _Header(
            file=file,
            uid=str(header.get("SOPInstanceUID")),
            source=source,
            number=None if number in (None, "") else int(str(number)),
            along=_along(header, 0) or 0.0,
            frames=_frames(header),
        )
    except Exception:  # pydicom raises many types; a file that cannot be read has no frames
        return None


def _frames(header: Dataset) -> tuple[int, ...]:
    """The frames of an object by place, where each has a place of its own; else as they lie in it."""
    found = range(max(1, int(header.get("NumberOfFrames") or 1)))
    places = [_along(header, one) for one in found] if "PerFrameFunctionalGroupsSequence" in header else []
    known = [place for place in places if place is not None]
    if len(set(known)) < len(found):
        return tuple(found)
    return tuple(sorted(found, key=known.__getitem__))


def _along(header: Dataset, frame: int) -> float | None:
    """Where a frame lies across its plane, in mm."""
    at = numbers(said_of(header, frame, "ImagePositionPatient"), 3)
    turned = numbers(said_of(header, frame, "ImageOrientationPatient"), 6)
    if at is None or turned is None:
        return None
    return round(float(np.dot(np.cross(turned[:3], turned[3:]), at)), 3)
