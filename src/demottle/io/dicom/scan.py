"""Read what is needed to sort and place each slice from the headers of files, without the pixels."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from demottle.errors import InputError
from demottle.io.dicom.aside import Aside, is_archive, kind_of_no_scan, kind_without_image
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.forms import mend
from demottle.io.dicom.headers.marks import MARK_TAGS
from demottle.io.dicom.multiframe import scan_frames
from demottle.io.dicom.slice_header import SliceHeader, integer, items, slice_header, text
from demottle.io.formats import DICOM, format_of
from demottle.io.values.mr_scale import MR_SCALE_TAGS
from demottle.io.volumes.mosaic import scan_mosaic
from demottle.io.volumes.traits import TRAIT_TAGS
from demottle.io.volumes.united import MARK as GRID
from demottle.io.volumes.united import scan_grid

_KEYWORDS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"),
    *("PatientID", "FrameOfReferenceUID"),
    *("SeriesNumber", "SeriesDescription", "Modality", "ImageType"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate"),
    *("ModalityLUTSequence", "LossyImageCompression"),
)
_TAGS = [
    *(Tag(keyword) for keyword in _KEYWORDS),
    Tag("SharedFunctionalGroupsSequence"),
    *MARK_TAGS,
    *TRAIT_TAGS,
    *MR_SCALE_TAGS,
]
_HEAD_OF_ARCHIVE = 262  # bytes
_FIRST_GROUPS = (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")


def scan(files: Iterable[FileRef]) -> tuple[list[SliceHeader], list[Aside]]:
    """Read all headers. Returns the slices, and the files that give none, each with what it is or why."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(scan_file, files))
    slices = [header for headers in found if not isinstance(headers, Aside) for header in headers]
    return slices, [one for one in found if isinstance(one, Aside)]


def scan_file(file: FileRef) -> list[SliceHeader] | Aside:
    """Read the header of one file: its slices or frames, or what it is instead."""
    return scan_with(file)[0]


def scan_with(file: FileRef, keywords: Sequence[str] = ()) -> tuple[list[SliceHeader] | Aside, Dataset]:
    """As `scan_file`; return also the header with these elements and those of `scan`, empty where there is none.

    Where it is not, its attribute `pixels_begin` is where in the file the element with the pixels begins, of files with one.
    """
    header = Dataset()
    try:
        header = _read_header(file, [*_TAGS, *map(Tag, keywords)]) or header
        return _scanned(file, header), header
    except InputError as error:
        return Aside(file, broken=str(error), series_uid=file.series_uid), header
    except Exception:  # pydicom decodes an element when it is asked for, and raises many types then
        return Aside(file, broken=f"The header of {file.name} is broken; replace or remove the file."), header


def _scanned(file: FileRef, dataset: Dataset) -> list[SliceHeader] | Aside:
    if not dataset:
        return Aside(file, archive=_is_archive(file))
    sop_class, series = text(dataset, "SOPClassUID"), text(dataset, "SeriesInstanceUID")
    kind = kind_of_no_scan(sop_class)
    if not kind and not (dataset.get("Rows") and dataset.get("Columns")):
        kind = kind_without_image(sop_class)
        if not kind:
            sentence = f"The DICOM image {file.name} is truncated or broken; replace or remove it."
            return Aside(file, broken=sentence, series_uid=series)
    if kind:
        return Aside(file, kind, series_uid=series)
    try:
        several = (integer(dataset, "NumberOfFrames") or 1) > 1
        if _has_groups(file, dataset, several):  # its frames are slices, also where it says MOSAIC of its source
            return scan_frames(file, dataset)
        if "MOSAIC" in items(dataset.get("ImageType")):
            return scan_mosaic(file, dataset)
        if GRID in items(dataset.get("ImageType")) and not several:
            return scan_grid(file, dataset)
        # without groups nothing says where each of several frames lies
        return [slice_header(file, dataset, None, Dataset() if several else dataset)]
    except InputError as error:
        return Aside(file, broken=str(error), series_uid=series)


def _has_groups(file: FileRef, brief: Dataset, several: bool) -> bool:
    """True for an object with functional groups; some lack those that all frames share, which the standard demands."""
    if "SharedFunctionalGroupsSequence" in brief or not several:
        return "SharedFunctionalGroupsSequence" in brief
    tags = [Tag("PerFrameFunctionalGroupsSequence")]
    with file.open() as stream:
        return tags[0] in pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=tags, force=True)


def _read_header(file: FileRef, tags: list[BaseTag]) -> Dataset | None:
    """Return the few elements needed, or None for a file that is not DICOM.

    Raises:
        InputError: it ought to be DICOM and cannot be read.
    """
    with file.open() as stream:
        head = stream.read(132)
        magic = head[128:] == b"DICM"
        if not magic and not _begins_like_dicom(head):
            _refuse_if_named_dicom(file, "is not valid DICOM" if head else "is empty")
            return None
        stream.seek(0)
        try:
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(tags), force=not magic)
            dataset.pixels_begin = stream.tell()
            mend(dataset)
        except Exception:  # pydicom raises many types on arbitrary bytes
            _refuse_if_named_dicom(file, "is broken or truncated", magic)
            return None
    if "SOPClassUID" in dataset:
        return dataset
    if "MediaStorageSOPClassUID" in dataset.file_meta and "Rows" not in dataset:
        kind = dataset.file_meta.MediaStorageSOPClassUID
        if kind_of_no_scan(str(kind)) or kind_without_image(str(kind)):
            dataset.SOPClassUID = kind
            return dataset
    _refuse_if_named_dicom(file, "is not valid DICOM, or truncated", magic)
    return None


def _is_archive(file: FileRef) -> bool:
    if format_of(Path(file.member or file.path)) not in (None, "dicom"):  # .nii.gz
        return False
    with file.open() as stream:
        return is_archive(stream.read(_HEAD_OF_ARCHIVE))


def _begins_like_dicom(head: bytes) -> bool:
    """True where the first bytes are the tag of an element that a data set without preamble begins with, in either order."""
    return head[:2] in _FIRST_GROUPS


def _refuse_if_named_dicom(file: FileRef, why: str, magic: bool = False) -> None:
    if magic or file.suffix in DICOM.suffixes:
        raise InputError(f"The file {file.name} {why}; replace or remove it.")
