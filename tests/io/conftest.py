"""Builders of DICOM files for the tests: a small synthetic CT series with anything in it that a test wants different."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

import demottle.io
from demottle.image import Image, ProcessingStep

Series = list[Path]
STEP = ProcessingStep("bilateral", "0.1.0", {"strength": 1.5, "window": [3, 3]}, seed=7, model_hash="abc123")


def ct_slice(
    index: int = 0, *, rows: int = 24, columns: int = 20, seed: int = 0, series: str = "1", **changes: Any
) -> Dataset:
    """Return a valid CT slice 2.5 mm apart; `changes` set (or, with None, delete) attributes; `stored` gives the pixels."""
    stored = changes.pop("stored", None)
    rng = np.random.default_rng([seed, index])
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid(
        entropy_srcs=["instance", series, str(index), str(changes.get("InstanceNumber"))]
    )
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", series])
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    dataset.StudyDate = dataset.ContentDate = "20200102"
    dataset.StudyTime = dataset.ContentTime = "101112"
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyID = "S1"
    dataset.Modality = "CT"
    dataset.Manufacturer = "Test"
    dataset.SeriesDescription = "Thorax"
    dataset.PatientName, dataset.PatientID = "TEST^PATIENT", "4711"
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.BodyPartExamined, dataset.PatientPosition, dataset.KVP = "CHEST", "HFS", "120"
    dataset.SliceThickness = "2.5"
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = series, 1, index + 1
    dataset.ImagePositionPatient = [-10, -12, 2.5 * index]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PositionReferenceIndicator = ""
    dataset.PixelSpacing = [0.8, 0.7]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "-1024", "1", "HU"
    for keyword, value in changes.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    if stored is None:
        stored = np.clip(rng.normal(1060, 20, (dataset.Rows, dataset.Columns)), 900, 1200)
    kind = "i" if dataset.PixelRepresentation else "u"
    pixels = np.asarray(stored).astype(f"<{kind}{dataset.BitsAllocated // 8}")
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    """Save as a DICOM file, in the transfer syntax its file meta names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def ct(tmp_path: Path) -> Callable[..., Path]:
    """Write a CT series and return its folder; file names run against the order of positions."""

    def build(name: str = "ct", slices: int = 5, **changes: Any) -> Path:
        folder = tmp_path / name
        for index in range(slices):
            # constants, or functions of the slice's index
            mine = {key: value(index) if callable(value) else value for key, value in changes.items()}
            save(ct_slice(index, **mine), folder / f"{folder.name}-{slices - index:03d}.dcm")
        return folder

    return build


@pytest.fixture
def denoised() -> Callable[..., Image]:
    """Return a function that changes an image a little and records a step."""

    def change(image: Image, by: float = 3.0, step: ProcessingStep = STEP) -> Image:
        return image.with_voxels(image.voxels + np.float32(by), step)

    return change


@pytest.fixture
def phantom() -> Image:
    """A simulated CT without a source."""
    voxels = np.random.default_rng(1).normal(40, 15, (4, 32, 28)).astype(np.float32)
    return Image(voxels, (2.0, 0.9, 0.8), "CT", "HU", slice_thickness=2.0)


@pytest.fixture
def program() -> Callable[[str], str]:
    """Return a function that finds a program, and otherwise fails in CI and skips elsewhere."""

    def find(name: str) -> str:
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if found is None:
            message = f"{name} is not installed; on Debian: apt-get install dicom3tools dcmtk orthanc"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        return found

    return find


@pytest.fixture
def real_data() -> Path:
    """The folder with the public scans."""
    folder = os.environ.get("DEMOTTLE_REAL_DATA")
    if not folder:
        pytest.skip("DEMOTTLE_REAL_DATA is not set")
    return Path(folder)


@pytest.fixture
def make_slice() -> Callable[..., Dataset]:
    """The builder of one CT slice."""
    return ct_slice


@pytest.fixture
def save_slice() -> Callable[[Dataset, Path], Path]:
    """The function that saves one."""
    return save


@pytest.fixture
def read() -> Callable[..., Image]:
    """The function under test, for tests that read well with a short name."""
    return demottle.io.read
