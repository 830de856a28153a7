"""Read what is needed to sort and place each slice from its header, without the pixels."""

import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from demottle.errors import InputError
from demottle.io.dicom.aside import Aside, kind_of_no_scan, kind_without_image
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.marks import MARK_TAGS, is_own_output
from demottle.io.volumes.traits import TRAIT_TAGS, Trait, traits_of

_KEYWORDS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"),
    *("PatientID", "FrameOfReferenceUID"),
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
_TAGS = [*(Tag(keyword) for keyword in _KEYWORDS), Tag("SharedFunctionalGroupsSequence"), *MARK_TAGS, *TRAIT_TAGS]
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
_FIRST_GROUPS = (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")


@dataclass(frozen=True)
class SliceHeader:
    """One slice (or one frame of a multi-frame file): where it lies and how its stored values become numbers.

    Positions and spacings in mm in DICOM's patient axes; `frame` is None for a single-frame file, else counted from 0.
    `frames` is the number of frames in the file. `missing` names what the pixels cannot be understood without and the file
    does not state; `lut` is True where a Modality LUT gives the values their meaning; `tiles` how many slices lie side by side in
    a Siemens MOSAIC, of which `frame` is the number of this one (0: no MOSAIC). `traits` is what tells
    the volumes of a series apart (`demottle.io.volumes`).
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
    frame_of_reference: str = ""
    patient: str = field(default="", repr=False)
    missing: tuple[str, ...] = ()
    lut: bool = False
    tiles: int = 0
    traits: Mapping[str, Trait] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_localizer(self) -> bool:
        """True for scout views, which are not part of a volume."""
        return "LOCALIZER" in self.image_type

    @property
    def name(self) -> str:
        """The file (and frame) to name to a user."""
        part = "tile" if self.tiles else "frame"
        return self.file.name if self.frame is None else f"{part} {self.frame + 1} of {self.file.name}"


def scan(files: Iterable[FileRef]) -> tuple[list[SliceHeader], list[Aside]]:
    """Read all headers. Returns the slices, and the files that give none, each with what it is or why."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(scan_file, files))
    slices = [header for headers in found if not isinstance(headers, Aside) for header in headers]
    return slices, [one for one in found if isinstance(one, Aside)]


def scan_file(file: FileRef) -> list[SliceHeader] | Aside:
    """Read the header of one file: its slices or frames, or what it is instead."""
    try:
        return _scan_file(file)
    except Exception:  # pydicom decodes an element when it is asked for, and raises many types then
        return Aside(file, broken=f"The header of {file.name} is broken; replace or remove the file.")


def _scan_file(file: FileRef) -> list[SliceHeader] | Aside:
    try:
        dataset = _read_header(file)
        if dataset is None:
            return Aside(file)
    except InputError as error:
        return Aside(file, broken=str(error), series_uid=file.series_uid)
    sop_class, series = _text(dataset, "SOPClassUID"), _text(dataset, "SeriesInstanceUID")
    kind = kind_of_no_scan(sop_class)
    if not kind and not (dataset.get("Rows") and dataset.get("Columns")):
        kind = kind_without_image(sop_class)
        if not kind:
            sentence = f"The DICOM image {file.name} is truncated or broken; replace or remove it."
            return Aside(file, broken=sentence, series_uid=series)
    if kind:
        return Aside(file, kind, series_uid=series)
    try:
        if "MOSAIC" in _sequence(dataset.get("ImageType")):
            from demottle.io.volumes.mosaic import scan_mosaic

            return scan_mosaic(file, dataset)
        if "SharedFunctionalGroupsSequence" in dataset:
            from demottle.io.dicom.multiframe import scan_frames  # here, because it builds on this file

            return scan_frames(file, dataset)
        # without groups nothing says where each of several frames lies
        place = Dataset() if (integer(dataset, "NumberOfFrames") or 1) > 1 else dataset
        return [slice_header(file, dataset, None, place)]
    except InputError as error:
        return Aside(file, broken=str(error), series_uid=series)


def _read_header(file: FileRef) -> Dataset | None:
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
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_TAGS, force=not magic)
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


def _begins_like_dicom(head: bytes) -> bool:
    """True where the first bytes are the tag of an element that a data set without preamble begins with, in either order."""
    return head[:2] in _FIRST_GROUPS


def _refuse_if_named_dicom(file: FileRef, why: str, magic: bool = False) -> None:
    if magic or file.suffix in _DICOM_SUFFIXES:
        raise InputError(f"The file {file.name} {why}; replace or remove it.")


def slice_header(
    file: FileRef, dataset: Dataset, frame: int | None, place: Dataset, traits: Mapping[str, Trait] | None = None
) -> SliceHeader:
    """Build the header of one slice; `place` holds the geometry and rescale, which multi-frame files keep elsewhere.

    `traits` as `traits_of` returns them; None: from `dataset`.
    """
    bits = integer(dataset, "BitsStored") or integer(dataset, "BitsAllocated") or 0
    high_bit = integer(dataset, "HighBit")
    signed = integer(dataset, "PixelRepresentation") == 1
    image_type = tuple(str(value) for value in _sequence(place.get("ImageType") or dataset.get("ImageType")))
    return SliceHeader(
        file=file,
        frame=frame,
        study_uid=_text(dataset, "StudyInstanceUID"),
        series_uid=_text(dataset, "SeriesInstanceUID"),
        sop_class=_text(dataset, "SOPClassUID"),
        sop_uid=_text(dataset, "SOPInstanceUID"),
        transfer_syntax=_transfer_syntax(dataset),
        number=_text(dataset, "SeriesNumber"),
        description=_printable(_text(dataset, "SeriesDescription")),
        modality=_text(dataset, "Modality") or "OT",
        image_type=image_type,
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
        frame_of_reference=_text(dataset, "FrameOfReferenceUID"),
        patient=_text(dataset, "PatientID"),
        missing=tuple(keyword for keyword in _NEEDED_FOR_PIXELS if dataset.get(keyword) in (None, "")),
        lut=bool(dataset.get("ModalityLUTSequence")),
        traits=traits_of(dataset, image_type) if traits is None else traits,
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


def _printable(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in text).strip()


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
