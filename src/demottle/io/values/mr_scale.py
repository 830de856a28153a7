"""Where MR headers state what their pixels mean beside RescaleSlope: Philips' private elements, Real World Value Mapping.

Philips' relations (Chenevert et al., Translational Oncology 2014): stored PV, rescale RS and RI, scale SS and SI;
shown on the console `PV RS + RI`, proportional to the signal in every slice `(PV - SI) / SS`.
"""

import struct
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

Line = tuple[float, float]
"""Slope and intercept."""

_SCALE = ((0x2005, 0x0010), "Philips MR Imaging DD 001", (0x2005, 0x100E), (0x2005, 0x100D))
_RESCALE = ((0x2005, 0x0014), "Philips MR Imaging DD 005", (0x2005, 0x140A), (0x2005, 0x1409))
_IN_GROUPS = (0x2005, 0x140F)
"""The private sequence in each frame's functional groups that holds what classic objects hold themselves."""
MAPPING = "RealWorldValueMappingSequence"
MR_SCALE_TAGS: list[BaseTag] = [
    Tag(MAPPING),
    *(Tag(*place) for creator, _, *places in (_SCALE, _RESCALE) for place in (creator, *places)),
]
"""Elements that have to be read for the functions here."""


def copy_private(groups: Dataset, place: Dataset) -> None:
    """Put what the private sequence of a frame's groups says into `place`, where the functions here look for it."""
    items: Any = groups[_IN_GROUPS].value if _IN_GROUPS in groups else None
    if not isinstance(items, list) and not hasattr(items, "__iter__"):
        return
    for item in items:
        for tag in MR_SCALE_TAGS:
            if isinstance(item, Dataset) and tag.is_private and tag in item:
                place[tag] = item[tag]


def other_rescale(place: Dataset) -> Line | None:
    """Return the rescale that stands elsewhere than in RescaleSlope; None where there is none, or several that differ."""
    private = _line(place, _RESCALE)
    if private is not None:
        return private
    lines = {_mapped(item) for item in place.get(MAPPING) or ()}
    return lines.pop() if len(lines) == 1 else None


def signal_scale(place: Dataset) -> Line | None:
    """Return slope and intercept that make stored values proportional to the signal (Philips); None where nothing says so."""
    scale = _line(place, _SCALE)
    return None if scale is None else (1 / scale[0], -scale[1] / scale[0])


def _line(place: Dataset, where: tuple[Any, ...]) -> Line | None:
    creator, name, *places = where
    if creator not in place or str(place[creator].value).strip() != name:
        return None
    slope, intercept = (_number(place[tag].value) if tag in place else None for tag in places)
    return (slope, intercept or 0.0) if slope else None


def _mapped(item: Dataset) -> Line | None:
    slope, intercept = (_number(item.get(f"RealWorldValue{name}")) for name in ("Slope", "Intercept"))
    return (slope, intercept or 0.0) if slope else None


def _number(value: Any) -> float | None:
    """A number of a private element; as bytes where the file did not say their type (VR UN)."""
    try:
        if isinstance(value, bytes):
            value = struct.unpack("<f", value)[0] if len(value) == struct.calcsize("<f") else value.decode("ascii")
        found = float(str(value).strip("\0 "))
    except (ValueError, TypeError, struct.error):
        return None
    return found if abs(found) < float("inf") else None
