"""One slice's header: where the slice lies and how its stored values become numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.marks import is_own_output
from demottle.io.values.mr_scale import other_rescale, signal_scale
from demottle.io.volumes.traits import Trait, traits_of

_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
"""Transfer syntaxes that always lose something."""

_NEEDED_FOR_PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
OTHER = "OT"
"""Modality of what does not say."""
_ROOT = "1.2.840.10008.5.1.4.1.1."
_STORED_AS = {
    **dict.fromkeys((f"{_ROOT}{ending}" for ending in ("2", "2.1", "2.2")), "CT"),
    **dict.fromkeys((f"{_ROOT}{ending}" for ending in ("4", "4.1", "4.4")), "MR"),
    **dict.fromkeys((f"{_ROOT}{ending}" for ending in ("12.1", "12.1.1")), "XA"),
    **dict.fromkeys((f"{_ROOT}{ending}" for ending in ("12.2", "12.2.1")), "RF"),
}
"""Modality by SOP class, where there is one."""
_PROJECTIONS = ("XA", "RF")
_DATES = ("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")


@dataclass(frozen=True)
class SliceHeader:
    """One slice (or one frame of a multi-frame file): where it lies and how its stored values become numbers.

    Positions and spacings in mm in DICOM's patient axes; `frame` is None for a single-frame file, else counted from 0.
    `frames` is the number of frames in the file. `missing` names what the pixels cannot be understood without and the file
    does not state; `lut` is True where a Modality LUT gives the values their meaning; `tiles` how many slices lie side by side
    in a MOSAIC, and `tile_rows` one below the other (0: as many), of which `frame` is the number of this one (0: no MOSAIC).
    `signal_scale` is slope and intercept of the scale in which all slices of a Philips MR can be compared; `lossy` is True where
    pixels were compressed with loss. `traits` is what tells the volumes of a series apart (`demottle.io.volumes`).
    `stated_modality` is the header's own word, empty where it has none; `modality` what the image is treated as.
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
    acquired: str = ""
    lut: bool = False
    tiles: int = 0
    tile_rows: int = 0
    signal_scale: tuple[float, float] | None = None
    lossy: bool = False
    stated_modality: str = ""
    traits: Mapping[str, Trait] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_localizer(self) -> bool:
        """True for scout views, which are not part of a volume."""
        return "LOCALIZER" in self.image_type

    @property
    def grid(self) -> tuple[int, int]:
        """How many tiles of an image lie down and across."""
        return self.tile_rows or self.tiles, self.tiles

    @property
    def name(self) -> str:
        """The file (and frame) to name to a user."""
        part = "tile" if self.tiles else "frame"
        return self.file.name if self.frame is None else f"{part} {self.frame + 1} of {self.file.name}"


def _iso(date: str) -> str:
    """DICOM's YYYYMMDD as YYYY-MM-DD; empty for anything else."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else ""


def slice_header(
    file: FileRef, dataset: Dataset, frame: int | None, place: Dataset, traits: Mapping[str, Trait] | None = None
) -> SliceHeader:
    """Build the header of one slice; `place` holds the geometry and rescale, which multi-frame files keep elsewhere.

    `traits` as `traits_of` returns them; None: from `dataset`.
    """
    bits = integer(dataset, "BitsStored") or integer(dataset, "BitsAllocated") or 0
    high_bit = integer(dataset, "HighBit")
    signed = integer(dataset, "PixelRepresentation") == 1
    image_type = tuple(str(value) for value in items(place.get("ImageType") or dataset.get("ImageType")))
    stated, syntax = text(dataset, "Modality"), _transfer_syntax(dataset)
    modality = _modality(stated, text(dataset, "SOPClassUID"))
    slope, intercept = number(place, "RescaleSlope"), number(place, "RescaleIntercept")
    if modality == "MR" and slope == 0:  # says nothing, and MR has no unit to get wrong
        slope = intercept = None
    if modality == "MR" and slope is None:
        slope, intercept = other_rescale(place) or (slope, intercept)
    return SliceHeader(
        file=file,
        frame=frame,
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        sop_class=text(dataset, "SOPClassUID"),
        sop_uid=text(dataset, "SOPInstanceUID"),
        transfer_syntax=syntax,
        number=text(dataset, "SeriesNumber"),
        description=_printable(text(dataset, "SeriesDescription")),
        modality=modality,
        image_type=image_type,
        frames=integer(dataset, "NumberOfFrames") or 1,
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        bits_allocated=integer(dataset, "BitsAllocated") or 0,
        bits_stored=bits,
        high_bit=bits - 1 if high_bit is None else high_bit,
        signed=signed,
        samples=integer(dataset, "SamplesPerPixel") or 1,
        photometric=text(dataset, "PhotometricInterpretation"),
        position=numbers(place, "ImagePositionPatient", 3),
        orientation=numbers(place, "ImageOrientationPatient", 6),
        pixel_spacing=numbers(place, "PixelSpacing", 2),
        thickness=number(place, "SliceThickness"),
        spacing_between=number(place, "SpacingBetweenSlices"),
        slope=slope,
        intercept=intercept,
        rescale_type=text(place, "RescaleType"),
        padding=_padding(dataset, signed),
        own=is_own_output(dataset),
        frame_of_reference=text(dataset, "FrameOfReferenceUID"),
        patient=text(dataset, "PatientID"),
        missing=tuple(keyword for keyword in _NEEDED_FOR_PIXELS if dataset.get(keyword) in (None, "")),
        acquired=next((date for name in _DATES if (date := _iso(text(dataset, name)))), ""),
        lut=bool(dataset.get("ModalityLUTSequence")),
        signal_scale=signal_scale(place) if modality == "MR" else None,
        lossy=text(dataset, "LossyImageCompression") == "01" or syntax in LOSSY,
        stated_modality=stated,
        traits=traits_of(dataset, image_type) if traits is None else traits,
    )


def _modality(stated: str, sop_class: str) -> str:
    """Return what a header states, but not against what the object is stored as: a projection is one whatever it is called."""
    stored = _STORED_AS.get(sop_class)
    if stored in _PROJECTIONS:
        return stated if stated in _PROJECTIONS else stored
    return stored if stored and stated in ("", OTHER) else stated or OTHER


def _transfer_syntax(dataset: Dataset) -> str:
    """Return how the file is encoded; of the syntaxes without compression the true one, which some files do not state."""
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if syntax and syntax not in _NATIVE:
        return str(syntax)
    items = (dataset.get_item(tag) for tag in list(dataset.keys()))
    raw: list[Any] = [one for one in items if isinstance(one, RawDataElement)]
    read_as = (raw[0].is_implicit_VR, raw[0].is_little_endian) if raw else dataset.original_encoding
    implicit, little = read_as
    if not little:
        return str(ExplicitVRBigEndian)
    return str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)


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


def items(value: Any) -> list[Any]:
    """Return an element's values as a list, however many it has."""
    if value is None:
        return []
    if isinstance(value, str) and "\\" in value:  # several, in an element whose type holds one
        return value.split("\\")
    return [value] if isinstance(value, str | bytes | int | float) else list(value)


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element as text, empty where it is absent."""
    value = dataset.get(keyword)
    if isinstance(value, MultiValue):
        value = "\\".join(str(one) for one in value)
    return "" if value is None else str(value).strip()


def _printable(words: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in words).strip()


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return `count` finite numbers, or None where they are absent, too few or unreadable."""
    try:
        values = tuple(float(value) for value in items(dataset.get(keyword)))
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
