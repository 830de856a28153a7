"""Whether pixels were compressed with loss: by the header, the transfer syntax, or the compressed stream itself."""

import struct
from collections.abc import Sequence

import pydicom
from pydicom.encaps import generate_fragments
from pydicom.uid import HTJ2K, JPEG2000

from demottle.io.dicom.slice_header import SliceHeader

_COD, _TILE = 0x52, 0x90
_MAY_LOSE = (JPEG2000, HTJ2K)
"""Transfer syntaxes of which only the stream tells."""


def lossy_remark(slices: Sequence[SliceHeader]) -> tuple[str, ...]:
    """Return what a user should know of pixels that were compressed with loss; of streams only the first is looked at."""
    if not any(header.lossy for header in slices) and not _first_is_irreversible(slices[0]):
        return ()
    return (
        "The pixels were compressed with loss, which changed their noise: trust measures of it, and the result, less.",
    )


def _first_is_irreversible(header: SliceHeader) -> bool:
    if header.transfer_syntax not in _MAY_LOSE:
        return False
    with header.file.open() as stream:
        data = pydicom.dcmread(stream, specific_tags=["PixelData"]).get("PixelData")
    return is_irreversible(data, header.transfer_syntax)


def is_irreversible(data: object, transfer_syntax: str) -> bool:
    """True for compressed pixels whose JPEG 2000 stream says that it lost something.

    The wavelet tells: 9-7 (0 at the end of the COD marker, ISO/IEC 15444-1 A.6.1) is never reversible.
    """
    if transfer_syntax not in _MAY_LOSE or not isinstance(data, bytes):
        return False
    _, *fragments = generate_fragments(data)
    stream, at = fragments[0] if fragments else b"", 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] not in (_COD, _TILE):
        at += 2 + int(struct.unpack_from(">H", stream, at + 2)[0])
    return at + 14 <= len(stream) and stream[at : at + 2] == bytes((0xFF, _COD)) and stream[at + 13] == 0
