"""What is read of one file, as plain values that go between processes and into the state; nothing of it is executed."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from demottle.io.dicom.aside import Aside
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.payload import quiet_pydicom
from demottle.io.dicom.scan import scan_with
from demottle.io.dicom.slice_header import SliceHeader, number, text
from demottle.node.facts import GROUPS
from demottle.node.facts import TEXTS as SAID

TEXTS = {name: element for name, element in SAID.items() if name != "modality"}
"""Columns of a series and the elements they come from."""
NUMBERS = {"kvp": "KVP", "dose": "CTDIvol"}
_MAS = "Exposure"  # mAs
_NAMES = {"patient": "PatientID", "patient_name": "PatientName"}
_KEYWORDS = [*TEXTS.values(), *NUMBERS.values(), _MAS, "ExposureInmAs", *_NAMES.values()]
_ELEMENT = 8  # bytes before the pixels in their element, at least
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")


@dataclass(frozen=True)
class Read:
    """What was read of one file.

    Attributes:
        path: from the root.
        sop_uid, series_uid: empty where it has none.
        wrong: why it cannot be used, empty where it can; without the path, which its row has.
        header: slices and facts, packed (`unpacked`); empty where there is no slice in it.
    """

    path: str
    sop_uid: str = ""
    series_uid: str = ""
    wrong: str = ""
    header: bytes = b""


def read_file(root: Path, path: str, names: bool) -> Read:
    """Read the header of one file. Whatever is wrong with it is said in `wrong`.

    Args:
        root: folder of the archive.
        path: of the file, from there.
        names: keep the patient's ID and name.
    """
    file = FileRef(root / path)
    with quiet_pydicom():
        try:
            found, header = scan_with(file, _KEYWORDS)
            if isinstance(found, Aside):
                known = text(header, "SOPInstanceUID") if found.series_uid else ""
                return Read(path, known, found.series_uid, _without_path(_why(found), file))
            if not found[0].series_uid:
                return Read(path, found[0].sop_uid, wrong="It states no SeriesInstanceUID; repair the header.")
            cut = _cut_short(found[0], file.size - int(header.pixels_begin))
            if cut:
                return Read(path, found[0].sop_uid, found[0].series_uid, cut)
            return Read(path, found[0].sop_uid, found[0].series_uid, "", packed(found, facts_of(header, names)))
        except Exception as error:  # a file that nobody has thought of must not cost the others
            return Read(path, wrong=f"The header cannot be read ({type(error).__name__}).")


def _why(aside: Aside) -> str:
    if aside.broken:
        return aside.broken
    if aside.kind:
        return f"It is not a scan: {aside.kind}."
    return "It is an archive; unpack it first." if aside.archive else "It is not DICOM."


def _without_path(sentence: str, file: FileRef) -> str:
    """The row has the path, and the same reason should read the same for every file."""
    for noun in ("file", "image"):
        sentence = sentence.replace(f"{noun} {file.name}", noun)
    return sentence.replace(file.name, "this file")


def _cut_short(first: SliceHeader, left: int) -> str:
    """Say where a file is too short for the pixels that its header states; of compressed ones only their decoder knows.

    Args:
        first: one of its slices.
        left: bytes from where the element with the pixels begins.
    """
    if first.transfer_syntax not in _NATIVE or first.tiles:
        return ""
    pixels = first.rows * first.columns * first.samples * first.bits_allocated // 8 * first.frames
    missing = pixels + _ELEMENT - left
    return f"The file is cut short: its pixels lack {missing} of {pixels} bytes; fetch it again." if missing > 0 else ""


def facts_of(header: Dataset, names: bool) -> dict[str, Any]:
    """What a header says of the whole series; enhanced objects say it in their shared functional groups."""
    places = [header]
    for shared in header.get("SharedFunctionalGroupsSequence") or ():
        for name in GROUPS:
            places += list(shared.get(name) or ())
    facts: dict[str, Any] = {key: _first_text(places, keyword) for key, keyword in TEXTS.items()}
    facts.update({key: _first_number(places, keyword) for key, keyword in NUMBERS.items()})
    facts["mas"] = _first_number(places, "ExposureInmAs", _MAS)
    if names:
        facts.update({key: _first_text([header], keyword) for key, keyword in _NAMES.items()})
    return facts


def _first_text(places: Sequence[Dataset], keyword: str) -> str:
    found = next((said for place in places if (said := text(place, keyword))), "")
    return "".join(one if one.isprintable() else " " for one in found).strip()


def _first_number(places: Sequence[Dataset], *keywords: str) -> float | None:
    found = (number(place, keyword) for keyword in keywords for place in places)
    return next((value for value in found if value is not None), None)


def packed(slices: Sequence[SliceHeader], facts: Mapping[str, Any]) -> bytes:
    """Pack what is known of one file; the patient's ID only as a number that tells two patients of one study apart."""
    rows = []
    for one in slices:
        row = {name: getattr(one, name) for name in _FIELDS}
        row["patient"] = one.patient and hashlib.sha256(f"{one.study_uid} {one.patient}".encode()).hexdigest()[:16]
        row["traits"] = dict(one.traits)
        rows.append(row)
    return zlib.compress(json.dumps([facts, rows]).encode(), 1)


def unpacked(root: Path, path: str, header: bytes) -> tuple[list[SliceHeader], dict[str, Any]]:
    """Return slices and facts of what `packed` packed."""
    facts, rows = json.loads(zlib.decompress(header))
    file = FileRef(root / path)
    return [SliceHeader(file=file, **{name: _frozen(value) for name, value in row.items()}) for row in rows], facts


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


_FIELDS = [field.name for field in fields(SliceHeader) if field.name not in ("file", "traits")]
