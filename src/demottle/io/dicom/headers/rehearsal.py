"""Find out before the work whether each source file's header can be written again: broken elements show only then."""

import io
from collections.abc import Sequence

import pydicom

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, ProcessingStep
from demottle.io.dicom.files import FileRef, in_short
from demottle.io.dicom.headers.forms import mend
from demottle.io.dicom.headers.header import derive
from demottle.io.dicom.multiframe import derive_frames
from demottle.io.dicom.payload import DicomPayload, by_file, quiet_pydicom
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.payload import payload_of

_WHOLE = 64 << 20  # bytes; so large a file is not read to its end, where only broken elements could be
_STEP = ProcessingStep("rehearsal", "0")


def refuse_broken_headers(images: Sequence[Image], listener: Listener = silent) -> None:
    """Derive and write every header without its pixels, into memory; images that are not of DICOM are left alone.

    Args:
        images: as they were read.
        listener: told of every file, stage "read".

    Raises:
        InputError: names the file, and the element where pydicom says it.
    """
    slices = [header for image in images for header in _slices(image)]
    files = by_file(slices)
    with quiet_pydicom():
        for done, (file, indices) in enumerate(files.items(), start=1):
            _rehearse(file, [slices[index] for index in indices])
            listener(Progress(Stage.READ, done, len(files)))


def _slices(image: Image) -> Sequence[SliceHeader]:
    payload = payload_of(image)
    return payload.slices if isinstance(payload, DicomPayload) else ()


def _rehearse(file: FileRef, slices: Sequence[SliceHeader]) -> None:
    try:
        with file.open() as stream:
            dataset = pydicom.dcmread(stream, stop_before_pixels=file.size > _WHOLE, force=True)
        mend(dataset, deep=True)
        dataset.pop("PixelData", None)
        if "PerFrameFunctionalGroupsSequence" in dataset:
            derive_frames(dataset, {header.frame or 0: [_STEP] for header in slices})
        derive(dataset, source_syntax=slices[0].transfer_syntax, steps=[_STEP], history=(_STEP,))
        pydicom.dcmwrite(io.BytesIO(), dataset, enforce_file_format=True)
    except Exception as error:  # pydicom raises many types on broken elements
        raise InputError(
            f"The header of {file.name} is broken and cannot be written again ({in_short(error)}); repair it, or write "
            "another format such as .nii.gz."
        ) from error
