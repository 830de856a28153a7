"""Series as a scanner makes them: a disc in air under noise, valid CT objects, quickly made and of any size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

THICKNESS_MM, FIELD_MM = 2.5, 380.0
_AIR, _BODY, _NOISE = 24.0, 1064.0, 20.0
LARGE = "Large"
"""SeriesDescription of a large object."""
_SOFT_PIXELS = 2.5  # so that even a plain filter leaves the rim as it is, and passes the gate


def write_series(folder: Path, name: str, slices: int, size: int, header: Mapping[str, Any] | None = None) -> list[str]:
    """Write a CT series of 16 bits into a folder, made where it is missing; return the UIDs of its objects.

    Args:
        folder: where to.
        name: of series and patient, from which the UIDs follow.
        slices, size: how many, and rows and columns of each.
        header: other attributes by keyword.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clean, noise = _disc(size), _noise(size, name)
    uids = []
    for index in range(slices):
        made = _header(name, index, size)
        for keyword, value in (header or {}).items():
            setattr(made, keyword, value)
        # no two slices alike, and none drawn anew: drawing would take longer than sending
        moved = np.roll(noise, (17 * index, 29 * index), (0, 1)) * (1 if index % 2 else -1)
        made.PixelData = np.clip(np.rint(clean + moved), 0, 4095).astype("<u2").tobytes()
        made.save_as(folder / f"{index:05d}.dcm", enforce_file_format=True)
        uids.append(str(made.SOPInstanceUID))
    return uids


def write_large(file: Path, mib: int, size: int = 512) -> None:
    """Write an Enhanced CT object of so many MiB into a file; of its header only what a receiver asks for is there."""
    made = _header("large", 0, size, EnhancedCTImageStorage)
    frames = (mib << 20) // (2 * size * size)
    made.NumberOfFrames, made.SeriesDescription = frames, LARGE
    one = np.clip(np.rint(_disc(size) + _noise(size, "large")), 0, 4095).astype("<u2").tobytes()
    made.PixelData = one * frames
    made.save_as(file, enforce_file_format=True)


def series_uid(name: str) -> str:
    """SeriesInstanceUID of the series of a name."""
    return str(generate_uid(entropy_srcs=["series", name]))


def _disc(size: int) -> NDArray[np.float64]:
    rows, columns = np.mgrid[:size, :size] - size / 2
    outside = np.hypot(rows, columns) - 0.4 * size
    return np.asarray(_AIR + (_BODY - _AIR) / (1 + np.exp(outside / _SOFT_PIXELS)))


def _noise(size: int, name: str) -> NDArray[np.float64]:
    return np.random.default_rng(list(name.encode())).normal(0, _NOISE, (size, size))


def _header(name: str, index: int, size: int, sop_class: str = CTImageStorage) -> Dataset:
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 100"
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = generate_uid(entropy_srcs=["instance", name, str(index)])
    made.StudyInstanceUID = generate_uid(entropy_srcs=["study", name])
    made.SeriesInstanceUID = series_uid(name)
    made.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame", name])
    made.StudyDate = made.SeriesDate = made.AcquisitionDate = made.ContentDate = "20260102"
    made.StudyTime = made.SeriesTime = made.AcquisitionTime = made.ContentTime = "101112"
    made.AccessionNumber = made.ReferringPhysicianName = made.PatientBirthDate = made.PatientSex = ""
    made.PatientName, made.PatientID, made.StudyID = "Simulated", name, "1"
    made.Modality, made.Manufacturer, made.ManufacturerModelName = "CT", "Simulated", "Scanner"
    made.SeriesDescription, made.BodyPartExamined, made.PatientPosition = "Disc", "CHEST", "HFS"
    made.KVP, made.ConvolutionKernel, made.SliceThickness = "120", "Br40", str(THICKNESS_MM)
    made.SeriesNumber, made.AcquisitionNumber, made.InstanceNumber = 1, 1, index + 1
    made.ImagePositionPatient = [-FIELD_MM / 2, -FIELD_MM / 2, THICKNESS_MM * index]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.PositionReferenceIndicator = ""
    made.PixelSpacing = [round(FIELD_MM / size, 4)] * 2
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = size
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = "-1024", "1", "HU"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made
