"""The header of an object that is new in the study of a result: whose it is, where it belongs, who made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from demottle import __version__
from demottle.io.dicom.headers.header import equipment_item, set_file_meta
from demottle.io.dicom.headers.marks import read_history
from demottle.io.dicom.headers.uids import uid_from

_PATIENT = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),  # those of type 2 first: empty where not known
    *("IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "OtherPatientIDsSequence", "TypeOfPatientID"),
    *("EthnicGroup", "PatientSpeciesDescription", "PatientSpeciesCodeSequence", "ResponsiblePerson"),
    *("ResponsibleOrganization", "QualityControlSubject", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "PatientAge", "PatientSize", "PatientWeight"),
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID"),
)
_STUDY = (
    *("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"),
    *("IssuerOfAccessionNumberSequence", "StudyInstanceUID", "StudyDescription", "ProcedureCodeSequence"),
    *(
        "ReferencedStudySequence",
        "SpecificCharacterSet",
        "TimezoneOffsetFromUTC",
        "LongitudinalTemporalInformationModified",
    ),
)
_EMPTY = (*_PATIENT[:4], *_STUDY[:5])
"""Attributes of type 2."""


@dataclass(frozen=True)
class Reference:
    """An object that a document refers to: its SOP class, its UID and that of its series."""

    sop_class: str
    uid: str
    series: str


@dataclass(frozen=True)
class Document:
    """What a document is.

    Attributes:
        kind: one of `demottle.node.configuration.SENT`; documents of a kind are a series of their own.
        sop_class, modality: of the object.
        description: of the series.
        after: how far behind the result's its number lies.
        number: InstanceNumber.
    """

    kind: str
    sop_class: str
    modality: str
    description: str
    after: int
    number: int = 1


def references(files: Sequence[Path]) -> list[Reference]:
    """Return what a document says of objects that it is about."""
    tags = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"]
    read = (pydicom.dcmread(file, specific_tags=tags, stop_before_pixels=True) for file in files)
    return [Reference(*(str(one[tag].value) for tag in tags)) for one in read]


def new_document(result: Dataset, document: Document) -> Dataset:
    """Return the header of a document in the study of a result, with file meta information.

    Its UIDs follow from the result's series: the same result has the same documents.

    Args:
        result: header of an object of the result.
        document: what it is.
    """
    made, now = Dataset(), datetime.now()
    for name in (*_PATIENT, *_STUDY):
        if name in result:
            made[name] = result[name]
        elif name in _EMPTY:
            setattr(made, name, None)
    series = str(result.SeriesInstanceUID)
    made.SOPClassUID, made.Modality = document.sop_class, document.modality
    made.SOPInstanceUID = uid_from(document.kind, series, document.number)
    made.SeriesInstanceUID = uid_from(document.kind, series)
    made.SeriesNumber = _number(result) + document.after
    made.InstanceNumber, made.SeriesDescription = document.number, document.description
    made.InstanceCreationDate = made.ContentDate = now.strftime("%Y%m%d")
    made.InstanceCreationTime = made.ContentTime = now.strftime("%H%M%S")
    made.Manufacturer, made.ManufacturerModelName, made.SoftwareVersions = (
        "demottle developers",
        "demottle",
        __version__,
    )
    steps = read_history(result)
    if steps:
        made.ContributingEquipmentSequence = Items([equipment_item(steps[-1])])
    set_file_meta(made)
    return made


def _number(result: Dataset) -> int:
    try:
        return int(result.SeriesNumber)
    except (AttributeError, TypeError, ValueError):
        return 9000
