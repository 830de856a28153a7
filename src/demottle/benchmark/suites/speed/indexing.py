"""How long `demottle archive index` takes for small files, and with how much memory, in a process of its own.

Headers are like those of a scanner: a hundred elements and private blocks of 18 kB; pixels are few, as they are not read.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from demottle.benchmark.suites.cases import Finding
from demottle.benchmark.suites.speed.commands import spent

LIMIT_MINUTES = 10.0
"""The aim, for 100,000 files on two cores."""
CORES, FEWEST = 2, 10_000
"""Processor seconds are reckoned for so many cores, as other work may share them; of fewer files the start takes most of it."""
SERIES_SLICES, SIDE = 50, 16
_TEXTS = (
    "InstitutionName",
    "StudyDescription",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "AccessionNumber",
    "StationName",
)
_NUMBERS = (
    *("DataCollectionDiameter", "ReconstructionDiameter", "DistanceSourceToDetector", "DistanceSourceToPatient"),
    *("GantryDetectorTilt", "TableHeight", "ExposureTime", "XRayTubeCurrent", "GeneratorPower", "CTDIvol"),
)


def measured(files: int) -> Finding:
    """Index so many files twice: all of them, and then nothing new."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_archive(folder / "root", files)
        command = [
            sys.executable,
            "-m",
            "demottle",
            "archive",
            "index",
            str(folder / "root"),
            "-o",
            str(folder / "archive"),
        ]
        seconds, processor, peak = spent(command)
        again, again_processor, _ = spent(command)
    told: dict[str, float | str] = {
        "files": files,
        "again_seconds": round(again, 2),
        "again_cpu_seconds": round(again_processor, 2),
    }
    minutes = processor / CORES / files * 100_000 / 60
    if minutes > LIMIT_MINUTES and files >= FEWEST:
        told["missed"] = f"{minutes:.1f} minutes for 100,000 files, the aim is {LIMIT_MINUTES:g}"
    cost = {"seconds": round(seconds, 2), "cpu_seconds": round(processor, 2), "peak_mib": round(1024 * peak, 1)}
    return Finding({"passes": float("missed" not in told)}, told, cost)


def write_archive(root: Path, files: int) -> None:
    """Write series of CT slices, a folder each."""
    slices = 0
    for series in range(-(-files // SERIES_SLICES)):
        folder = root / f"{series // 100:03d}" / f"{series:05d}"
        folder.mkdir(parents=True)
        header = _header(series)
        for number in range(min(SERIES_SLICES, files - slices)):
            header.SOPInstanceUID = UID(f"1.2.3.4.{series + 1}.{number + 1}")
            header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
            header.InstanceNumber, header.ImagePositionPatient = number + 1, [-100, -100, number]
            header.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
            slices += 1


def _header(series: int) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = CTImageStorage
    made.StudyInstanceUID, made.SeriesInstanceUID = f"1.2.3.{series // 4 + 1}", f"1.2.3.4.{series + 1}"
    made.PatientID, made.Modality, made.Manufacturer = f"P{series // 4}", "CT", "Simulated"
    made.ImageType, made.ConvolutionKernel = ["ORIGINAL", "PRIMARY", "AXIAL"], ["Br40d", "3"]
    made.StudyDate = made.SeriesDate = made.AcquisitionDate = made.ContentDate = "20260102"
    made.SeriesDescription, made.ProtocolName, made.BodyPartExamined = "Chest", "Chest", "CHEST"
    made.SeriesNumber, made.KVP, made.SliceThickness, made.Exposure = series % 4 + 1, 120, 1.0, 50
    made.FrameOfReferenceUID, made.PixelSpacing = f"1.2.9.{series + 1}", [0.7, 0.7]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 1, -1024, "HU"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = SIDE
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    for name in _TEXTS:
        setattr(made, name, "stated")
    for name in _NUMBERS:
        setattr(made, name, 100)
    csa = made.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    for number in range(8):
        csa.add_new(number, "OB", bytes(2200))
    block = made.private_block(0x0019, "SIEMENS CT VA0", create=True)
    for number in range(20):
        block.add_new(number, "LO", "x")
    pixels = np.random.default_rng(series).integers(900, 1100, SIDE * SIDE, dtype=np.uint16)
    made.PixelData = pixels.tobytes()
    return made
