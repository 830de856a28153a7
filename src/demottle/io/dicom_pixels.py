"""The stored values of one DICOM slice, and what they mean."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEGExtended12Bit

from demottle.errors import InputError
from demottle.io.dicom_scan import SliceHeader, is_encapsulated

Plane = NDArray[Any]
_OUTSIDE_CIRCLE = -2000
_BELOW_AIR = -1500  # HU; noise in air does not get there


def check_readable(header: SliceHeader) -> None:
    """Refuse what cannot be turned into numbers with a known meaning.

    Raises:
        InputError: 12-bit JPEG Extended; color; stored bits that are not at the low end; CT without a rescale to HU.
    """
    name = header.name
    if not (header.sop_uid and header.series_uid and header.study_uid):
        raise InputError(
            f"{name} lacks its SOP, series or study UID, so that a result could not refer to it; repair the header."
        )
    if header.transfer_syntax == JPEGExtended12Bit and header.bits_stored > 8:
        raise InputError(
            f"{name} is compressed as 12-bit JPEG Extended, which demottle does not decode; decompress it first, "
            "for example with dcmdjpeg or the GPL plug-in pylibjpeg-libjpeg."
        )
    if header.samples != 1 or not header.photometric.startswith("MONOCHROME"):
        raise InputError(f"{name} is a color image ({header.photometric}); demottle needs gray values.")
    if header.bits_allocated not in (8, 16, 32) or header.high_bit != header.bits_stored - 1:
        raise InputError(
            f"{name} stores {header.bits_stored} bits up to bit {header.high_bit} of {header.bits_allocated}, a layout that "
            "demottle does not read; convert the series."
        )
    if header.slope == 0:
        raise InputError(f"{name} has RescaleSlope 0; the header is broken.")
    if header.modality == "CT":
        _check_ct_units(header)


def _check_ct_units(header: SliceHeader) -> None:
    if header.slope is None or header.intercept is None:
        raise InputError(
            f"{header.name} is CT without RescaleSlope and RescaleIntercept, so its values are not CT numbers; "
            "demottle needs Hounsfield units."
        )
    if header.rescale_type not in ("", "HU", "HU_MOD"):
        raise InputError(
            f"{header.name} is CT in unit {header.rescale_type}, not in Hounsfield units; choose a series in HU."
        )


def iter_stored(headers: Sequence[SliceHeader]) -> Iterator[Plane]:
    """Decode slices that lie in one file, in this order, as they are stored.

    Bits above BitsStored are included where the file is not compressed. One file is opened once, because the header of a
    multi-frame file is long.

    Raises:
        InputError: truncated pixels, or no decoder for this transfer syntax.
    """
    first = headers[0]
    options: dict[str, Any] = {"transfer_syntax_uid": UID(first.transfer_syntax)}
    if not is_encapsulated(first):
        options["correct_unused_bits"] = False
    frames = [header.frame or 0 for header in headers]
    try:
        with first.file.open() as stream:
            source = pydicom.dcmread(stream) if first.transfer_syntax == DeflatedExplicitVRLittleEndian else stream
            planes = iter_pixels(source, indices=frames, raw=True, **options)
            for header, plane in zip(headers, planes, strict=True):
                if plane.shape != (header.rows, header.columns):
                    raise ValueError(f"{header.rows} x {header.columns} pixels stated, {plane.shape} found")
                yield plane
    except NotImplementedError as error:
        raise InputError(
            f"{first.name} has the transfer syntax {first.transfer_syntax}, which demottle does not decode; "
            "convert it to an uncompressed one first."
        ) from error
    except Exception as error:  # decoders raise many types
        raise InputError(
            f"The pixels of {first.file.name} cannot be read: the file is truncated or broken, or its transfer syntax "
            f"({first.transfer_syntax}) is not supported; replace it."
        ) from error


def meaning(header: SliceHeader, stored: Plane) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return voxels (float32, slope * stored + intercept) and where they were measured.

    Not measured: PixelPaddingValue (and its range); for CT also what scanners put outside the reconstruction circle: a
    stored or rescaled -2000, or any value below -1500 HU that all four corners share.
    """
    value = without_unused_bits(header, stored)
    slope, intercept = rescale(header)
    voxels = (value * np.float64(slope) + intercept).astype(np.float32)
    invalid = np.zeros(stored.shape, np.bool_)
    if header.padding is not None:
        low, high = header.padding
        # Some scanners pad with a value that does not fit BitsStored, so the bare value counts too.
        invalid |= ((value >= low) & (value <= high)) | ((stored >= low) & (stored <= high))
    if header.modality == "CT":
        invalid |= (value == _OUTSIDE_CIRCLE) | (voxels == _OUTSIDE_CIRCLE)
        corner = voxels[0, 0]
        if corner < _BELOW_AIR and (voxels[[0, -1, -1], [-1, 0, -1]] == corner).all():
            invalid |= voxels == corner
    return voxels, ~invalid


def rescale(header: SliceHeader) -> tuple[float, float]:
    """Return slope and intercept, 1 and 0 where the slice has none."""
    slope = 1.0 if header.slope is None else header.slope
    return slope, 0.0 if header.intercept is None else header.intercept


def without_unused_bits(header: SliceHeader, stored: Plane) -> Plane:
    """Return the values of the low BitsStored bits; old files keep overlays in the bits above."""
    shift = stored.dtype.itemsize * 8 - header.bits_stored
    if shift <= 0:
        return stored
    return np.right_shift(np.left_shift(stored, shift), shift)  # arithmetic for signed types: keeps the sign


def with_unused_bits(header: SliceHeader, new: Plane, stored: Plane) -> Plane:
    """Put the file's own bits above BitsStored back where they were in use."""
    in_use = without_unused_bits(header, stored) != stored
    if not in_use.any():
        return new
    low = np.array((1 << header.bits_stored) - 1).astype(stored.dtype)
    return np.where(in_use, (new & low) | (stored & ~low), new)
