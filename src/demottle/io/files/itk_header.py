"""The headers of MetaImage and NRRD, read before ITK reads them: on some broken ones ITK ends the whole program."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from demottle.errors import InputError
from demottle.io.bombs import refuse_bomb, stored_size
from demottle.io.files.packed import refuse_broken_stream

_HEAD = 1 << 16  # bytes; real headers have some hundred to some thousand
_MET_BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "LONG": 4, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8}
_NRRD_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(
        ("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t", "float"), 4
    ),
    **dict.fromkeys(("longlong", "long long", "long long int", "int64", "int64_t", "double"), 8),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
}
_OTHER_UNITS = {
    *("m", "meter", "meters", "metre", "metres", "cm", "centimeter", "centimeters", "inch", "inches", "in"),
    *(
        "um",
        "µm",
        "μm",
        "micron",
        "microns",
        "micrometer",
        "micrometers",
        "micrometre",
        "nm",
        "nanometer",
        "nanometers",
    ),
}
_KINDS_OF_SPACE = ("domain", "space", "time", "none", "???", "scalar", "stub")
_TEXTS = ("ascii", "text", "txt", "hex")
_NO_SIZE = (
    "{name} states no voxel size; 1 mm is assumed in each direction, so lengths and frequencies are not to be trusted."
)
_NUMBERS_OF_THREE = {
    **dict.fromkeys(("transformmatrix", "rotation", "orientation"), 9),
    **dict.fromkeys(("offset", "position", "origin", "centerofrotation", "elementspacing", "elementsize"), 3),
}


@dataclass(frozen=True)
class _Stated:
    """What a header says of its voxels.

    Attributes:
        count: how many there are.
        width: bytes of each.
        data: the file they are in; None: several files, or a place that only ITK finds.
        start: byte where raw ones begin; None: packed, or not known.
        packed: first and last byte of a packed stream (gzip, zlib), None for the end of the file; None: not packed, or not known.
        sized: False where the header gives no size of a voxel.
        remark: what to warn of besides.
    """

    count: int
    width: int
    data: Path | None
    start: int | None = None
    packed: tuple[int, int | None] | None = None
    sized: bool = True
    remark: str = ""


def checked_header(path: Path, kind: str) -> tuple[str, ...]:
    """Refuse a header that ITK would stumble over, and one that states more than its file can hold; return what to warn of.

    Args:
        path: path of the header; its data may lie in another file.
        kind: "mha", "mhd" or "nrrd".

    Raises:
        InputError: not a header of this kind; other than three dimensions; sizes or types that make no sense; lengths in another
            unit than mm; too much stated; packed voxels that do not come out whole.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    stated = _nrrd(path, head) if kind == "nrrd" else _metaimage(path, head)
    size = stated.count * stated.width
    doubts = tuple(text for text in ("" if stated.sized else _NO_SIZE.format(name=path.name), stated.remark) if text)
    if stated.data is None:
        return doubts
    if not stated.data.is_file():
        raise InputError(
            f"{path} says that its voxels are in {stated.data.name}, which is missing; put both in one folder."
        )
    if stated.start is not None and stated.data.stat().st_size - stated.start < size:
        raise InputError(f"{path} is truncated: it states {size} bytes of voxels, and fewer are there; replace it.")
    refuse_bomb(str(path), size, stored_size(stated.data))
    if stated.packed is not None:
        refuse_broken_stream(path, stated.data, *stated.packed, size)
    return doubts


def _metaimage(path: Path, head: bytes) -> _Stated:
    entries, end = _metaimage_entries(path, head)
    _refuse_other_units(path, "MetaImage", [entries.get("distanceunits", "")])
    return replace(_metaimage_places(path, entries, end), remark=_line_remark(path, entries))


def _line_remark(path: Path, entries: Mapping[str, str]) -> str:
    """What to say of a straight line that would give the numbers another meaning: ITK and what is built on it ignore it."""
    line = [
        entries.get(f"elementtointensityfunction{part}", usual) for part, usual in (("slope", "1"), ("offset", "0"))
    ]
    slope, offset = (_real(path, "ElementToIntensityFunction", text) for text in line)
    if (slope, offset) == ([1.0], [0.0]):
        return ""
    return (
        f"{path.name} states ElementToIntensityFunctionSlope {line[0]} and Offset {line[1]}, which programs built on ITK do not "
        "apply: the numbers are taken as they are stored."
    )


def _metaimage_places(path: Path, entries: Mapping[str, str], end: int) -> _Stated:
    count, width = _metaimage_voxels(path, entries)
    name = entries["elementdatafile"]
    sized = any(key in entries for key in ("elementspacing", "elementsize"))
    packed = entries.get("compresseddata", "False").lower().startswith(("t", "1"))
    length = int(entries.get("compresseddatasize", "0")) if entries.get("compresseddatasize", "0").isdigit() else 0
    skipped = entries.get("headersize", "0") != "0"
    stream: tuple[int, int | None] | None
    if name.upper() == "LOCAL":
        if packed and not length:
            raise InputError(
                f"{path} is compressed but does not state CompressedDataSize, without which its voxels are not found; write it "
                "again without compression."
            )
        stream = (end, end + length) if packed and not skipped else None
        return _Stated(count, width, path, None if packed else end, stream, sized)
    several = name.upper() == "LIST" or "%" in name or (" " in name and not (path.parent / name).exists())
    if several:
        return _Stated(count, width, None, sized=sized)
    stream = (0, length or None) if packed and not skipped else None
    return _Stated(count, width, _beside(path, name), None, stream, sized)


def _metaimage_entries(path: Path, head: bytes) -> tuple[dict[str, str], int]:
    """Return the entries by name in small letters, and where the header ends."""
    entries: dict[str, str] = {}
    end = None
    for line in re.finditer(rb"[^\n]*\n", head):
        key, equals, value = os.fsdecode(line.group()).partition("=")
        if not equals:
            break
        entries[key.strip().lower()] = value.strip()
        if key.strip().lower() == "elementdatafile":
            end = line.end()
            break
    if end is None or "ndims" not in entries:
        raise InputError(f"{path} is not a readable image: its MetaImage header is broken or incomplete; replace it.")
    return entries, end


def _metaimage_voxels(path: Path, entries: Mapping[str, str]) -> tuple[int, int]:
    """Return how many voxels there are, and the bytes of each."""
    sizes = _whole(path, "DimSize", entries.get("dimsize", ""))
    if _whole(path, "NDims", entries["ndims"]) != [3] or len(sizes) != 3:
        raise InputError(
            f"{path} has NDims {entries['ndims']} and DimSize {entries.get('dimsize', '(none)')}; demottle needs one 3-D volume."
        )
    for key, count in _NUMBERS_OF_THREE.items():
        if key in entries and len(_real(path, key, entries[key])) != count:
            raise InputError(
                f"{path} has {key} {entries[key]!r} in its header, where {count} numbers belong; replace it."
            )
    element = entries.get("elementtype", "").upper().removeprefix("MET_").removesuffix("_ARRAY")
    width = _MET_BYTES.get(element.removeprefix("U"))
    if width is None:
        raise InputError(
            f"{path} states the element type {entries.get('elementtype', '(none)')!r}, which holds no numbers."
        )
    if _whole(path, "ElementNumberOfChannels", entries.get("elementnumberofchannels", "1")) != [1]:
        raise InputError(f"{path} has several values per voxel; demottle needs one 3-D volume of single values.")
    return _product(sizes), width


def _nrrd(path: Path, head: bytes) -> _Stated:
    entries, end = _nrrd_entries(path, head)
    sizes = _whole(path, "sizes", entries.get("sizes", ""))
    if _whole(path, "dimension", entries.get("dimension", "")) != [3] or len(sizes) != 3:
        raise InputError(
            f"{path} has dimension {entries.get('dimension', '(none)')} and sizes {entries.get('sizes', '(none)')}; "
            "demottle needs one 3-D volume of single values."
        )
    width = _NRRD_BYTES.get(entries.get("type", "").lower())
    if width is None:
        raise InputError(f"{path} states the type {entries.get('type', '(none)')!r}, which holds no numbers.")
    units = re.findall(r'"([^"]*)"', entries.get("space units", "") + entries.get("units", ""))
    _refuse_other_units(path, "NRRD", units)
    for kind in entries.get("kinds", "").split():
        if kind.strip('"').lower() not in _KINDS_OF_SPACE:
            raise InputError(
                f"{path} has an axis of the kind {kind}, not of space: several values per voxel; demottle needs one 3-D volume "
                "of single values."
            )
    encoding = entries.get("encoding", "").lower()
    whole = end is not None or "data file" in entries or "datafile" in entries  # else the file ends within its header
    if whole and width > 1 and "endian" not in entries and encoding not in _TEXTS:
        raise InputError(
            f"{path} does not state the order of its bytes (endian), so its values are not known; repair it."
        )
    if encoding in ("bzip2", "bz2"):
        raise InputError(
            f"{path} is packed with bzip2, which demottle does not read; write it again with the encoding gzip or raw."
        )
    count, sized = _product(sizes), _nrrd_is_sized(entries)
    name = entries.get("data file", entries.get("datafile"))
    skips = {"line skip", "lineskip", "byte skip", "byteskip"} & set(entries)
    packed = encoding in ("gzip", "gz") and not skips
    if name is None:
        if end is None:
            raise InputError(f"{path} is not a readable image: its NRRD header has no end; replace it.")
        start = end if encoding == "raw" and not skips else None
        return _Stated(count, width, path, start, (end, None) if packed else None, sized)
    if name.upper().startswith("LIST") or "%" in name:
        return _Stated(count, width, None, sized=sized)
    return _Stated(count, width, _beside(path, name), None, (0, None) if packed else None, sized)


def _nrrd_entries(path: Path, head: bytes) -> tuple[dict[str, str], int | None]:
    """Return the fields by name in small letters, and where the header ends."""
    found = re.match(rb"NRRD\d{4}\r?\n", head)
    end = re.search(rb"\r?\n\r?\n", head)
    if found is None:
        raise InputError(f"{path} is not a readable image: it does not begin as an NRRD file; replace it.")
    entries: dict[str, str] = {}
    for line in os.fsdecode(head[found.end() : len(head) if end is None else end.start()]).splitlines():
        if line.startswith("#") or ":=" in line:
            continue
        key, colon, value = line.partition(":")
        if colon:
            entries[key.strip().lower()] = value.strip()
    return entries, None if end is None else end.end()


def _nrrd_is_sized(entries: Mapping[str, str]) -> bool:
    """False where neither directions nor distances of the voxels are given; a distance that is not known is written as NaN."""
    stated = entries.get("space directions", "") + entries.get("spacings", "")
    return bool(re.search(r"\d", stated)) and "nan" not in stated.lower()


def _refuse_other_units(path: Path, kind: str, units: Sequence[str]) -> None:
    """Refuse lengths that are not in mm: ITK and the programs built on it take them as mm without a word."""
    for unit in units:
        if unit.strip().lower() in _OTHER_UNITS:
            raise InputError(
                f"{path} states its lengths in {unit.strip()}; demottle reads {kind} in mm only, so write it again in mm."
            )


def _beside(path: Path, name: str) -> Path:
    """Return the file that a header names for its voxels, which has to lie beside or below it.

    Raises:
        InputError: it lies elsewhere; a header from elsewhere could name any file of this machine.
    """
    data = path.parent / name
    if path.parent.resolve() not in data.resolve().parents:
        raise InputError(
            f"{path} says that its voxels are in {name}, outside of its own folder; put both in one folder."
        )
    return data


def _whole(path: Path, key: str, text: str) -> list[int]:
    """Return positive whole numbers."""
    if not re.fullmatch(r"\s*\+?\d{1,9}(\s+\+?\d{1,9})*\s*", text):
        raise InputError(f"{path} has {key} {text!r} in its header, where whole numbers belong; replace it.")
    numbers = [int(word) for word in text.split()]
    if min(numbers) < 1:
        raise InputError(f"{path} has {key} {text!r} in its header, which leaves no voxels; replace it.")
    return numbers


def _real(path: Path, key: str, text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError as error:
        raise InputError(f"{path} has {key} {text!r} in its header, where numbers belong; replace it.") from error


def _product(sizes: list[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product
