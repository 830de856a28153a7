"""Turn a copy of a source file's header into the header of a derived image."""

import json
from collections.abc import Sequence

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    UID,
    ExplicitVRLittleEndian,
)

import demottle
from demottle.image import ProcessingStep
from demottle.io.dicom.headers.gaps import complete
from demottle.io.dicom.headers.marks import (
    MAP_OF_SPOTS,
    ROUND,
    SCHEME,
    SIMULATED_CODE,
    SIMULATION,
    UNCHANGED,
    is_refused,
    is_simulation,
    plain,
    write_history,
)
from demottle.io.dicom.headers.text import append_text
from demottle.io.dicom.headers.uids import steps_key, uid_from
from demottle.io.dicom.slice_header import LOSSY

SERIES_NUMBER_OFFSET = 9000
"""Added to the source's SeriesNumber, so that results sort behind all originals of a study ..."""
MAP_OFFSET, ROUND_OFFSET = 4000, 10000
"""... to a map's beside that of its result, and each time that the series is done again; documents lie between."""

# Things that describe the original's pixels or bytes and would be wrong on the copy.
_STALE = (
    "InstanceCreationDate",
    "InstanceCreationTime",
    "InstanceCreatorUID",
    "IconImageSequence",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "DigitalSignaturesSequence",
    "MACParametersSequence",
    "EncryptedAttributesSequence",
    "DataSetTrailingPadding",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)

_CONCATENATION = ("ConcatenationUID", "SOPInstanceUIDOfConcatenationSource")


def derive(
    dataset: Dataset,
    *,
    source_syntax: str,
    steps: Sequence[ProcessingStep],
    history: tuple[ProcessingStep, ...],
    of_series: Sequence[ProcessingStep] = (),
    part: Sequence[int | None] = (),
    place: Sequence[float] = (),
) -> None:
    """Make `dataset`, a copy of a source object, the header of the derived object, in place.

    Args:
        dataset: the source's header; pixels are the caller's business.
        source_syntax: transfer syntax of the source file.
        steps: what was done to the source now; the UIDs follow from it and from the source's UIDs.
        history: all that was ever done, kept in full in a private element.
        of_series: what was done to all volumes of the new series; none: `steps`.
        part: the frames that something was done to, where the others stay as they were.
        place: where a slice lies whose SOPInstanceUID others of its series have too.
    """
    source_class, source_uid, series = (
        str(dataset[keyword].value) for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")
    )
    key = steps_key(steps)
    dataset.SOPInstanceUID = uid_from(
        "instance", source_uid, key, *([list(part)] if part else []), *([list(place)] if place else [])
    )
    dataset.SeriesInstanceUID = uid_from("series", series, steps_key(of_series or steps))
    for keyword in _STALE:
        if keyword in dataset:
            del dataset[keyword]
    for keyword in _CONCATENATION:  # the objects that were one go on together, and not with the source's
        if dataset.get(keyword):
            setattr(dataset, keyword, uid_from("concatenation", str(dataset[keyword].value), key))
    dataset.ImageType = derived_image_type(dataset)
    if "SharedFunctionalGroupsSequence" not in dataset:  # multi-frame objects have exactly four values
        dataset.ImageType = marked_image_type(list(dataset.ImageType), steps)
    _describe_series(dataset, of_series or steps)
    complete(dataset, series)
    _keep_lossy_flag(dataset, source_syntax)
    add_derivation(dataset, steps, source=(source_class, source_uid))
    write_history(dataset, history)
    set_file_meta(dataset)


def without_repeats(steps: Sequence[ProcessingStep]) -> tuple[ProcessingStep, ...]:
    """Return the steps, those of several volumes that do the same once."""
    kept: dict[str, ProcessingStep] = {}
    for step in steps:
        kept.setdefault(json.dumps(steps_key([step]), sort_keys=True), step)
    return tuple(kept.values())


def add_derivation(dataset: Dataset, steps: Sequence[ProcessingStep], source: tuple[str, str] | None) -> None:
    """Say what was done, with what, and to which object (SOP class, SOP instance), in the standard's own attributes."""
    told = derivation_text(steps)
    append_text(dataset, "DerivationDescription", told, most=1024, between=" | ")
    dataset.DerivationCodeSequence = Items([*(dataset.get("DerivationCodeSequence") or []), *derivation_codes(steps)])
    if source is not None:
        dataset.SourceImageSequence = Items([source_item(*source)])
    equipment = [*(dataset.get("ContributingEquipmentSequence") or []), *(equipment_item(step) for step in steps)]
    if equipment:  # an image written as it was read has none to tell of, and a sequence may not be empty
        dataset.ContributingEquipmentSequence = Items(equipment)
    declare_scheme(dataset)


def derivation_text(steps: Sequence[ProcessingStep]) -> str:
    """Return one line on all steps, for DerivationDescription (1024 characters at most)."""
    if not steps:
        return f"demottle {demottle.__version__}: written anew, no processing recorded"
    parts = []
    for step in steps:
        seed = "" if step.seed is None else f", seed {step.seed}"
        model = "" if step.model_hash is None else f", model {step.model_hash[:16]}"
        kind = "SIMULATED image, not for diagnosis" if is_simulation(step) else "noise reduction"
        kind = "pixels of the source" if step.method == UNCHANGED else kind
        kind += ", REFUSED BY THE GATE" if is_refused(step) else ""
        parts.append(f"demottle {step.version}: {kind}, {step.method}{seed}{model}, settings {_settings(step)}")
    return _ascii("; ".join(parts))[:1024]


def _settings(step: ProcessingStep) -> str:
    return json.dumps(plain(step.settings), sort_keys=True)


def _ascii(text: str) -> str:
    """Every character set of DICOM can hold ASCII; backslashes would split values."""
    return text.encode("ascii", "replace").decode().replace("\\", "/")


def derivation_codes(steps: Sequence[ProcessingStep]) -> list[Dataset]:
    """Return the standard's nearest code, and demottle's own, which says more, for each kind of step."""
    codes = []
    if any(is_simulation(step) for step in steps):
        codes += [
            code("113042", "DCM", "Pixel by pixel addition"),
            code(SIMULATED_CODE, SCHEME, "Image simulated by demottle, not for diagnosis"),
        ]
    if any(step.method == UNCHANGED for step in steps):
        codes.append(code("UNCHANGED", SCHEME, "Pixels of the source, unchanged by demottle"))
    if any(not is_simulation(step) and step.method != UNCHANGED for step in steps) or not steps:
        codes += [
            code("113087", "DCM", "Smoothing"),
            code("NOISE_REDUCTION", SCHEME, "Reduction of quantum noise by demottle"),
        ]
    return codes


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return one item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def source_item(sop_class: str, sop_uid: str) -> Dataset:
    """Return a reference to the original, with its purpose."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
    item.PurposeOfReferenceCodeSequence = Items([code("121322", "DCM", "Source image for image processing operation")])
    return item


def equipment_item(step: ProcessingStep) -> Dataset:
    """Return an item of ContributingEquipmentSequence that says what a step did."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = Items([code("109102", "DCM", "Processing Equipment")])
    item.Manufacturer = "demottle developers"
    item.ManufacturerModelName = "demottle"
    item.SoftwareVersions = _ascii(step.version)[:64]
    item.ContributionDescription = derivation_text([step])
    return item


def declare_scheme(dataset: Dataset) -> None:
    """Declare demottle's private coding scheme, once."""
    declared = dataset.get("CodingSchemeIdentificationSequence") or []
    if any(item.get("CodingSchemeDesignator") == SCHEME for item in declared):
        return
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = "demottle private codes"
    item.CodingSchemeResponsibleOrganization = "The demottle developers"
    dataset.CodingSchemeIdentificationSequence = Items([*declared, item])


def derived_image_type(dataset: Dataset, keyword: str = "ImageType") -> list[str]:
    """Return the image type with value 1 DERIVED and all others kept."""
    value = dataset.get(keyword) or []
    values = [value] if isinstance(value, str) else list(value)
    fallback = ["DERIVED", "PRIMARY", "AXIAL" if dataset.get("Modality") == "CT" else "OTHER"]
    return ["DERIVED", *values[1:], *fallback[max(1, len(values)) :]]


def marked_image_type(values: list[str], steps: Sequence[ProcessingStep]) -> list[str]:
    """Return the image type with SIMULATED as its last value where one of the steps simulated the image."""
    if not any(is_simulation(step) for step in steps) or SIMULATED_CODE in values:
        return values
    return [*values, SIMULATED_CODE]


def series_mark(steps: Sequence[ProcessingStep]) -> str:
    """Return what a series description says about the steps: "[demottle METHOD+...]", "[SIMULATED low-dose 25 %]".

    What failed the gate is "[REFUSED demottle METHOD+...]".
    """
    simulated = [step for step in steps if is_simulation(step)]
    others = "+".join(step.method for step in steps if not is_simulation(step) and step.method != UNCHANGED)
    marks = [_simulated_mark(step) for step in simulated]
    if others or not marks:
        refused = "REFUSED " if any(is_refused(step) for step in steps) else ""
        marks.append(f"[{refused}demottle {others or 'copy'}]")
    return _ascii(" ".join(marks))[:64]


def _simulated_mark(step: ProcessingStep) -> str:
    dose = step.settings.get("dose")
    share = f" {100 * dose:.4g} %" if isinstance(dose, int | float) else ""
    return f"[SIMULATED {step.method.removeprefix(SIMULATION)}{share}]"


def _describe_series(dataset: Dataset, steps: Sequence[ProcessingStep]) -> None:
    told = series_mark(steps)
    append_text(dataset, "SeriesDescription", told, most=64)
    wanted = _offset(steps) + series_number(dataset)
    dataset.SeriesNumber = wanted if 0 <= wanted < 2**31 else _offset(steps)


def _offset(steps: Sequence[ProcessingStep]) -> int:
    """How far behind its source a result stands among the series of its study."""
    more = MAP_OFFSET if any(step.method == MAP_OF_SPOTS for step in steps) else 0
    told = [step.settings.get(ROUND) for step in steps]  # some of them may come from a file
    again = max((one for one in told if isinstance(one, int) and 1 < one < 10**4), default=1)
    return SERIES_NUMBER_OFFSET + more + ROUND_OFFSET * (again - 1)


def series_number(dataset: Dataset) -> int:
    """Return the source's number; 0 where it has none, or text that is not a number."""
    try:
        return int(str(dataset.get("SeriesNumber")))
    except (TypeError, ValueError):
        return 0


def _keep_lossy_flag(dataset: Dataset, source_syntax: str) -> None:
    """LossyImageCompression is never reset; pixels that come out of a lossy codec stay lossy."""
    if UID(source_syntax) in LOSSY and "LossyImageCompression" not in dataset:
        dataset.LossyImageCompression = "01"


def set_file_meta(dataset: Dataset) -> None:
    """Give the object file meta information of its own, as Explicit VR Little Endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = f"DEMOTTLE_{demottle.__version__}"[:16]
    dataset.file_meta = meta
