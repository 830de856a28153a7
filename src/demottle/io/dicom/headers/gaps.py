"""Attributes that a source lacks and its class demands: old and anonymized files leave them out, or hold what is not allowed."""

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)

from demottle.io.dicom.headers.uids import uid_from
from demottle.io.dicom.slice_header import number

_ALWAYS = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    *("Manufacturer", "InstanceNumber"),
)
"""Type 2 in every image (PS3.3 C.7.1.1, C.7.2.1, C.7.5.1, C.7.6.1)."""
_CT = ("PositionReferenceIndicator", "AcquisitionNumber", "KVP", "SliceThickness")
_MR = (
    "PositionReferenceIndicator",
    "ScanOptions",
    "MRAcquisitionType",
    "RepetitionTime",
    "EchoTime",
    "EchoTrainLength",
)
_X_RAY = ("PatientOrientation", "KVP", "XRayTubeCurrent", "ExposureTime", "Exposure")
_MR_STATED = {"ScanningSequence": "RM", "SequenceVariant": "NONE"}
"""What may not be empty in MR (PS3.3 C.8.3.1): RM, research mode, is the term that says nothing of the sequence."""
_SIDES = (
    "Laterality",
    "ImageLaterality",
    "BodyPartExamined",
    "AnatomicRegionSequence",
    "SharedFunctionalGroupsSequence",
)


def _has_place(dataset: Dataset) -> bool:
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    return "ImagePositionPatient" in dataset or any("PlanePositionSequence" in groups for groups in frames)


def complete(dataset: Dataset, source_series: str) -> None:
    """Add what is missing as empty, which says no more than its absence, in place; and what may not be empty where it is known.

    A CT without a rescale gets here only where its stored values are known to be HU. Slices without a Frame of Reference lie in
    that of their own series, which gets a UID made of `source_series`, the source's SeriesInstanceUID.
    """
    of_class = {
        CTImageStorage: _CT,
        MRImageStorage: _MR,
        XRayAngiographicImageStorage: (
            *_X_RAY,
            "PositionerMotion",
            "PositionerPrimaryAngle",
            "PositionerSecondaryAngle",
        ),
        XRayRadiofluoroscopicImageStorage: _X_RAY,
        SecondaryCaptureImageStorage: ("PatientOrientation",),
    }
    wanted = [*_ALWAYS, *of_class.get(dataset.SOPClassUID, ())]
    if not any(keyword in dataset for keyword in _SIDES):
        wanted.append("Laterality")
    for keyword in wanted:
        if keyword not in dataset:
            tag = tag_for_keyword(keyword)
            assert tag is not None
            dataset[keyword] = DataElement(tag, dictionary_VR(tag), None)
    if not dataset.get("FrameOfReferenceUID") and _has_place(dataset):
        dataset.FrameOfReferenceUID = uid_from("frame of reference", source_series)
    between = number(dataset, "SpacingBetweenSlices")
    if between is not None and between < 0:  # where slices lie is said by their positions; a sign is not allowed here
        dataset.SpacingBetweenSlices = abs(dataset.SpacingBetweenSlices)
    _without_nothing(dataset)
    described = len(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    if described and "NumberOfFrames" not in dataset:
        dataset.NumberOfFrames = described
    if dataset.SOPClassUID == MRImageStorage:
        for keyword, value in _MR_STATED.items():
            if not dataset.get(keyword):
                setattr(dataset, keyword, value)
    if dataset.SOPClassUID == CTImageStorage and "RescaleSlope" not in dataset and "ModalityLUTSequence" not in dataset:
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = (
            "1",
            dataset.get("RescaleIntercept", "0"),
            "HU",
        )


def _without_nothing(dataset: Dataset) -> None:
    """Take out zeros that say no more than absence and are not allowed: of frames, thickness, slope, width of a window."""
    if dataset.get("Modality") == "MR" and number(dataset, "RescaleSlope") == 0:
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
            if keyword in dataset:
                del dataset[keyword]
    if "NumberOfFrames" in dataset and not dataset.NumberOfFrames:
        del dataset.NumberOfFrames
    if "PlanarConfiguration" in dataset and dataset.get("SamplesPerPixel") == 1:  # the order of colors of a gray image
        del dataset.PlanarConfiguration
    if number(dataset, "SliceThickness") == 0:
        dataset.SliceThickness = None
    if number(dataset, "WindowWidth") == 0:
        for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"):
            if keyword in dataset:
                del dataset[keyword]
