"""Values that the standard writes in another form, where it is certain which: dates with points, codes in small letters, ...

What only a guess could mend stays as it is: a birth date with the day first, a UID with leading zeros, an identifier that is too
long or holds a backslash (the result would no longer be filed with its source).
"""

import re
from collections.abc import Callable
from datetime import date

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.valuerep import format_number_as_ds

from demottle.errors import InputError
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.numbers import mend_numbers
from demottle.io.dicom.headers.text import without_backslash

_LONGEST_NUMBER = 16  # characters of a decimal string
_IDENTIFIERS = ("PatientID", "PatientName", "StudyID", "AccessionNumber", "IssuerOfPatientID")
_SHOWN = ("StudyDescription", "SeriesDescription", "ProtocolName")
_SEXES = {b"MALE": b"M", b"FEMALE": b"F", b"OTHER": b"O"}
_LATIN = {1: 100, 2: 101, 3: 109, 4: 110, 5: 144, 6: 127, 7: 126, 8: 138, 9: 148}
"""Parts of ISO 8859 and DICOM's numbers for them."""
_DATE = re.compile(rb"(\d{4})([.\-/])(\d\d)\2(\d\d)")
_TIME = re.compile(rb"(\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?\d*)?")
_MOMENT = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)")
_AGE = re.compile(rb"(\d{1,3})([DWMYdwmy])")
_WHOLE = re.compile(rb"([+-]?\d{1,11})\.0*")


def mend(dataset: Dataset, *, deep: bool = False) -> None:
    """Put values of the standard's elements into its form, in place, before they are decoded.

    Args:
        dataset: a data set, as it was read.
        deep: those in sequences too, which takes long for objects of many frames: for what is written again.

    Raises:
        InputError: an element is of a type (VR) that DICOM does not have.
    """
    try:
        _take_identity(dataset)
        _mend_elements(dataset, _character_set(dataset))
        _mend_character_set(dataset)
    except (
        NotImplementedError
    ) as error:  # pydicom's, of an element that is decoded on the way; it quotes type and tag alone
        raise InputError(
            f"The DICOM header is broken: {str(error).rstrip('.')}; repair or replace the file."
        ) from error
    if deep:
        _mend_items(dataset, _character_set(dataset))


def _take_identity(dataset: Dataset) -> None:
    """Take class and UID from the file meta information where the image itself lacks them."""
    meta = getattr(dataset, "file_meta", None)
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        stated = meta.get(f"MediaStorage{keyword}") if meta is not None and "Rows" in dataset else None
        if stated and not dataset.get(keyword):
            setattr(dataset, keyword, stated)


def _mend_elements(dataset: Dataset, character_set: str) -> None:
    mend_numbers(dataset)
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement) or not raw.value or tag.is_private or not dictionary_has_tag(tag):
            continue
        vr, keyword = raw.VR or dictionary_VR(tag), keyword_for_tag(tag)
        if vr in ("LO", "SH"):
            single = b"\\" in raw.value and dictionary_VM(tag) == "1" and keyword not in _IDENTIFIERS
            value = without_backslash(raw.value, character_set) if single else raw.value
        elif vr in _FORMS:
            value = b"\\".join(_FORMS[vr](one.strip(b" \0")) for one in raw.value.split(b"\\"))
            value = _SEXES.get(value, value) if keyword == "PatientSex" else value
            value += b" " * (len(value) % 2)
            if value.rstrip(b" ") == raw.value.rstrip(b" \0"):
                continue
        else:
            continue
        if value != raw.value:
            dataset[tag] = raw._replace(value=value, length=len(value))


def _mend_items(dataset: Dataset, character_set: str) -> None:
    """Do the same in the items of the standard's sequences; one that cannot be read stays as it is, byte by byte."""
    for tag in list(dataset.keys()):
        if tag.is_private or not dictionary_has_tag(tag) or dictionary_VR(tag) != "SQ":
            continue
        try:
            items = list(dataset[tag].value or ())
        except Exception:  # pydicom raises many types on arbitrary bytes
            continue
        for item in items:
            if isinstance(item, Dataset):
                mine = _character_set(item) or character_set
                _mend_elements(item, mine)
                _mend_items(item, mine)


def _character_set(dataset: Dataset) -> str:
    sets = dataset.get("SpecificCharacterSet") or ""
    return str(sets if isinstance(sets, str) else sets[0] if len(sets) else "")


def backslash_remark(file: FileRef) -> tuple[str, ...]:
    """Return what a user should know of texts of a file whose backslash is written as "/"."""
    with file.open() as stream:
        dataset = pydicom.dcmread(
            stream, stop_before_pixels=True, specific_tags=[Tag(one) for one in _SHOWN], force=True
        )
    found = [keyword for keyword in _SHOWN if b"\\" in _bytes(dataset.get_item(keyword))]
    if not found:
        return ()
    hold = "hold" if len(found) > 1 else "holds"
    return (f'{" and ".join(found)} {hold} a backslash, which separates values in DICOM; it is written as "/".',)


def _bytes(element: object) -> bytes:
    return element.value or b"" if isinstance(element, RawDataElement) else b""


def _date(value: bytes) -> bytes:
    found = _DATE.fullmatch(value)
    if found is None:
        return value
    year, _, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return value
    return bytes(year + month + day)


def _time(value: bytes) -> bytes:
    found = _TIME.fullmatch(value)
    return b"".join(part or b"" for part in found.groups()) if found else value


def _moment(value: bytes) -> bytes:
    found = _MOMENT.fullmatch(value)
    return _date(found[1]) + _time(found[2]) if found else value


def _age(value: bytes) -> bytes:
    found = _AGE.fullmatch(value)
    return found[1].rjust(3, b"0") + found[2].upper() if found else value


def _decimal(value: bytes) -> bytes:
    if len(value) <= _LONGEST_NUMBER:
        return value
    try:
        return format_number_as_ds(float(value)).encode()
    except ValueError:
        return value


def _whole(value: bytes) -> bytes:
    found = _WHOLE.fullmatch(value)
    return found[1] if found else value


_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "DA": _date,
    "TM": _time,
    "DT": _moment,
    "AS": _age,
    "CS": bytes.upper,
    "DS": _decimal,
    "IS": _whole,
}


def _mend_character_set(dataset: Dataset) -> None:
    """ISO-8859-1, UTF-8 and ISO-IR 100 in the standard's words."""
    raw = dataset.get_item("SpecificCharacterSet")
    if raw is None or not raw.value:
        return
    said = raw.value.decode("ascii", "replace") if isinstance(raw.value, bytes) else str(raw.value)
    plain = re.sub(r"[-_ ]", "", said.strip(" \0").upper())
    latin = re.fullmatch(r"ISO8859([1-9])|LATIN1", plain)
    number = re.fullmatch(r"ISOIR(\d{1,3})", plain)
    if latin:
        right = f"ISO_IR {_LATIN[int(latin[1] or 1)]}"
    elif plain == "UTF8":
        right = "ISO_IR 192"
    elif number:
        right = f"ISO_IR {number[1]}"
    else:
        return
    if right != said.strip(" \0"):
        dataset.SpecificCharacterSet = right
