"""DICOM as a format like the others: a series is opened, and one is written, new or with the source's own headers."""

from collections.abc import Sequence
from pathlib import Path

from demottle.errors import OutputError
from demottle.events import Listener
from demottle.image import Image
from demottle.io.dicom.headers.new import write_new_series
from demottle.io.dicom.headers.new_run import write_new_run
from demottle.io.dicom.headers.write import write_dicom, write_dicom_file
from demottle.io.dicom.payload import DicomPayload, by_file
from demottle.io.dicom.read import DicomSeries, open_dicom
from demottle.io.formats import Given, suffix_of
from demottle.io.payload import payload_of


def open_scan(path: Path, given: Given) -> DicomSeries:
    """Read the headers of one series. Errors as `demottle.io.read`."""
    return open_dicom(
        path,
        series=given.series,
        accept_uneven=given.accept_uneven,
        accept_own_output=given.accept_own_output,
        unit=given.unit,
        modality=given.modality,
    )


def refuse_one_file(image: Image, path: Path) -> None:
    """Raise OutputError where a path names one file, and the image needs several."""
    payload = payload_of(image)
    if not suffix_of(path):
        return
    if not isinstance(payload, DicomPayload):
        if image.modality not in ("XA", "RF"):
            raise OutputError(
                f"A new DICOM series needs a folder, but {path.name} names one file; leave out the suffix."
            )
        return
    if len(by_file(payload.slices)) > 1:
        what = "frames in files of their own" if image.sequence and not payload.volume else "DICOM slices"
        raise OutputError(
            f"{len(payload.slices)} {what} need a folder, but {path.name} names one file; leave out the suffix."
        )


def write_volumes(images: Sequence[Image], path: Path, listener: Listener) -> None:
    """Write volumes as one series: to a folder, or to one file where `path` has a suffix. Errors as `demottle.io.write`."""
    image = images[0]
    refuse_one_file(image, path)
    from_dicom = isinstance(payload_of(image), DicomPayload)
    if image.modality in ("XA", "RF") and not from_dicom:
        write_new_run(image, path, one_file=bool(suffix_of(path)))
    elif suffix_of(path):
        write_dicom_file(images, path)
    elif from_dicom:
        write_dicom(images, path, listener=listener)
    else:
        write_new_series(image, path, listener=listener)
