"""A place of the slice that stands in a private sequence of Philips alone, (2005,140F).

Its ImagePositionPatient differs from the standard's own (rordenlab/dcm2niix #144, #437), by how much is not known: it is named
and not used.
"""

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from demottle.io.dicom.files import FileRef

_PRIVATE = Tag(0x2005, 0x140F)
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def private_place(file: FileRef) -> str:
    """Return the sentence that says so of a file; empty where there is none."""
    tags = [_PRIVATE, *(Tag(keyword) for keyword in _GROUPS)]
    try:
        with file.open() as stream:
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=tags, force=True)
        holders = [dataset, *(groups for keyword in _GROUPS for groups in dataset.get(keyword) or ())]
        found = any("ImagePositionPatient" in item for holder in holders for item in _items(holder))
    except Exception:  # pydicom raises many types for broken elements; nothing is known then
        return ""
    if not found:
        return ""
    return (
        " Philips' private element (2005,140F) holds an ImagePositionPatient, but that is not always the place of the slice; "
        "export the series again from the scanner."
    )


def _items(holder: Dataset) -> list[Dataset]:
    value = holder[_PRIVATE].value if _PRIVATE in holder else ()
    return [item for item in value if isinstance(item, Dataset)]
