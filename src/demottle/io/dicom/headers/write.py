"""Write an `Image` that came from DICOM as a new series beside the original."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from demottle.errors import InputError, OutputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask
from demottle.io.dicom.files import save
from demottle.io.dicom.geometry import scattered_frames
from demottle.io.dicom.headers.forms import mend
from demottle.io.dicom.headers.header import derive, without_repeats
from demottle.io.dicom.multiframe import derive_frames
from demottle.io.dicom.payload import DicomPayload, by_file, quiet_pydicom
from demottle.io.dicom.pixels import iter_stored, meaning, rescale, values_of, with_unused_bits
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.files.stored import integer_limits, to_stored
from demottle.io.grid.cosines import straighten
from demottle.io.payload import new_steps
from demottle.io.values.float_pixels import FLOAT_PIXELS
from demottle.io.values.lossy import is_irreversible
from demottle.io.values.overlays import embedded_overlays, move_overlays
from demottle.io.volumes.tiles import join

_FEWEST_CT_BITS = 12


@dataclass(frozen=True)
class _Whole:
    """What is written together: the images, and what anonymization file by file did to their sources.

    `shared`: SOPInstanceUIDs that several files have; `scattered`: each slice states a Frame of Reference of its own.
    """

    images: Sequence[Image]
    shared: frozenset[str] = frozenset()
    scattered: bool = False


@dataclass(frozen=True)
class _Plane:
    """One slice to write: its header, its voxels, and where they were measured (None: everywhere)."""

    header: SliceHeader
    voxels: NDArray[np.float32]
    valid: Mask | None
    image: Image


def write_dicom(images: Sequence[Image], folder: Path, *, listener: Listener = silent) -> None:
    """Write one file per source file into `folder`, which is created. Sources are read again from disk, one at a time.

    Args:
        images: volumes of one series; all of them make one new series.
        folder: where to.
        listener: told of every file, stage "write".

    Raises:
        OutputError: an image has another shape than its source, or the source has changed since it was read.
        OSError: from the file system.
    """
    planes = _planes(images)
    files = by_file([plane.header for plane in planes])
    held = Counter(planes[indices[0]].header.sop_uid for indices in files.values())
    whole = _Whole(
        images,
        frozenset(uid for uid, count in held.items() if count > 1),
        any(scattered_frames([plane.header for plane in planes if plane.image is image]) for image in images),
    )
    folder.mkdir()
    with quiet_pydicom():
        for done, indices in enumerate(files.values(), start=1):
            dataset = _derived_object([planes[index] for index in indices], whole)
            save(dataset, folder / f"image-{done:04d}.dcm")
            listener(Progress(Stage.WRITE, done, len(files)))


def write_dicom_file(images: Sequence[Image], path: Path) -> None:
    """Write volumes that came from a single DICOM file as a single file."""
    planes = _planes(images)
    files = by_file([plane.header for plane in planes])
    if len(files) != 1:
        raise OutputError(
            f"{len(planes)} DICOM slices need a folder, but {path.name} names one file; leave out the suffix."
        )
    with quiet_pydicom():
        for indices in files.values():
            save(_derived_object([planes[index] for index in indices], _Whole(images)), path)


def _planes(images: Sequence[Image]) -> list[_Plane]:
    found = []
    for image in images:
        payload = image.source.payload if image.source is not None else None
        if not isinstance(payload, DicomPayload):
            raise TypeError("the image did not come from DICOM")
        if image.shape != payload.shape:
            raise OutputError(
                f"The image has shape {image.shape}, its DICOM source {payload.shape}; it cannot take over its headers."
            )
        masks = [None] * len(payload.slices) if image.valid is None else payload.views(image.valid)
        parts = zip(payload.slices, payload.views(image.voxels), masks, strict=True)
        found += [_Plane(header, voxels, valid, image) for header, voxels, valid in parts]
    return found


def _derived_object(planes: Sequence[_Plane], whole: _Whole) -> Dataset:
    """Return the object of one source file; `planes` are those of its slices that are written, in its own order."""
    first = planes[0].header
    try:
        with first.file.open() as stream:
            dataset = pydicom.dcmread(stream, force=True)
    except (OSError, KeyError, InputError) as error:
        raise OutputError(
            f"The source {first.file.name} is gone or can no longer be read; its headers are needed."
        ) from error
    mend(dataset, deep=True)
    if str(dataset.get("SOPInstanceUID")) != first.sop_uid:
        raise OutputError(f"The source {first.file.name} has changed since it was read; read it again.")
    if is_irreversible(dataset.get("PixelData"), first.transfer_syntax):
        dataset.LossyImageCompression = "01"
    for tag in [
        tag for tag in list(dataset.keys()) if tag.group == 0
    ]:  # zeros behind the pixels, as some media add them
        del dataset[tag]
    frames = first.grid[0] * first.grid[1] or first.frames
    overlays = embedded_overlays(dataset, first)
    before, pixels = _stored_pixels(planes, frames, clean=bool(overlays))
    if before is not None:
        move_overlays(dataset, overlays, before)
    _set_pixels(dataset, pixels, first)
    if str(dataset.get("SeriesInstanceUID")) != first.series_uid:  # the slices had one each
        dataset.SeriesInstanceUID = first.series_uid
    if not dataset.get("Modality"):  # anonymization took it; no image may be without
        dataset.Modality = first.modality
    if whole.scattered:
        dataset.FrameOfReferenceUID = None  # they get one in common
    if first.sop_class == CTImageStorage and first.bits_stored < _FEWEST_CT_BITS:
        _widen(dataset, pixels, first)
    straighten(dataset)
    told = list({id(plane.image): plane.image for plane in planes}.values())
    steps = without_repeats([step for image in told for step in new_steps(image)])
    if "PerFrameFunctionalGroupsSequence" in dataset:
        derive_frames(dataset, {plane.header.frame or 0: new_steps(plane.image) for plane in planes})
    derive(
        dataset,
        source_syntax=first.transfer_syntax,
        steps=steps,
        history=without_repeats([step for image in told for step in image.history]),
        of_series=without_repeats([step for image in whole.images for step in new_steps(image)]),
        part=[plane.header.frame for plane in planes] if len(planes) < frames and not first.tiles else (),
        place=first.position or () if first.sop_uid in whole.shared else (),
    )
    return dataset


def _stored_pixels(planes: Sequence[_Plane], frames: int, clean: bool) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """Return all frames of one file, as they were stored and as they are to be; what is not part of the images stays.

    `clean` leaves out what lies in the bits that no value has; only with it the pixels as they were are returned too.
    """
    changed = {plane.header.frame or 0: plane for plane in planes}
    first = planes[0].header
    headers = [changed[frame].header if frame in changed else replace(first, frame=frame) for frame in range(frames)]
    before, after = [], []
    try:
        for frame, stored in enumerate(iter_stored(headers)):
            header = headers[frame]
            new = _new_values(changed[frame], stored) if frame in changed else values_of(header, stored)
            before += [stored] if clean else []
            after.append(new if clean else with_unused_bits(header, new, stored))
    except InputError as error:
        raise OutputError(f"The source has changed since it was read: {error}") from error
    old, new = np.stack(before) if clean else None, np.stack(after)
    if first.tiles:
        return None if old is None else join(old, first.grid)[None], join(new, first.grid)[None]
    return old, new


def _new_values(plane: _Plane, stored: NDArray[Any]) -> NDArray[Any]:
    before, measured = meaning(plane.header, stored)
    if plane.valid is not None:
        measured &= plane.valid
    slope, intercept = rescale(plane.header)
    return to_stored(
        plane.voxels,
        before,
        values_of(plane.header, stored),
        slope=slope,
        intercept=intercept,
        limits=integer_limits(plane.header.bits_stored, plane.header.signed),
        valid=measured,
        padding=plane.header.padding,
    )


def _widen(dataset: Dataset, pixels: NDArray[Any], header: SliceHeader) -> None:
    """Store values of fewer bits than a CT may have (PS3.3 C.8.2.1) in 16, in place; the values stay."""
    low, high = integer_limits(header.bits_stored, header.signed)
    if pixels.min() < low or pixels.max() > high:  # something else lies in the bits above the values
        return
    wide = pixels.astype("<i2" if header.signed else "<u2")
    dataset["PixelData"] = DataElement("PixelData", "OW", wide.tobytes())
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15


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
