"""Pixels stored as floating-point numbers (Float Pixel Data, Double Float Pixel Data), or none at all: refused by name."""

import pydicom
from pydicom.tag import Tag

from demottle.errors import InputError
from demottle.io.dicom.slice_header import SliceHeader

FLOAT_PIXELS = ("FloatPixelData", "DoubleFloatPixelData")
_KINDS = {"FloatPixelData": "Float Pixel Data", "DoubleFloatPixelData": "Double Float Pixel Data"}
_PIXEL_DATA = b"\xe0\x7f\x10\x00"  # compressed files are little-endian
_OF_FLOATS = 32  # bits allocated; fewer hold no floating-point number


def refuse_float_pixels(header: SliceHeader, *, always: bool = False) -> None:
    """Refuse an object whose pixels are floating-point numbers, and one that holds none.

    `always` looks into files whose pixels are too short for that as well: slow, for the sentence about a failure only.

    Raises:
        InputError: see above.
    """
    if header.bits_allocated < _OF_FLOATS and not always:
        return
    wanted = [Tag(keyword) for keyword in (*FLOAT_PIXELS, "PixelData")]
    try:
        with header.file.open() as stream:
            dataset = pydicom.dcmread(stream, specific_tags=wanted, force=True)
    except Exception:  # pydicom raises many types on arbitrary bytes; what fails next will say more
        return
    for keyword in FLOAT_PIXELS:
        if keyword in dataset:
            raise InputError(
                f"{header.file.name} holds {_KINDS[keyword]} (floating-point numbers), which demottle does not read; convert it "
                "to NIfTI or to whole numbers with a rescale."
            )
    if "PixelData" not in dataset and not _begins_pixels(header):
        raise InputError(f"{header.file.name} holds no pixels (Pixel Data is missing); replace or remove it.")


def _begins_pixels(header: SliceHeader) -> bool:
    """True for a file that is cut off within its compressed pixels, which pydicom leaves out then."""
    with header.file.open() as stream:
        pydicom.dcmread(stream, stop_before_pixels=True, force=True)
        return stream.read(len(_PIXEL_DATA)) == _PIXEL_DATA
