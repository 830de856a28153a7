"""Decimal strings that some programs write in their own way: a comma for the point, or a type that they may not have."""

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

_TYPES = (None, "DS", "UN", "UT", "LT", "ST", "LO", "SH")
"""How a decimal string may be typed in a file; None: not at all, in implicit encoding."""


def mend_numbers(dataset: Dataset) -> None:
    """Give decimal strings of the standard their type and decimal point, in place, before they are decoded.

    No number holds a comma, so "0,7" means 0.7; where a point is there as well nothing is known, and nothing changed.
    """
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement) or not raw.value or raw.VR not in _TYPES:
            continue
        if tag.is_private or not dictionary_has_tag(tag) or dictionary_VR(tag) != "DS":
            continue
        value = b"\\".join(_pointed(one) for one in raw.value.split(b"\\"))
        if value != raw.value or raw.VR not in (None, "DS"):
            vr = raw.VR and "DS"
            dataset[tag] = raw._replace(VR=vr, value=value)


def _pointed(number: bytes) -> bytes:
    return number.replace(b",", b".") if number.count(b",") == 1 and b"." not in number else number
