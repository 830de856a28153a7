"""What rules ask of a series, from the header of one of its objects."""

from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from demottle.errors import InputError
from demottle.io.dicom.headers.marks import MARK_TAGS, is_own_output

Facts = dict[str, Any]

TEXTS = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "station": "StationName",
    "kernel": "ConvolutionKernel",
    "body_part": "BodyPartExamined",
    "protocol": "ProtocolName",
    "description": "SeriesDescription",
}
"""What is said of a series in words, and the elements that say it."""
_NUMBERS = {"thickness": "SliceThickness", "dose": "CTDIvol", "kvp": "KVP"}
GROUPS = (
    "CTReconstructionSequence",
    "PixelMeasuresSequence",
    "CTExposureSequence",
    "CTXRayDetailsSequence",
    "FrameAnatomySequence",
)
_TAGS: list[Any] = [*TEXTS.values(), *_NUMBERS.values(), "SharedFunctionalGroupsSequence", *MARK_TAGS]


def facts_of(file: Path, caller: str) -> Facts:
    """Return what is known of a series.

    Returns:
        caller, modality, manufacturer, model, station, kernel, body_part, protocol, description (texts), thickness (mm), dose
        (CTDIvol, mGy), kvp (kV): None where the header does not state it (enhanced objects state some of it in their shared
        functional groups); own: it is a result of demottle.

    Raises:
        InputError: the file is not DICOM.
    """
    try:
        header = pydicom.dcmread(file, specific_tags=_TAGS, stop_before_pixels=True)
    except (InvalidDicomError, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{file.name} is not a readable DICOM object; send it again.") from error
    places = _places(header)
    facts: Facts = {"caller": caller, "own": is_own_output(header)}
    facts.update({name: _text(places, keyword) for name, keyword in TEXTS.items()})
    facts.update({name: _number(places, keyword) for name, keyword in _NUMBERS.items()})
    return facts


def _places(header: Dataset) -> list[Dataset]:
    """The header, and the shared functional groups of enhanced objects."""
    found = [header]
    for shared in header.get("SharedFunctionalGroupsSequence") or ():
        for name in GROUPS:
            found += list(shared.get(name) or ())
    return found


def _text(places: list[Dataset], keyword: str) -> str | None:
    value = next((place.get(keyword) for place in places if place.get(keyword)), None)
    if value is None:
        return None
    several = not isinstance(value, str) and hasattr(value, "__iter__")
    return "\\".join(map(str, value)) if several else str(value)


def _number(places: list[Dataset], keyword: str) -> float | None:
    for place in places:
        try:
            return float(place[keyword].value)
        except (KeyError, TypeError, ValueError):
            continue
    return None
