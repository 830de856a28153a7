"""Is an object whole? Its elements are stepped over to the end of the file, without reading what they hold.

A connection that breaks off, a full disk at the sender or a file that was cut leaves a data set whose header reads well and whose
pixels are not all there. Who learns that in time can still send it again.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from demottle.io.bombs import refuse_deflate_bomb

SHAPE = ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated")
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
CUT_SHORT = "the data set is cut short"


@dataclass(frozen=True)
class _Element:
    vr: str | None
    length: int


def read_header(file: Path, tags: list[str]) -> tuple[Dataset, str]:
    """Read elements of an object (DICOM Part 10), and look whether it is whole.

    Args:
        file: the object.
        tags: keywords of the elements.

    Returns:
        The elements, and why the object is not whole: empty where it is.

    Raises:
        zlib.error: it is deflated, and the end is missing.
        Exception: pydicom raises many types on broken data sets.
    """
    found: list[_Element] = []

    def at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag in _PIXELS:
            found.append(_Element(vr, length))
        return bool(found)

    with file.open("rb") as stream:
        _refuse_bomb(file.name, stream)
        header = read_partial(stream, at_pixels, specific_tags=[Tag(one) for one in (*tags, *SHAPE)])
        if not found:
            return header, f"{CUT_SHORT}: it has no pixel data"
        deflated = header.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
        return header, _wrong(stream, header, found[0], deflated)


def _refuse_bomb(name: str, stream: BinaryIO) -> None:
    """Pydicom unpacks what is deflated as a whole."""
    head = stream.read(512)
    if DeflatedExplicitVRLittleEndian.encode() in head:
        stream.seek(144 + int.from_bytes(head[140:144], "little"))
        refuse_deflate_bomb(name, stream.read())
    stream.seek(0)


def _wrong(stream: BinaryIO, header: Any, pixels: _Element, deflated: bool) -> str:
    expected, frames = _expected(header)
    if pixels.length != _UNDEFINED and pixels.length < expected:
        return f"{pixels.length} bytes of pixels, and its shape takes {expected}"
    if deflated:  # what was unpacked to the end is whole
        return ""
    implicit, little = header.original_encoding
    end = "<" if little else ">"
    size = os.fstat(stream.fileno()).st_size
    stream.seek(12 if pixels.vr in EXPLICIT_VR_LENGTH_32 else 8, os.SEEK_CUR)
    if pixels.length == _UNDEFINED:
        fragments = _fragments(stream, size, end)
        if fragments is None:
            return CUT_SHORT
        if fragments < frames:
            return f"{fragments} of {frames} frames are there"
    elif not _skipped(stream, pixels.length, size):
        return CUT_SHORT
    return _rest(stream, size, end, implicit)


def _expected(header: Any) -> tuple[int, int]:
    """Bytes that native pixels take at least, and the number of frames; 0 where the header does not say."""
    try:
        frames = int(header.get("NumberOfFrames") or 1)
        values = int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel") or 1) * frames
        return values * int(header.BitsAllocated) // 8, frames
    except (AttributeError, TypeError, ValueError):
        return 0, 0


def _fragments(stream: BinaryIO, size: int, end: str) -> int | None:
    """How many fragments encapsulated pixels have, without the offset table; None where they do not end in the file."""
    found = -1
    while len(head := stream.read(8)) == 8:
        group, element, length = struct.unpack(f"{end}HHL", head)
        if group << 16 | element == _END:
            return max(found, 0)
        if group << 16 | element != _ITEM or not _skipped(stream, length, size):
            return None
        found += 1
    return None


def _rest(stream: BinaryIO, size: int, end: str, implicit: bool) -> str:
    """Step over what stands behind the pixels; a sequence of undefined length there is not looked into."""
    while len(head := stream.read(8)) == 8:
        length, vr = struct.unpack(f"{end}L", head[4:])[0], head[4:6].decode("latin-1")
        if not implicit:
            length = struct.unpack(f"{end}H", head[6:])[0]
            if vr in EXPLICIT_VR_LENGTH_32:
                more = stream.read(4)
                if len(more) < 4:
                    return CUT_SHORT
                length = struct.unpack(f"{end}L", more)[0]
        if length == _UNDEFINED:
            return ""
        if not _skipped(stream, length, size):
            return CUT_SHORT
    return ""


def _skipped(stream: BinaryIO, length: int, size: int) -> bool:
    """Step over a value; False where the file ends before it."""
    return stream.seek(length, os.SEEK_CUR) <= size
