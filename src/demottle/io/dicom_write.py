"""Write an `Image` that came from DICOM as a new series beside the original."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from demottle.errors import InputError, OutputError
from demottle.events import Listener, Progress, silent
from demottle.image import Image
from demottle.io.dicom_files import FileRef, save
from demottle.io.dicom_header import derive
from demottle.io.dicom_pixels import iter_stored, meaning, rescale, values_of, with_unused_bits
from demottle.io.dicom_read import DicomPayload, by_file, quiet_pydicom
from demottle.io.dicom_scan import SliceHeader, integer
from demottle.io.multiframe import derive_frames
from demottle.io.payload import new_steps
from demottle.io.stored import integer_limits, to_stored
from demottle.io.values.float_pixels import FLOAT_PIXELS
from demottle.io.values.overlays import embedded_overlays, move_overlays


def write_dicom(image: Image, folder: Path, *, listener: Listener = silent) -> None:
    """Write one file per source file into `folder`, which is created. Sources are read again from disk, one at a time.

    Raises:
        OutputError: the image has another shape than its source, or the source has changed since it was read.
        OSError: from the file system.
    """
    slices = _slices(image)
    files = by_file(slices)
    folder.mkdir()
    with quiet_pydicom():
        for done, (file, indices) in enumerate(files.items(), start=1):
            dataset = _derived_object(image, slices, file, indices)
            save(dataset, folder / f"image-{done:04d}.dcm")
            listener(Progress("write", done, len(files)))


def write_dicom_file(image: Image, path: Path) -> None:
    """Write an image that came from a single DICOM file as a single file."""
    slices = _slices(image)
    if len({header.file for header in slices}) != 1:
        raise OutputError(
            f"{len(slices)} DICOM slices need a folder, but {path.name} names one file; leave out the suffix."
        )
    with quiet_pydicom():
        dataset = _derived_object(image, slices, slices[0].file, list(range(len(slices))))
        save(dataset, path)


def _slices(image: Image) -> tuple[SliceHeader, ...]:
    payload = image.source.payload if image.source is not None else None
    if not isinstance(payload, DicomPayload):
        raise TypeError("the image did not come from DICOM")
    slices = payload.slices
    expected = (len(slices), slices[0].rows, slices[0].columns)
    if image.shape != expected:
        raise OutputError(
            f"The image has shape {image.shape}, its DICOM source {expected}; it cannot take over its headers."
        )
    return slices


def _derived_object(image: Image, slices: tuple[SliceHeader, ...], file: FileRef, indices: list[int]) -> Dataset:
    try:
        with file.open() as stream:
            dataset = pydicom.dcmread(stream, force=True)
    except (OSError, KeyError, InputError) as error:
        raise OutputError(
            f"The source {file.name} is gone or cannot be read any more; its headers are needed."
        ) from error
    if str(dataset.get("SOPInstanceUID")) != slices[indices[0]].sop_uid:
        raise OutputError(f"The source {file.name} has changed since it was read; read it again.")
    first = slices[indices[0]]
    overlays = embedded_overlays(dataset, first)
    before, pixels = _stored_pixels(
        image, slices, indices, integer(dataset, "NumberOfFrames") or 1, clean=bool(overlays)
    )
    move_overlays(dataset, overlays, before)
    _set_pixels(dataset, pixels, first)
    if "PerFrameFunctionalGroupsSequence" in dataset:
        derive_frames(dataset, new_steps(image))
    derive(dataset, source_syntax=first.transfer_syntax, steps=new_steps(image), history=image.history)
    return dataset


def _stored_pixels(
    image: Image, slices: Sequence[SliceHeader], indices: list[int], frames: int, clean: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return all frames of one file, as they were stored and as they are to be; what is no part of the image stays.

    `clean` leaves out what lies in the bits that no value has.
    """
    first = slices[indices[0]]
    index_of = {slices[index].frame or 0: index for index in indices}
    headers = [slices[index_of[frame]] if frame in index_of else replace(first, frame=frame) for frame in range(frames)]
    before, after = [], []
    try:
        for frame, stored in enumerate(iter_stored(headers)):
            header, new = headers[frame], values_of(headers[frame], stored)
            if frame in index_of:
                new = _new_values(image, index_of[frame], header, stored)
            before.append(stored)
            after.append(new if clean else with_unused_bits(header, new, stored))
    except InputError as error:
        raise OutputError(f"The source has changed since it was read: {error}") from error
    return np.stack(before), np.stack(after)


def _new_values(image: Image, index: int, header: SliceHeader, stored: NDArray[Any]) -> NDArray[Any]:
    before, measured = meaning(header, stored)
    if image.valid is not None:
        measured &= image.valid[index]
    slope, intercept = rescale(header)
    return to_stored(
        image.voxels[index],
        before,
        values_of(header, stored),
        slope=slope,
        intercept=intercept,
        limits=integer_limits(header.bits_stored, header.signed),
        valid=measured,
        padding=header.padding,
    )


def _set_pixels(dataset: Dataset, pixels: NDArray[Any], header: SliceHeader) -> None:
    data = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
    dataset["PixelData"] = DataElement(
        "PixelData", "OB" if header.bits_allocated == 8 else "OW", data + b"\0" * (len(data) % 2)
    )
    dataset.HighBit = header.bits_stored - 1  # where the values are now; anything else is not allowed any more
    for keyword in FLOAT_PIXELS:
        if keyword in dataset:
            del dataset[keyword]
    for keyword, value in (("SmallestImagePixelValue", pixels.min()), ("LargestImagePixelValue", pixels.max())):
        if keyword not in dataset:
            continue
        low, high = integer_limits(16, header.signed)
        if low <= value <= high:
            dataset[keyword] = DataElement(keyword, "SS" if header.signed else "US", int(value))
        else:  # the attribute has no room for it
            del dataset[keyword]
