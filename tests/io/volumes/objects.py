"""Valid MR objects as scanners write them, classic ones slice by slice."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

ROWS, COLUMNS, GAP = 40, 36, 3.0


def mr_slice(place: int, number: int, pixels: np.ndarray | None = None, **values: Any) -> Dataset:
    """One slice of classic MR at 3 mm times `place`; `values` set (or, with None, delete) attributes."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["mr", str(number), str(place)])
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["mr series"])
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    dataset.StudyDate = dataset.ContentDate = "20200102"
    dataset.StudyTime = dataset.ContentTime = "101112"
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.PositionReferenceIndicator = ""
    dataset.StudyID, dataset.SeriesNumber, dataset.Modality = "S1", 7, "MR"
    dataset.AcquisitionNumber, dataset.InstanceNumber = 1, number
    dataset.Manufacturer, dataset.SeriesDescription = "Test", "Head"
    dataset.PatientName, dataset.PatientID = "TEST^PATIENT", "4711"
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.BodyPartExamined, dataset.PatientPosition = "HEAD", "HFS"
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "GR", "SP", ""
    dataset.MRAcquisitionType, dataset.RepetitionTime, dataset.EchoTime, dataset.EchoTrainLength = "2D", "2000", "30", 1
    dataset.MagneticFieldStrength, dataset.FlipAngle = "3", "70"
    dataset.SliceThickness, dataset.SpacingBetweenSlices = "3", "3"
    dataset.ImagePositionPatient = [-20, -25, GAP * place]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1.5, 1.25]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    for keyword, value in values.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    stored = noise(number) if pixels is None else pixels
    dataset.Rows, dataset.Columns = stored.shape
    dataset.PixelData = stored.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def noise(seed: int) -> np.ndarray:
    """Pixels of noise around 400."""
    return np.clip(np.random.default_rng(seed).normal(400, 40, (ROWS, COLUMNS)), 0, 4095).astype(np.uint16)


def save_all(datasets: list[Dataset], folder: Path) -> Path:
    """Save under names that do not follow any order; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, dataset in enumerate(datasets):
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"im{(index * 7919) % 10007:05d}", enforce_file_format=True)
    return folder


def classic(volumes: list[dict[str, Any]], places: int = 4) -> list[Dataset]:
    """A series of classic objects, volume by volume; values may be functions of the slice's place."""
    made = []
    for index, values in enumerate(volumes):
        for place in range(places):
            mine = {key: value(place) if callable(value) else value for key, value in values.items()}
            made.append(mr_slice(place, index * places + place + 1, **mine))
    return made
