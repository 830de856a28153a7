"""What a header says of one frame: of its own, in the frame's functional group, or in the one that all frames share."""

from typing import Any

from pydicom.dataset import Dataset


def said_of(header: Dataset, frame: int, keyword: str) -> Any:
    """Return the value of an attribute for a frame (counted from 0); None where nothing states it."""
    if header.get(keyword) not in (None, ""):
        return header.get(keyword)
    each = header.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*each[frame : frame + 1], *(header.get("SharedFunctionalGroupsSequence") or [])[:1]):
        for element in groups:
            found = element.value[0].get(keyword) if element.VR == "SQ" and element.value else None
            if found not in (None, ""):
                return found
    return None


def numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """Return so many numbers; None where the value is something else."""
    try:
        found = tuple(float(one) for one in value)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count else None


def number(value: Any) -> float | None:
    """Return a number, the first of several; None where there is none."""
    try:
        return float(value if isinstance(value, str | int | float) else value[0])
    except (TypeError, ValueError, IndexError):
        return None
