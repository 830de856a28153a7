"""Overlays that old files keep in the unused bits of the pixels: today's place for them is Overlay Data (PS3.3 C.9.2)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from demottle.io.dicom.pixels import iter_stored
from demottle.io.dicom.slice_header import SliceHeader, is_encapsulated

_LOOKED_AT = 5  # slices
_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _FRAME_ORIGIN = 0x0010, 0x0011, 0x0015, 0x0051
_BITS_ALLOCATED, _BIT_POSITION, _DATA = 0x0100, 0x0102, 0x3000


def embedded_overlays(dataset: Dataset, header: SliceHeader) -> dict[int, int]:
    """Return the bit of the pixels that holds each overlay which lies there, by the overlay's group; -1 for none.

    A position of 0 that belongs to the values means the first bit above them, as old writers had it.
    """
    values = range(header.high_bit - header.bits_stored + 1, header.high_bit + 1)
    found = {}
    for group in _GROUPS:
        if (group, _BIT_POSITION) not in dataset or (group, _DATA) in dataset:
            continue
        bit = int(dataset[group, _BIT_POSITION].value or 0)
        if bit == 0 and bit in values:
            bit = header.high_bit + 1
        found[group] = -1 if bit in values or bit >= header.bits_allocated else bit
    return found


def bits_remark(slices: Sequence[SliceHeader]) -> tuple[str, ...]:
    """Return what to say of bits in use above those of the values where no overlay is described; looks at a few slices."""
    spread = np.unique(np.linspace(0, len(slices) - 1, _LOOKED_AT).round().astype(int))
    for header in (slices[index] for index in spread):
        if header.high_bit + 1 >= header.bits_allocated or is_encapsulated(header) or header.signed:
            continue
        (stored,) = iter_stored([header])
        beyond = stored >> (header.high_bit + 1) != 0
        if not (beyond & ~_padded(header, stored)).any():
            continue
        with header.file.open() as stream:
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
        if not embedded_overlays(dataset, header):
            return (
                f"Pixels of {header.name} use bits above the {header.bits_stored} of their values (BitsStored), where no overlay "
                "is described: these bits are left out. If they belong to the values, the brightest come out too low: set "
                "BitsStored and HighBit right then.",
            )
    return ()


def _padded(header: SliceHeader, stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Where padding lies, which need not fit the bits of the values: it is stated, or all corners hold it."""
    low, high = header.padding or (1, 0)
    found = (stored >= low) & (stored <= high)
    if (stored[[0, -1, -1], [-1, 0, -1]] == stored[0, 0]).all():
        found |= stored == stored[0, 0]
    return np.asarray(found)


def move_overlays(dataset: Dataset, overlays: dict[int, int], planes: NDArray[Any]) -> None:
    """Put embedded overlays into Overlay Data, in place; one that no bit is left for goes.

    Args:
        dataset: header of the object.
        overlays: from `embedded_overlays`.
        planes: the pixels as they were stored, shape (frames, rows, columns).
    """
    for group, bit in overlays.items():
        if bit < 0:
            for described in [element.tag for element in dataset.group_dataset(group)]:
                del dataset[described]
            continue
        packed = np.packbits((planes >> bit) & 1 != 0, axis=None, bitorder="little").tobytes()
        values: dict[int, tuple[str, Any]] = {
            _ROWS: ("US", planes.shape[1]),
            _COLUMNS: ("US", planes.shape[2]),
            _BITS_ALLOCATED: ("US", 1),
            _BIT_POSITION: ("US", 0),
            _DATA: ("OW", packed + b"\0" * (len(packed) % 2)),
        }
        if len(planes) > 1:
            values |= {_FRAMES: ("IS", len(planes)), _FRAME_ORIGIN: ("US", 1)}
        for element, (vr, value) in values.items():
            tag = Tag(group, element)
            dataset[tag] = DataElement(tag, vr, value)
