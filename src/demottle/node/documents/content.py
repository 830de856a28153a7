"""Content items of Structured Reports (PS3.3 C.17.3), one function for each kind of value."""

from collections.abc import Sequence
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.valuerep import DSfloat

from demottle.io.dicom.headers.header import code
from demottle.io.dicom.headers.marks import SCHEME

CONTAINS, PROPERTIES = "CONTAINS", "HAS PROPERTIES"
MODIFIES, OBSERVED, ACQUIRED = "HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS ACQ CONTEXT"


class Code(NamedTuple):
    """A coded word: value, scheme, meaning."""

    value: str
    scheme: str
    meaning: str

    @property
    def item(self) -> Dataset:
        """As an item of a code sequence."""
        return code(*self)


def dcm(value: str, meaning: str) -> Code:
    """A word of DICOM's own."""
    return Code(value, "DCM", meaning)


def own(value: str, meaning: str) -> Code:
    """A word of demottle's, which the object has to declare."""
    return Code(value, SCHEME, meaning)


_UNITS = {
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "per mm": Code("/mm", "UCUM", "per millimeter"),
    "pixels": Code("{pixels}", "UCUM", "pixels"),
}
_PLAIN = Code("1", "UCUM", "no units")


def unit_of(name: str) -> Code:
    """A unit in UCUM, by the name that the gate gives it; shares and ratios have none."""
    return _UNITS.get(name, _PLAIN)


def container(name: Code, items: Sequence[Dataset], relation: str = CONTAINS) -> Dataset:
    """A heading with what stands below it."""
    made = _item("CONTAINER", name, relation)
    made.ContinuityOfContent = "SEPARATE"
    made.ContentSequence = Items(items)
    return made


def word(name: Code, value: Code, relation: str = CONTAINS) -> Dataset:
    """A coded value."""
    made = _item("CODE", name, relation)
    made.ConceptCodeSequence = Items([value.item])
    return made


def text(name: Code, value: str, relation: str = CONTAINS) -> Dataset:
    """A text, in ASCII."""
    made = _item("TEXT", name, relation)
    made.TextValue = value.replace("\u2212", "-").encode("ascii", "replace").decode()
    return made


def uid(name: Code, value: str, relation: str = CONTAINS) -> Dataset:
    """A UID."""
    made = _item("UIDREF", name, relation)
    made.UID = value
    return made


def number(name: Code, value: float, unit: Code, below: Sequence[Dataset] = (), relation: str = CONTAINS) -> Dataset:
    """A finite number with its unit, and what is said of it."""
    made, measured = _item("NUM", name, relation), Dataset()
    measured.MeasurementUnitsCodeSequence = Items([unit.item])
    measured.NumericValue = DSfloat(value, auto_format=True)
    measured.FloatingPointValue = float(value)
    made.MeasuredValueSequence = Items([measured])
    if below:
        made.ContentSequence = Items(below)
    return made


def image(sop_class: str, sop_uid: str) -> Dataset:
    """An image that the report refers to."""
    made, referenced = Dataset(), Dataset()
    made.RelationshipType, made.ValueType = CONTAINS, "IMAGE"
    referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID = sop_class, sop_uid
    made.ReferencedSOPSequence = Items([referenced])
    return made


def _item(kind: str, name: Code, relation: str) -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = relation, kind
    made.ConceptNameCodeSequence = Items([name.item])
    return made
