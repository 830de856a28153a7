"""The stored values of one DICOM slice, and what they mean."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEGExtended12Bit, RLELossless

from demottle.errors import InputError
from demottle.io.bombs import refuse_bomb
from demottle.io.dicom.coded_size import check_coded_size, check_native_size
from demottle.io.dicom.slice_header import SliceHeader, is_encapsulated
from demottle.io.values.ct_units import refuse_other_unit
from demottle.io.values.float_pixels import refuse_float_pixels
from demottle.io.values.padding import BELOW_AIR, OUTSIDE_CIRCLE, outside_circle, padding_in
from demottle.io.volumes.tiles import cut

Plane = NDArray[Any]
_NOTHING = -1024  # HU, where scanners cut off
_MOST = 1e12  # what voxels may reach; squares of more have no room in float32


def check_readable(header: SliceHeader) -> None:
    """Refuse what cannot be turned into numbers with a known meaning.

    Raises:
        InputError: floating-point pixels; an attribute of the pixels missing; 12-bit JPEG Extended; color; a layout of bits
            that is none; CT in another unit than HU.
    """
    name = header.name
    if not (header.sop_uid and header.series_uid and header.study_uid):
        raise InputError(
            f"{name} lacks its SOP, series or study UID, so that a result could not refer to it; repair the header."
        )
    refuse_float_pixels(header)
    if header.missing:
        raise InputError(
            f"{name} does not state {_listed(header.missing)}, without which its stored values have no certain meaning; "
            "repair the header."
        )
    if header.transfer_syntax == JPEGExtended12Bit and header.bits_stored > 8:
        raise InputError(
            f"{name} is compressed as 12-bit JPEG Extended, which demottle does not decode; decompress it first, "
            "for example with dcmdjpeg or the GPL plug-in pylibjpeg-libjpeg."
        )
    if header.samples != 1 or not header.photometric.startswith("MONOCHROME"):
        raise InputError(f"{name} is a color image ({header.photometric}); demottle needs gray values.")
    shifted = header.high_bit != header.bits_stored - 1
    fits = 0 < header.bits_stored <= header.high_bit + 1 <= header.bits_allocated
    if header.bits_allocated not in (8, 16, 32) or not fits or (shifted and is_encapsulated(header)):
        raise InputError(
            f"{name} stores {header.bits_stored} bits up to bit {header.high_bit} of {header.bits_allocated}, a layout that "
            "demottle does not read; convert the series."
        )
    slope, intercept = rescale(header)
    if slope == 0 or abs(slope) * 2.0**header.bits_stored + abs(intercept) > _MOST:
        raise InputError(
            f"{name} has RescaleSlope {slope:g} and RescaleIntercept {intercept:g}; the header is broken, repair it."
        )
    if header.modality == "CT":
        if header.lut and header.slope is None:
            raise InputError(
                f"{name} is CT with a Modality LUT in place of RescaleSlope and RescaleIntercept, which demottle does not "
                "apply; choose a series with a rescale to HU."
            )
        refuse_other_unit(header)


def _listed(keywords: Sequence[str]) -> str:
    hints = {"PixelRepresentation": "PixelRepresentation (whether its values have a sign)"}
    return " and ".join(hints.get(keyword, keyword) for keyword in keywords)


def iter_stored(headers: Sequence[SliceHeader]) -> Iterator[Plane]:
    """Decode slices that lie in one file, in this order, as they are stored.

    Bits above BitsStored are included where the file is not compressed. One file is opened once, because the header of a
    multi-frame file is long.

    Raises:
        InputError: truncated pixels, or no decoder for this transfer syntax.
    """
    first = headers[0]
    refuse_bomb(first.file.name, first.rows * first.columns * first.bits_allocated // 8 * first.frames, first.file.size)
    try:
        with closing(_planes(first, [header.frame or 0 for header in headers])) as planes:  # before its file closes
            for header, plane in zip(headers, planes, strict=True):
                if plane.shape != (header.rows, header.columns):
                    raise ValueError(plane.shape)
                yield plane
    except InputError:
        raise
    except NotImplementedError as error:
        raise InputError(
            f"{first.name} has the transfer syntax {first.transfer_syntax}, which demottle does not decode; "
            "convert it to an uncompressed one first."
        ) from error
    except Exception as error:  # decoders raise many types
        refuse_float_pixels(first, always=True)
        named = is_encapsulated(first) or not UID(first.transfer_syntax).is_transfer_syntax
        unknown = f", or its transfer syntax ({first.transfer_syntax}) is not supported" if named else ""
        raise InputError(
            f"The pixels of {first.file.name} cannot be read: the file is truncated or broken{unknown}; replace it."
        ) from error


def _planes(first: SliceHeader, frames: Sequence[int]) -> Generator[Plane]:
    if first.tiles:  # slices of one frame
        down, across = first.grid
        whole = replace(first, tiles=0, tile_rows=0, rows=first.rows * down, columns=first.columns * across)
        tiles = cut(next(_planes(whole, [0])), first.grid)
        yield from (tiles[index] for index in frames)
        return
    syntax = UID(first.transfer_syntax)
    split = False
    if is_encapsulated(first):
        split = check_coded_size(first)
    else:
        check_native_size(first)
    if is_encapsulated(first) and syntax != RLELossless:  # pydicom itself unpacks RLE
        from demottle.io.dicom.decoding_process import decode  # here, because most scans are not compressed

        yield from decode(first.file, syntax, frames, pixels=first.rows * first.columns, split=split)
        return
    options: dict[str, Any] = {} if is_encapsulated(first) else {"correct_unused_bits": False}
    options["number_of_frames"] = first.frames  # which the file may leave out
    with first.file.open() as stream:
        source = pydicom.dcmread(stream) if syntax == DeflatedExplicitVRLittleEndian else stream
        decoded = iter_pixels(source, indices=frames, raw=True, transfer_syntax_uid=syntax, **options)
        with closing(cast("Generator[Plane]", decoded)) as planes:
            yield from planes


def meaning(header: SliceHeader, stored: Plane) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return voxels (float32, slope * stored + intercept) and where they were measured.

    Not measured are regions at the border of the slice or large ones (`padding_in`) that hold a padding value:
    PixelPaddingValue (and its range); for CT also what scanners put outside the reconstruction circle (`outside_circle`), and
    a stored -2000 where the rescale takes it below -1500 HU.
    """
    value = values_of(header, stored)
    slope, intercept = rescale(header)
    voxels = (value * np.float64(slope) + intercept).astype(np.float32)
    invalid = np.zeros(stored.shape, np.bool_)
    unfit = np.zeros(stored.shape, np.bool_)
    if header.padding is not None:
        low, high = header.padding
        invalid |= (value >= low) & (value <= high)
        # Some scanners pad with a value that does not fit BitsStored: no measured one has it, wherever it lies.
        unfit = (stored >= low) & (stored <= high) & (value != stored)
        if header.modality == "CT":  # nor has any a number below that of nothing at all
            unfit |= invalid & (voxels < _NOTHING)
    if header.modality == "CT":
        invalid |= outside_circle(voxels)
        if OUTSIDE_CIRCLE * slope + intercept < BELOW_AIR:
            invalid |= value == OUTSIDE_CIRCLE
    return voxels, ~(padding_in(invalid) | unfit)


def rescale(header: SliceHeader) -> tuple[float, float]:
    """Return slope and intercept, 1 and 0 where the slice has none."""
    slope = 1.0 if header.slope is None else header.slope
    return slope, 0.0 if header.intercept is None else header.intercept


def values_of(header: SliceHeader, stored: Plane) -> Plane:
    """Return the values of the BitsStored bits up to HighBit; old files keep overlays in the others.

    Raises:
        InputError: HighBit says that the values are at the high end, but they are at the low one.
    """
    width = stored.dtype.itemsize * 8
    left, right = width - 1 - header.high_bit, width - header.bits_stored
    if left != right:
        _refuse_wrong_high_bit(header, stored)
    if right <= 0:
        return stored
    return np.right_shift(np.left_shift(stored, left), right)  # arithmetic for signed types: keeps the sign


def _refuse_wrong_high_bit(header: SliceHeader, stored: Plane) -> None:
    """Values up to bit 15 leave the bits below them empty, or hold an overlay there, and use their highest bits."""
    below = (1 << (header.high_bit + 1 - header.bits_stored)) - 1
    if (stored & below).any() and not (stored >> header.bits_stored).any():
        raise InputError(
            f"{header.name} says that its {header.bits_stored} bits end at bit {header.high_bit}, but they end at bit "
            f"{header.bits_stored - 1}; set HighBit to {header.bits_stored - 1}."
        )


def with_unused_bits(header: SliceHeader, new: Plane, stored: Plane) -> Plane:
    """Put the file's own bits above BitsStored back where they were in use; values that were shifted leave no room."""
    if header.high_bit != header.bits_stored - 1:
        return new
    in_use = values_of(header, stored) != stored
    if not in_use.any():
        return new
    low = np.array((1 << header.bits_stored) - 1).astype(stored.dtype)
    return np.where(in_use, (new & low) | (stored & ~low), new)
