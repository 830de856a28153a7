"""How many pixels a file holds: a header that says otherwise would be read with wrong values, or without some of its frames.

Decoders of JPEG-LS and RLE cut what they decode to the size that the header states, so rows run into each other and no error
is raised. The size stands in the frame header of a JPEG or JPEG-LS stream (ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2), in the SIZ
marker of JPEG 2000 (ISO/IEC 15444-1 A.5.1); RLE (DICOM PS3.5 G) has none, but its first segment holds a byte for each pixel.
A frame of JPEG begins with a marker, one of RLE with its table of segments. Pixels that are not compressed are counted by their
bytes; less than a frame behind them is padding of old writers.
"""

import io
import struct
from typing import Any

import pydicom
from pydicom.encaps import generate_fragments, generate_frames
from pydicom.uid import RLELossless

from demottle.errors import InputError, counted
from demottle.io.dicom.slice_header import SliceHeader

_START, _END, _SIZ, _SCAN = 0xD8, 0xD9, 0x51, 0xDA
_BEGIN = (b"\xff\xd8", b"\xff\x4f")  # JPEG and JPEG-LS; JPEG 2000
_ENTRY = 4  # bytes in a table of offsets
_RLE_HEADER = 64  # bytes
_FRAGMENT, _FRAGMENT_HEAD = b"\xfe\xff\x00\xe0", 8
_BEFORE_FRAGMENTS = 12  # bytes of the element's tag, type and length
_UNDEFINED = 0xFFFFFFFF
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # all start-of-frame markers; C4, C8 and CC are others
_ALONE = {0x01, _START, _END, *range(0xD0, 0xD8), 0x4F}  # markers without a length


def check_coded_size(header: SliceHeader) -> bool:
    """Compare what a compressed file's header states with what is coded.

    Returns True where the one frame lies in several fragments and the table of offsets lists each of them, as only frames should
    be: decoders take the first fragment for all of it.

    Raises:
        InputError: the size of the first frame differs, or more frames are coded than stated.
        EOFError: the file ends within what is coded, where decoders of JPEG-LS go on without end.
    """
    with header.file.open() as stream:
        data = pydicom.dcmread(stream, specific_tags=["PixelData"]).get("PixelData")
    if not data:
        _refuse_cut_off(header)
        return False  # only the mark of the end is missing
    _refuse_more_frames(header, _coded_frames(data))
    table = next(generate_fragments(data), b"")
    split = bool(header.frames == 1 and len(table) > _ENTRY)
    if split:
        data = untabled(data)
    frame = next(generate_frames(data, number_of_frames=header.frames), b"")
    stated = header.rows, header.columns
    if header.transfer_syntax == RLELossless:
        pixels = rle_pixels(frame)
        if pixels is not None and pixels - stated[0] * stated[1] > 1:  # segments are padded to an even length
            raise InputError(
                f"{header.file.name} states {stated[0]} x {stated[1]} pixels, but {pixels} are coded; repair the header."
            )
        return split
    coded = coded_size(frame)
    if coded is not None and coded != stated:
        raise InputError(
            f"{header.file.name} states {stated[0]} x {stated[1]} pixels, but {coded[0]} x {coded[1]} are coded; "
            "repair the header."
        )
    return split


def _refuse_cut_off(header: SliceHeader) -> None:
    """Look at the fragments of a file that ends without the mark of their end; a last byte that pads may be missing.

    Raises:
        EOFError: the file ends within a fragment, or before the first one.
    """
    with header.file.open() as stream:
        pydicom.dcmread(stream, stop_before_pixels=True, force=True)
        stream.seek(_BEFORE_FRAGMENTS, io.SEEK_CUR)
        size, fragments = 0, 0
        while (head := stream.read(_FRAGMENT_HEAD))[:4] == _FRAGMENT and len(head) == _FRAGMENT_HEAD:
            size = int.from_bytes(head[4:], "little")
            content = stream.read(size)
            if len(content) < size - 1:
                raise EOFError(f"fragment {fragments} of {header.file.name}")
            fragments += 1
    if fragments < 2:  # the table of offsets is one
        raise EOFError(header.file.name)


def untabled(data: bytes) -> bytes:
    """Compressed pixels without their table of offsets: all fragments of the one frame belong together then."""
    length = int.from_bytes(data[4:8], "little")
    return data[:4] + bytes(4) + data[8 + length :]


def check_native_size(header: SliceHeader) -> None:
    """Refuse pixels that are not compressed where whole frames follow those that the header states.

    Raises:
        InputError: says how many there are.
    """
    frame = header.rows * header.columns * header.samples * header.bits_allocated // 8
    if not frame or header.file.length < frame * (header.frames + 1):  # that is so of nearly all
        return
    with header.file.open() as stream:
        dataset = pydicom.dcmread(stream, specific_tags=["PixelData"], defer_size=0, force=True)
    element: Any = dataset.get_item("PixelData", keep_deferred=True) if "PixelData" in dataset else None
    length = 0 if element is None else int(element.length)
    if length != _UNDEFINED:
        _refuse_more_frames(header, length // frame)


def _refuse_more_frames(header: SliceHeader, held: int) -> None:
    if held > header.frames:
        stated = counted(header.frames, "frame")
        raise InputError(
            f"{header.file.name} states {stated} of {header.rows} x {header.columns} pixels but holds pixels for {held}; "
            "set NumberOfFrames, or Rows and Columns, right."
        )


def _coded_frames(data: bytes) -> int:
    """Frames in compressed pixels: the fragments that a frame begins with. Tables of offsets list other fragments too."""
    _, *fragments = generate_fragments(data)
    return sum(fragment[:2] in _BEGIN or _begins_rle(fragment) for fragment in fragments)


def _begins_rle(fragment: bytes) -> bool:
    if len(fragment) < _RLE_HEADER:
        return False
    number, first = struct.unpack_from("<II", fragment)
    return bool(0 < number <= 15 and first == _RLE_HEADER)


def coded_size(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns of a JPEG, JPEG-LS or JPEG 2000 stream; None where they are not found."""
    at = 0
    while at + 4 <= len(stream):
        if stream[at] != 0xFF:
            return None
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES and at + 9 <= len(stream):
            rows, columns = struct.unpack_from(">HH", stream, at + 5)
            return rows, columns
        elif marker == _SIZ and at + 22 <= len(stream):
            right, bottom, left, top = struct.unpack_from(">IIII", stream, at + 6)
            return bottom - top, right - left
        elif marker == _SCAN:
            return None
        else:
            at += 2 + int(struct.unpack_from(">H", stream, at + 2)[0])
    return None


def rle_pixels(frame: bytes) -> int | None:
    """Bytes that the first segment of an RLE frame decodes to, one for each pixel; None where its header is broken."""
    if len(frame) < 64:
        return None
    number, first, second = struct.unpack_from("<III", frame)
    end = second if number > 1 else len(frame)
    if not (0 < number <= 15 and 64 <= first < end <= len(frame)):
        return None
    at, pixels = first, 0
    while at < end:
        head = frame[at]
        if head < 128:
            pixels += min(head + 1, end - at - 1)
            at += head + 2
        elif head > 128:
            pixels += 257 - head
            at += 2
        else:
            at += 1
    return pixels
