"""Patient, study and body part of a new object whose image came without a header: only what is known is said.

The standard wants these attributes to be there (type 2) and lets them be empty. Only what demottle simulated has a patient, and
that one is called a phantom.
"""

import hashlib
from pathlib import Path

from pydicom.dataset import Dataset

from demottle.image import Image
from demottle.io.dicom.headers.uids import uid_from
from demottle.io.payload import body_part_of, is_phantom

PATIENT, PATIENT_ID = "PHANTOM^DEMOTTLE", "PHANTOM-DEMOTTLE"
_NO_DATE = "20000101"  # of a phantom: archives sort by date and want one; always the same, so that the bytes are


def add_patient_and_study(dataset: Dataset, image: Image) -> None:
    """Set the attributes of patient and study, in place; empty where the image is not of one of our phantoms."""
    phantom = is_phantom(image)
    dataset.PatientName = PATIENT if phantom else ""
    dataset.PatientID = PATIENT_ID if phantom else ""
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyDate = dataset.ContentDate = _NO_DATE if phantom else ""
    dataset.StudyTime = dataset.ContentTime = "000000" if phantom else ""
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyID = "PHANTOM" if phantom else ""
    if phantom:
        dataset.StudyDescription = "PHANTOM"


def add_body_part(dataset: Dataset, image: Image) -> None:
    """Set BodyPartExamined where it is known, in place, else an empty Laterality: one of the two has to be there."""
    if body_part := body_part_of(image):
        dataset.BodyPartExamined = body_part
    else:
        dataset.Laterality = ""


def study_uid(kind: str, image: Image, place: object) -> str:
    """Return a UID that phantoms of one shape and spacing share, so that they can be compared, and all that came from one file.

    Files of two patients never share it, alike as their grids may be.

    Args:
        kind: what it identifies, such as "new study".
        image: the image; the file it came from is read.
        place: shape and position.
    """
    path = Path(image.source.path) if image.source is not None and image.source.path else None
    if path is None or not path.is_file():
        return uid_from(kind, place)
    with path.open("rb") as stream:
        return uid_from(kind, place, hashlib.file_digest(stream, "sha256").hexdigest())
