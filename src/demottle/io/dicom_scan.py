"""Read what is needed to sort and place each slice from its header, without the pixels."""

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from demottle.errors import InputError
from demottle.io.dicom_files import FileRef
from demottle.io.dicom_marks import MARK_TAGS, is_own_output

_KEYWORDS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"),
    *("SeriesNumber", "SeriesDescription", "Modality", "ImageType"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    "ModalityLUTSequence",
)
_NEEDED_FOR_PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
_TAGS = [*(Tag(keyword) for keyword in _KEYWORDS), Tag("SharedFunctionalGroupsSequence"), *MARK_TAGS]
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True)
class SliceHeader:
    """One slice (or one frame of a multi-frame file): where it lies and how its stored values become numbers.

    Positions and spacings in mm in DICOM's patient axes; `frame` is None for a single-frame file, else counted from 0.
    `frames` is the number of frames in the file. `missing` names what the pixels cannot be understood without and the file
    does not state; `lut` is True where a Modality LUT gives the values their meaning.
    """

    file: FileRef
    frame: int | None
    study_uid: str
    series_uid: str
    sop_class: str
    sop_uid: str
    transfer_syntax: str
    number: str
    description: str
    modality: str
    image_type: tuple[str, ...]
    frames: int
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    samples: int
    photometric: str
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    thickness: float | None
    spacing_between: float | None
    slope: float | None
    intercept: float | None
    rescale_type: str
    padding: tuple[int, int] | None
    own: bool
    missing: tuple[str, ...] = ()
    lut: bool = False

    @property
    def is_localizer(self) -> bool:
        """True for scout views, which are no part of a volume."""
        return "LOCALIZER" in self.image_type

    @property
    def name(self) -> str:
        """The file (and frame) to name to a user."""
        return self.file.name if self.frame is None else f"frame {self.frame + 1} of {self.file.name}"


def scan(files: Iterable[FileRef]) -> tuple[list[SliceHeader], list[FileRef]]:
    """Read all headers. Returns the slices, and the files left out because they are not DICOM or hold no image.

    Raises:
        InputError: a file says it is DICOM but its header is broken.
    """
    files = list(files)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(_scan_file, files))
    slices = [header for headers in found for header in headers]
    return slices, [file for file, headers in zip(files, found, strict=True) if not headers]


def _scan_file(file: FileRef) -> list[SliceHeader]:
    dataset = _read_header(file)
    if dataset is None:
        return []
    if not dataset.get("Rows") or not dataset.get("Columns"):
        if "Image Storage" in UID(str(dataset.SOPClassUID)).name:
            raise InputError(f"The DICOM image {file.name} is truncated or broken; replace or remove it.")
        return []  # a report, a segmentation of surfaces, ...: no image
    if "SharedFunctionalGroupsSequence" in dataset:
        from demottle.io.multiframe import scan_frames  # here, because it builds on this file

        return scan_frames(file, dataset)
    if (integer(dataset, "NumberOfFrames") or 1) > 1:
        return [slice_header(file, dataset, None, Dataset())]  # nothing says where each frame lies
    return [slice_header(file, dataset, None, dataset)]


def _read_header(file: FileRef) -> Dataset | None:
    """Return the few elements needed, or None for a file that is not DICOM."""
    try:
        with file.open() as stream:
            magic = stream.read(132)[128:] == b"DICM"
            stream.seek(0)
            dataset = pydicom.dcmread(
                stream,
                stop_before_pixels=True,
                specific_tags=_TAGS,
                force=not magic,
            )
    except InputError:
        raise
    except Exception as error:  # pydicom raises many types on arbitrary bytes
        if _looks_like_dicom(file):
            raise InputError(f"The DICOM file {file.name} is broken or truncated; replace or remove it.") from error
        return None
    if "SOPClassUID" in dataset:
        return dataset
    if (magic and "MediaStorageSOPClassUID" not in dataset.file_meta) or file.suffix in _DICOM_SUFFIXES:
        raise InputError(f"The file {file.name} is not valid DICOM, or truncated; replace or remove it.")
    return None


def _looks_like_dicom(file: FileRef) -> bool:
    if file.suffix in _DICOM_SUFFIXES:
        return True
    with file.open() as stream:
        return stream.read(132)[128:] == b"DICM"


def slice_header(file: FileRef, dataset: Dataset, frame: int | None, place: Dataset) -> SliceHeader:
    """Build the header of one slice; `place` holds the geometry and rescale, which multi-frame files keep elsewhere."""
    bits = integer(dataset, "BitsStored") or integer(dataset, "BitsAllocated") or 0
    high_bit = integer(dataset, "HighBit")
    signed = integer(dataset, "PixelRepresentation") == 1
    return SliceHeader(
        file=file,
        frame=frame,
        study_uid=_text(dataset, "StudyInstanceUID"),
        series_uid=_text(dataset, "SeriesInstanceUID"),
        sop_class=_text(dataset, "SOPClassUID"),
        sop_uid=_text(dataset, "SOPInstanceUID"),
        transfer_syntax=_transfer_syntax(dataset),
        number=_text(dataset, "SeriesNumber"),
        description=_text(dataset, "SeriesDescription"),
        modality=_text(dataset, "Modality") or "OT",
        image_type=tuple(str(value) for value in _sequence(place.get("ImageType") or dataset.get("ImageType"))),
        frames=integer(dataset, "NumberOfFrames") or 1,
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        bits_allocated=integer(dataset, "BitsAllocated") or 0,
        bits_stored=bits,
        high_bit=bits - 1 if high_bit is None else high_bit,
        signed=signed,
        samples=integer(dataset, "SamplesPerPixel") or 1,
        photometric=_text(dataset, "PhotometricInterpretation"),
        position=numbers(place, "ImagePositionPatient", 3),
        orientation=numbers(place, "ImageOrientationPatient", 6),
        pixel_spacing=numbers(place, "PixelSpacing", 2),
        thickness=number(place, "SliceThickness"),
        spacing_between=number(place, "SpacingBetweenSlices"),
        slope=number(place, "RescaleSlope"),
        intercept=number(place, "RescaleIntercept"),
        rescale_type=_text(place, "RescaleType"),
        padding=_padding(dataset, signed),
        own=is_own_output(dataset),
        missing=tuple(keyword for keyword in _NEEDED_FOR_PIXELS if dataset.get(keyword) in (None, "")),
        lut=bool(dataset.get("ModalityLUTSequence")),
    )


def _transfer_syntax(dataset: Dataset) -> str:
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if syntax:
        return str(syntax)
    return str(ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian)


def _padding(dataset: Dataset, signed: bool) -> tuple[int, int] | None:
    """Return the lowest and highest padding value. Some scanners write a signed value with the unsigned VR."""
    value, limit = integer(dataset, "PixelPaddingValue"), integer(dataset, "PixelPaddingRangeLimit")
    if value is None:
        return None
    bounds = [value, value if limit is None else limit]
    if signed:
        bounds = [bound - 0x10000 if bound > 0x7FFF else bound for bound in bounds]
    else:
        bounds = [bound + 0x10000 if bound < 0 else bound for bound in bounds]
    return min(bounds), max(bounds)


def _sequence(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str | bytes | int | float) else list(value)


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return `count` finite numbers, or None where they are absent, too few or unreadable."""
    try:
        values = tuple(float(value) for value in _sequence(dataset.get(keyword)))
    except (TypeError, ValueError):
        return None
    return values if len(values) == count and all(math.isfinite(value) for value in values) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return one finite number or None."""
    values = numbers(dataset, keyword, 1)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Return one whole number or None."""
    value = number(dataset, keyword)
    return None if value is None else int(value)


def is_encapsulated(header: SliceHeader) -> bool:
    """True where the pixels are compressed; a deflated file is not, once read."""
    syntax = UID(header.transfer_syntax)
    return syntax != DeflatedExplicitVRLittleEndian and syntax.is_transfer_syntax and syntax.is_encapsulated
