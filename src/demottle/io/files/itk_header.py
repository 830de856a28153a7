"""The headers of MetaImage and NRRD, read before ITK reads them: on some broken ones ITK ends the whole program."""

import os
import re
from pathlib import Path

from demottle.errors import InputError
from demottle.io.bombs import refuse_bomb, stored_size

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
_NUMBERS_OF_THREE = {
    **dict.fromkeys(("transformmatrix", "rotation", "orientation"), 9),
    **dict.fromkeys(("offset", "position", "origin", "centerofrotation", "elementspacing", "elementsize"), 3),
}


def refuse_broken_header(path: Path, kind: str) -> None:
    """Refuse a header that ITK would stumble over, and one that states more than its file can hold.

    Args:
        path: path of the header; its data may lie in another file.
        kind: "mha", "mhd" or "nrrd".

    Raises:
        InputError: not a header of this kind; other than three dimensions; sizes or types that make no sense; too much stated.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    voxels, width, data, start = _nrrd(path, head) if kind == "nrrd" else _metaimage(path, head)
    stated = voxels * width
    if data is None:
        return  # several files, or a place that only ITK finds
    if not data.is_file():
        raise InputError(f"{path} says that its voxels are in {data.name}, which is missing; put both in one folder.")
    if start is not None and data.stat().st_size - start < stated:
        raise InputError(f"{path} is truncated: it states {stated} bytes of voxels, and fewer are there; replace it.")
    refuse_bomb(str(path), stated, stored_size(data))


def _metaimage(path: Path, head: bytes) -> tuple[int, int, Path | None, int | None]:
    """Return voxels, bytes of each, the file they are in, and where they begin (None: packed, or not known)."""
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
    name = entries["elementdatafile"]
    packed = entries.get("compresseddata", "False").lower().startswith(("t", "1"))
    if name.upper() == "LOCAL":
        return _product(sizes), width, path, None if packed else end
    several = name.upper() == "LIST" or "%" in name or (" " in name and not (path.parent / name).exists())
    return _product(sizes), width, None if several else _beside(path, name), None


def _nrrd(path: Path, head: bytes) -> tuple[int, int, Path | None, int | None]:
    found = re.match(rb"NRRD\d{4}\r?\n", head)
    end = re.search(rb"\r?\n\r?\n", head)
    if found is None:
        raise InputError(f"{path} is not a readable image: it does not begin as an NRRD file; replace it.")
    text = os.fsdecode(head[found.end() : len(head) if end is None else end.start()])
    entries: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("#") or ":=" in line:
            continue
        key, colon, value = line.partition(":")
        if colon:
            entries[key.strip().lower()] = value.strip()
    sizes = _whole(path, "sizes", entries.get("sizes", ""))
    if _whole(path, "dimension", entries.get("dimension", "")) != [3] or len(sizes) != 3:
        raise InputError(
            f"{path} has dimension {entries.get('dimension', '(none)')} and sizes {entries.get('sizes', '(none)')}; "
            "demottle needs one 3-D volume of single values."
        )
    width = _NRRD_BYTES.get(entries.get("type", "").lower())
    if width is None:
        raise InputError(f"{path} states the type {entries.get('type', '(none)')!r}, which holds no numbers.")
    name = entries.get("data file", entries.get("datafile"))
    raw = entries.get("encoding", "").lower() == "raw"
    skips = {"line skip", "lineskip", "byte skip", "byteskip"} & set(entries)
    if name is None:
        if end is None:
            raise InputError(f"{path} is not a readable image: its NRRD header has no end; replace it.")
        return _product(sizes), width, path, end.end() if raw and not skips else None
    several = name.upper().startswith("LIST") or "%" in name
    return _product(sizes), width, None if several else _beside(path, name), None


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
