"""Multi-frame objects with functional groups (Enhanced CT, MR, 3D X-ray): each frame becomes a slice, and goes back."""

from collections.abc import Mapping, Sequence
from typing import Any

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

import demottle
from demottle.errors import InputError
from demottle.image import ProcessingStep
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.header import derivation_codes, derivation_text, derived_image_type, source_item
from demottle.io.dicom.headers.marks import UNCHANGED
from demottle.io.dicom.headers.numbers import mend_numbers
from demottle.io.dicom.headers.uids import steps_key
from demottle.io.dicom.slice_header import SliceHeader, integer, slice_header
from demottle.io.values.mr_scale import MAPPING, copy_private
from demottle.io.volumes.traits import traits_of_frame, values_of_groups

_FRAME_TYPES = (
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "XRay3DFrameTypeSequence",
)
_GROUPS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
)
_MOST_FRAMES = 1 << 20
_POSITION = "ImagePositionPatient"
_RECONSTRUCTION = "XRay3DReconstructionSequence"
_NEEDED = (
    _POSITION,
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
)


def scan_frames(file: FileRef, brief: Dataset) -> list[SliceHeader]:
    """Return one header per frame, its geometry and rescale taken from the functional groups.

    Raises:
        InputError: fewer functional groups than frames.
    """
    name = f"{file.name} ({brief.SOPClassUID.name})"
    with file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    mend_numbers(dataset)
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    stated = integer(dataset, "NumberOfFrames")
    if stated is None:  # then the frames that are described count; their pixels are measured against it later
        brief.NumberOfFrames = stated = len(frames)
    if len(frames) != (stated or 1):
        raise InputError(
            f"{name} says {dataset.get('NumberOfFrames')} frames but describes {len(frames)}; it is broken."
        )
    for groups in (shared, *frames):
        for keyword in _GROUPS:
            mend_numbers(_group(groups, keyword) or Dataset())
    made, said = [], values_of_groups(dataset, shared)
    first = _first_number(dataset)
    for index, frame in enumerate(frames):
        place = _place(shared, frame, dataset)
        kind = tuple(str(value) for value in place.get("ImageType") or brief.get("ImageType") or ())
        traits = traits_of_frame(dataset, said, frame, kind)
        traits.setdefault("instance", float(first + index))  # the order of frames, as the numbers of objects
        made.append(slice_header(file, brief, index, place, traits))
    return made


def _first_number(dataset: Dataset) -> int:
    """Number of an object's first frame among those of its series: objects come as they are numbered, parts of one as one."""
    if dataset.get("ConcatenationUID"):
        return 1 + (integer(dataset, "ConcatenationFrameOffsetNumber") or 0)
    return 1 + _MOST_FRAMES * (integer(dataset, "InstanceNumber") or 0)


def _place(shared: Dataset, frame: Dataset, whole: Dataset) -> Dataset:
    """Gather what `slice_header` reads from the groups of one frame; a frame's own group goes before the shared one.

    What the groups leave out counts where it stands outside of them: the object's own attributes hold for all of its frames, and
    Philips puts the rescale of cone-beam CT into the reconstruction. But a position there would be that of all slices.
    """
    place = Dataset()
    for keyword in _GROUPS:
        group = _group(frame, keyword) or _group(shared, keyword) or Dataset()
        for needed in _NEEDED:
            if needed in group:
                place[needed] = group[needed]
    for outside in (whole, _group(whole, _RECONSTRUCTION) or Dataset()):
        for needed in _NEEDED:
            if needed != _POSITION and needed not in place and needed in outside:
                place[needed] = outside[needed]
    place[MAPPING] = DataElement(Tag(MAPPING), "SQ", frame.get(MAPPING) or shared.get(MAPPING) or Items())
    for groups in (shared, frame):
        copy_private(groups, place)
    for keyword in _FRAME_TYPES:
        group = _group(frame, keyword) or _group(shared, keyword) or Dataset()
        if "FrameType" in group:
            place.ImageType = group.FrameType
    return place


def _group(groups: Dataset, keyword: str) -> Dataset | None:
    items: Any = groups.get(keyword)
    return items[0] if items else None


def derive_frames(dataset: Dataset, steps: Mapping[int, Sequence[ProcessingStep]]) -> None:
    """Mark frames as derived, from the same frames of the source, in place.

    Call it before the object's own UIDs change: the groups refer to the source. `steps`: what was done to each frame; one that is
    missing stays as it was, and its derivation says so.
    """
    evidence = dataset.get("SourceImageEvidenceSequence") or []
    dataset.SourceImageEvidenceSequence = Items([*evidence, _evidence(dataset)])
    per_frame = list(dataset.PerFrameFunctionalGroupsSequence)
    if not dataset.get("SharedFunctionalGroupsSequence"):
        dataset.SharedFunctionalGroupsSequence = Items([Dataset()])
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for groups in (shared, *per_frame):
        for keyword in _FRAME_TYPES:
            group = _group(groups, keyword)
            if group is not None:
                group.FrameType = derived_image_type(group, "FrameType")
    # A group is either shared or per frame, never both: stay with what the source has, unless frames differ from now on.
    done = [steps.get(frame, (ProcessingStep(UNCHANGED, demottle.__version__),)) for frame in range(len(per_frame))]
    if len({repr(steps_key(one)) for one in done}) == 1 and "DerivationImageSequence" not in per_frame[0]:
        _add_derivation(shared, (), dataset, done[0])
        return
    earlier = shared.get("DerivationImageSequence") or ()
    for groups, mine in zip(per_frame, done, strict=True):
        _add_derivation(groups, earlier, dataset, mine)
    if "DerivationImageSequence" in shared:
        del shared.DerivationImageSequence


def _add_derivation(
    groups: Dataset, earlier: Sequence[Dataset], dataset: Dataset, steps: Sequence[ProcessingStep]
) -> None:
    items = groups.get("DerivationImageSequence") or earlier
    groups.DerivationImageSequence = Items([*items, _derivation(dataset, steps)])


def _evidence(dataset: Dataset) -> Dataset:
    """Return the source's place in its study, which the standard wants where functional groups refer to it."""
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedSOPSequence = dataset.SeriesInstanceUID, Items([instance])
    study.StudyInstanceUID, study.ReferencedSeriesSequence = dataset.StudyInstanceUID, Items([series])
    return study


def _derivation(dataset: Dataset, steps: Sequence[ProcessingStep]) -> Dataset:
    item = Dataset()
    item.DerivationDescription = derivation_text(steps)
    item.DerivationCodeSequence = Items(derivation_codes(steps))
    item.SourceImageSequence = Items([source_item(str(dataset.SOPClassUID), str(dataset.SOPInstanceUID))])
    return item
