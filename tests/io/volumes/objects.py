"""Valid MR objects as scanners write them: classic ones slice by slice, and one enhanced object with several volumes."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from tests.io.enhanced import enhanced_mr, position

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


def enhanced(volumes: list[dict[str, Dataset]], dimension: tuple[str, str], places: int = 4) -> Dataset:
    """One enhanced MR object: frames of all volumes, place by place.

    `volumes` hold functional groups by keyword, `dimension` the keywords of what orders them and of its group.
    """
    dataset = enhanced_mr()
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for keyword in {keyword for groups in volumes for keyword in groups}:
        if keyword in shared:
            del shared[keyword]  # a group is either shared or per frame
    frames = []
    for place in range(places):
        for index, groups in enumerate(volumes):
            frame = deepcopy(dataset.PerFrameFunctionalGroupsSequence[0])
            frame.PlanePositionSequence[0].ImagePositionPatient = position(place)
            content = frame.FrameContentSequence[0]
            content.InStackPositionNumber = place + 1
            frame.PixelValueTransformationSequence[0].RescaleSlope = 1
            for keyword, item in groups.items():
                if keyword == "FrameContentSequence":
                    content.update(item)
                else:
                    setattr(frame, keyword, Items([deepcopy(item)]))
            number = content.get("TemporalPositionIndex") or index + 1
            content.DimensionIndexValues = [1, place + 1, number]
            frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Items(frames)
    third = deepcopy(dataset.DimensionIndexSequence[1])
    third.DimensionIndexPointer, third.FunctionalGroupPointer = (tag_for_keyword(keyword) for keyword in dimension)
    third.DimensionDescriptionLabel = dimension[0]
    dataset.DimensionIndexSequence.append(third)
    pixels = np.stack([noise(number)[: dataset.Rows, : dataset.Columns] for number in range(len(frames))])
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = pixels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset
