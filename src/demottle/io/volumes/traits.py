"""What a header says of an image beside where it lies: echo, phase, kernel, energy, b-value, time, ...

Each has a name that a reader understands, and one plain value. Classic objects say it in attributes of their own (some of them
private), enhanced ones in functional groups.
"""

import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

Trait = float | str
Values = dict[str, Any]
"""Values by keyword."""

TIMES = ("trigger time", "acquired", "content time")
"""Traits that are moments in s: each image may have its own, so they tell volumes apart only where nothing else does."""

_NUMBERS = {
    "tube voltage": "KVP",
    "energy": "MonoenergeticEnergyEquivalent",
    "echo": "EchoNumbers",
    "echo time": "EchoTime",
    "effective echo time": "EffectiveEchoTime",
    "inversion time": "InversionTime",
    "flip angle": "FlipAngle",
    "repetition time": "RepetitionTime",
    "b-value": "DiffusionBValue",
    "cardiac phase": "NominalPercentageOfCardiacPhase",
    "trigger delay": "NominalCardiacTriggerDelayTime",
    "respiratory phase": "NominalPercentageOfRespiratoryPhase",
    "time point": "TemporalPositionIdentifier",
    "temporal index": "TemporalPositionIndex",
    "time offset": "TemporalPositionTimeOffset",
    "acquisition": "AcquisitionNumber",
    "frame acquisition": "FrameAcquisitionNumber",
    "slice thickness": "SliceThickness",
    "instance": "InstanceNumber",
}
_TEXTS = {
    "stack": "StackID",
    "kernel": "ConvolutionKernel",
    "labeling": "ASLContext",
    "contrast phase": "ContrastBolusAgentPhase",
    "description": "SeriesDescription",
    "protocol": "ProtocolName",
    "sequence": "SequenceName",
    "comment": "ImageComments",
}
_VECTORS = {
    "diffusion direction": "DiffusionGradientOrientation",
    "velocity direction": "VelocityEncodingDirection",
}
_WHEN = (
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ContentTime",
    "TriggerTime",
    "FrameAcquisitionDateTime",
    "FrameReferenceDateTime",
)

# (group, element): creator of the block, name, struct format of binary values ("": decimal strings; "text"), number of values
_PRIVATE: dict[tuple[int, int], tuple[str, str, str, int]] = {
    (0x0019, 0x100C): ("SIEMENS MR HEADER", "b-value", "", 1),
    (0x0019, 0x100E): ("SIEMENS MR HEADER", "diffusion direction", "<d", 3),
    (0x0019, 0x10A2): ("GEMS_ACQU_01", "raw data run", "<i", 1),
    (0x0019, 0x10BB): ("GEMS_ACQU_01", "gradient x", "", 1),
    (0x0019, 0x10BC): ("GEMS_ACQU_01", "gradient y", "", 1),
    (0x0019, 0x10BD): ("GEMS_ACQU_01", "gradient z", "", 1),
    (0x0043, 0x1039): ("GEMS_PARM_01", "b-value", "", 1),
    (0x0043, 0x102F): ("GEMS_PARM_01", "image component", "<h", 1),
    (0x0065, 0x1009): ("Image Private Header", "b-value", "<d", 1),
    (0x0065, 0x1037): ("Image Private Header", "diffusion direction", "<d", 3),
    (0x2001, 0x1003): ("Philips Imaging DD 001", "b-value", "<f", 1),
    (0x2001, 0x1004): ("Philips Imaging DD 001", "directionality", "text", 1),
    (0x2005, 0x10B0): ("Philips MR Imaging DD 001", "gradient x", "<f", 1),
    (0x2005, 0x10B1): ("Philips MR Imaging DD 001", "gradient y", "<f", 1),
    (0x2005, 0x10B2): ("Philips MR Imaging DD 001", "gradient z", "<f", 1),
}
_CREATORS = {(group, 0x0010) for group, _ in _PRIVATE}
_COMPONENTS = {
    "MAGNITUDE": "magnitude",
    "PHASE": "phase",
    "REAL": "real",
    "IMAGINARY": "imaginary",
    "M": "magnitude",
    "P": "phase",
    "R": "real",
    "I": "imaginary",
}
TRACE = "trace"
"""Directionality of a mean over diffusion directions, which scanners keep among the volumes that it is the mean of."""
_GE_COMPONENTS = ("magnitude", "phase", "real", "imaginary")
_GE_B_OFFSET = 10**9  # newer GE software adds it to mark what the other values of the element mean

TRAIT_TAGS: list[BaseTag] = [
    *(Tag(keyword) for names in (_NUMBERS, _TEXTS, _VECTORS) for keyword in names.values()),
    *(Tag(keyword) for keyword in (*_WHEN, "ComplexImageComponent", "DiffusionDirectionality")),
    *(Tag(*place) for place in (*_PRIVATE, *_CREATORS)),
]
"""Elements that have to be read for `traits_of`."""

_GROUPS = (
    "FrameContentSequence",
    "MREchoSequence",
    "MRDiffusionSequence",
    "MRModifierSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRVelocityEncodingSequence",
    "MRArterialSpinLabelingSequence",
    "CardiacSynchronizationSequence",
    "RespiratorySynchronizationSequence",
    "TemporalPositionSequence",
    "CTReconstructionSequence",
    "CTXRayDetailsSequence",
    "CTAdditionalXRaySourceSequence",
    "MultienergyCTCharacteristicsSequence",
    "PixelMeasuresSequence",
    "MRImageFrameTypeSequence",
)


def traits_of(header: Dataset | Values, image_type: tuple[str, ...] = ()) -> dict[str, Trait]:
    """Return what a header says, by name; `image_type` as it holds for this image."""
    found: dict[str, Trait] = {}
    for name, keyword in _NUMBERS.items():
        _put(found, name, _number(header.get(keyword)))
    for name, keyword in _TEXTS.items():
        value = header.get(keyword)
        _put(found, name, None if value in (None, "") else _text(value))
    for name, keyword in _VECTORS.items():
        _put(found, name, _vector(header.get(keyword)))
    if str(header.get("DiffusionDirectionality") or "") == "ISOTROPIC":
        found["directionality"] = TRACE
    _put(found, "image type", "\\".join(image_type) or None)
    _put(found, "component", _component(header, image_type))
    for name, seconds in _moments(header).items():
        _put(found, name, seconds)
    if isinstance(header, Dataset):
        _put_private(found, header)
    return found


def values_of_groups(dataset: Dataset, groups: Dataset) -> Values:
    """Return what functional groups (those all frames share) and the object itself say, by keyword."""
    own = ("AcquisitionNumber", "SeriesDescription", "ComplexImageComponent", "Modality")
    return {**{keyword: dataset[keyword].value for keyword in own if keyword in dataset}, **_grouped(groups)}


def traits_of_frame(dataset: Dataset, shared: Values, frame: Dataset, image_type: tuple[str, ...]) -> dict[str, Trait]:
    """Return what one frame's groups say, before those that all share, and what the object's own dimensions count."""
    return {**traits_of({**shared, **_grouped(frame)}, image_type), **_dimensions(dataset, frame)}


def _grouped(groups: Dataset) -> Values:
    found: Values = {}
    for keyword in _GROUPS:
        for item in groups.get(keyword) or []:
            found.update(_flat(item))
    return found


def _flat(item: Dataset) -> Values:
    """One group with what its own sequences hold: the gradient direction lies a level deeper."""
    flat: Values = {}
    for element in item:
        if element.VR == "SQ":
            for inner in element.value or []:
                flat.update(_flat(inner))
        elif element.keyword:
            flat[element.keyword] = element.value
    return flat


def _dimensions(dataset: Dataset, frame: Dataset) -> Mapping[str, Trait]:
    """What the object declares its frames are ordered by, beside their place: "dimension Effective Echo Time": 2.0."""
    content = frame.get("FrameContentSequence") or [Dataset()]
    values = content[0].get("DimensionIndexValues") or []
    values = [values] if isinstance(values, int) else list(values)
    found: dict[str, Trait] = {}
    for index, value in zip(dataset.get("DimensionIndexSequence") or [], values, strict=False):
        pointer = index.get("DimensionIndexPointer")
        if pointer is not None and pointer not in _PLACES:
            label = str(index.get("DimensionDescriptionLabel") or "")
            found[f"dimension {label or pointer}"] = float(value)
    return found


_PLACES = [Tag(keyword) for keyword in ("StackID", "InStackPositionNumber", "ImagePositionPatient")]
_PLACES += [Tag(keyword) for keyword in ("ImageOrientationPatient", "SliceLocation", "ImagePositionVolume")]


def _put(found: dict[str, Trait], name: str, value: Trait | None) -> None:
    if value is not None and value != "":
        found[name] = value


def _number(value: Any) -> float | None:
    """The first of the values as a number, rounded to what scanners state; None for none."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace").strip("\0 ")
    if isinstance(value, str):
        value = value.split("\\")[0]
    elif hasattr(value, "__len__") and len(value):
        value = value[0]
    try:
        return round(float(value), 4) + 0.0
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    values = [value] if isinstance(value, str) else list(value) if hasattr(value, "__iter__") else [value]
    return "\\".join(str(one).strip() for one in values)


def _vector(value: Any) -> str | None:
    """Direction cosines as one text; None for none. A gradient of no length is not a direction."""
    try:
        values = [round(float(one), 3) + 0.0 for one in value]
    except (TypeError, ValueError):
        return None
    return ", ".join(f"{one:g}" for one in values) if any(values) else None


def _component(dataset: Dataset | Values, image_type: tuple[str, ...]) -> str | None:
    """Magnitude, phase, real or imaginary: of MR, where the header says so."""
    if str(dataset.get("Modality") or "MR") != "MR":
        return None
    stated = str(dataset.get("ComplexImageComponent") or "").upper()
    if stated in _COMPONENTS:
        return _COMPONENTS[stated]
    for value in image_type[2:]:
        word = value.upper()
        found = _COMPONENTS.get(word) or _COMPONENTS.get(word.partition("_")[0]) or _COMPONENTS.get(word.split(" ")[0])
        if found and (word in _COMPONENTS or "_" in word or word.startswith("PHASE")):
            return found
    return None


def _moments(dataset: Dataset | Values) -> dict[str, float | None]:
    trigger = _number(dataset.get("TriggerTime"))
    acquired = _moment(dataset.get("FrameAcquisitionDateTime") or dataset.get("AcquisitionDateTime"))
    if acquired is None:
        acquired = _moment(f"{dataset.get('AcquisitionDate') or '20000101'}{dataset.get('AcquisitionTime') or ''}")
    if acquired is None:
        acquired = _moment(dataset.get("FrameReferenceDateTime"))
    content = _moment(f"{dataset.get('ContentDate') or '20000101'}{dataset.get('ContentTime') or ''}")
    return {
        "trigger time": None if trigger is None else trigger / 1000,
        "acquired": acquired,
        "content time": content,
    }


def _moment(value: Any) -> float | None:
    """Seconds since 1970 of YYYYMMDDHHMMSS.F; None for a date alone."""
    text = str(value or "").split("+")[0].replace(":", "").strip()
    for form in ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S", "%Y%m%d%H%M"):
        try:
            return round((datetime.strptime(text[:21], form) - datetime(1970, 1, 1)).total_seconds(), 4)
        except ValueError:
            continue
    return None


def _put_private(found: dict[str, Trait], dataset: Dataset) -> None:
    values: dict[str, tuple[float, ...]] = {}
    for (group, element), (creator, name, form, count) in _PRIVATE.items():
        if (group, element) in dataset and str(dataset.get((group, 0x0010), _NO_CREATOR).value).strip() == creator:
            if form == "text":
                if _text(dataset[group, element].value).upper().startswith("I"):
                    found["directionality"] = TRACE
                continue
            value = _private_numbers(dataset[group, element].value, form, count)
            if value is not None:
                values[name] = value
    if "b-value" in values:
        found.setdefault("b-value", values["b-value"][0] % _GE_B_OFFSET)
    if "diffusion direction" in values:
        _put(found, "diffusion direction", _vector(values["diffusion direction"]))
    elif all(f"gradient {axis}" in values for axis in "xyz"):
        _put(found, "diffusion direction", _vector([values[f"gradient {axis}"][0] for axis in "xyz"]))
    if "raw data run" in values:
        found["raw data run"] = values["raw data run"][0]
    if "image component" in values and values["image component"][0] in range(4):
        found.setdefault("component", _GE_COMPONENTS[int(values["image component"][0])])


class _NoCreator:
    value = ""


_NO_CREATOR = _NoCreator()


def _private_numbers(value: Any, form: str, count: int) -> tuple[float, ...] | None:
    """Values of a private element; as bytes where the file did not say their type (VR UN)."""
    try:
        if isinstance(value, bytes):
            if form:
                return tuple(float(one[0]) for one in struct.iter_unpack(form, value))[:count] or None
            value = value.decode("ascii").strip("\0 ").split("\\")
        values = [value] if isinstance(value, str | int | float) or not hasattr(value, "__iter__") else list(value)
        numbers = tuple(round(float(one), 6) for one in values[:count])
        return numbers if len(numbers) == count else None
    except (TypeError, ValueError, struct.error, UnicodeDecodeError):
        return None
