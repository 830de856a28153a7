"""Small valid files of every format that demottle reads: what the fuzzer breaks."""

import io
import zipfile
from pathlib import Path

import numpy as np
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from tests.io.conftest import ct_slice, save
from tests.io.enhanced import enhanced_ct

COMPRESSED = {"rle": RLELossless, "j2k": JPEG2000Lossless, "jpegls": JPEGLSLossless}


def volume() -> np.ndarray:
    """A disc of tissue in air with noise, int16, (slices, rows, columns)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :40] - 20
    return np.rint(np.where(x**2 + y**2 < 300, 40, -1000) + rng.normal(0, 15, (6, 48, 40))).astype(np.int16)


def make_seeds(folder: Path) -> list[Path]:
    """Write one of each; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [_dicom(folder / f"{name}.dcm", syntax) for name, syntax in COMPRESSED.items()]
    made += [_dicom(folder / "native.dcm"), _dicom(folder / "deflated.dcm", DeflatedExplicitVRLittleEndian)]
    made += [_enhanced(folder / "enhanced.dcm"), _run(folder / "run.dcm"), _zip(folder / "scan.zip")]
    return made + _others(folder)


def one_slice(index: int = 0) -> Dataset:
    stored = np.clip(volume()[index] + 1024, 0, 4095)
    return ct_slice(index, rows=48, columns=40, stored=stored)


def _dicom(path: Path, syntax: str | None = None) -> Path:
    dataset = one_slice()
    if syntax in COMPRESSED.values():
        dataset.compress(syntax, generate_instance_uid=False)
    elif syntax is not None:
        dataset.file_meta.TransferSyntaxUID = syntax
    return save(dataset, path)


def _enhanced(path: Path) -> Path:
    return save(enhanced_ct(), path)


def _run(path: Path) -> Path:
    dataset = one_slice()
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SliceThickness", "RescaleType"):
        del dataset[keyword]
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.12.1", "XA"
    dataset.NumberOfFrames, dataset.FrameTime = 6, 66.7
    dataset.PixelData = np.clip(volume() + 1024, 0, 4095).astype("<u2").tobytes()
    return save(dataset, path)


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(4):
            buffer = io.BytesIO()
            dataset = one_slice(index)
            dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.save_as(buffer, enforce_file_format=True)
            archive.writestr(f"scan/{index}.dcm", buffer.getvalue())
    return path


def _others(folder: Path) -> list[Path]:
    import nibabel
    import tifffile

    values = volume()
    made = []
    for name in ("scan.nii", "scan.nii.gz"):
        nifti = nibabel.Nifti1Image(values.T, np.diag([0.7, 0.8, 2.5, 1]))
        nifti.header.set_xyzt_units("mm")
        nifti.to_filename(folder / name)
        made.append(folder / name)
    itk = SimpleITK.GetImageFromArray(values)
    itk.SetSpacing((0.7, 0.8, 2.5))
    for name, packed in (("scan.mha", False), ("packed.mha", True), ("scan.nrrd", False), ("packed.nrrd", True)):
        SimpleITK.WriteImage(itk, str(folder / name), useCompression=packed)
        made.append(folder / name)
    tifffile.imwrite(folder / "scan.tif", values, photometric="minisblack", metadata=None)
    np.save(folder / "scan.npy", values)
    return [*made, folder / "scan.tif", folder / "scan.npy"]


__all__ = ["ExplicitVRBigEndian", "HTJ2KLossless", "make_seeds", "one_slice", "volume"]
