"""Write a run of frames that did not come from DICOM as a new multi-frame XA or RF object: simulated, or converted from video."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage
from pydicom.valuerep import DSfloat

import demottle
from demottle.errors import OutputError
from demottle.image import Image
from demottle.io.dicom.files import save
from demottle.io.dicom.headers.header import add_derivation, marked_image_type, series_mark, set_file_meta
from demottle.io.dicom.headers.marks import write_history
from demottle.io.dicom.headers.uids import steps_key, uid_from
from demottle.io.dicom.headers.unknown import add_body_part, add_patient_and_study, study_uid
from demottle.io.payload import description_of, is_phantom

_BITS = (8, 10, 12, 16)  # that the standard allows for these objects
_COARSE = 15.0  # largest value below which rounding to whole numbers would lose the image


def write_new_run(image: Image, path: Path, *, one_file: bool) -> None:
    """Write one multi-frame object of whole, unsigned numbers: to `path` itself, or into it as a folder.

    Patient and study are empty, or those of a phantom (`headers.unknown`); the same image gives the same bytes.

    Raises:
        OutputError: values below 0, above 65535, or so small that rounding would lose them.
        OSError: from the file system.
    """
    low, high = float(image.voxels.min()), float(image.voxels.max())
    if low < -0.5 or high > 65535.4 or high < _COARSE:
        raise OutputError(
            f"The frames hold values from {low:g} to {high:g}, but DICOM keeps X-ray frames as whole numbers from 0 to 65535; "
            "write .nii.gz or .tif."
        )
    bits = next(count for count in _BITS if np.rint(high) < 2**count)
    pixels = np.clip(np.rint(image.voxels), 0, 2**bits - 1).astype("u1" if bits == 8 else "<u2")
    dataset = _header(image, pixels, bits)
    if not one_file:
        path.mkdir()
    save(dataset, path if one_file else path / "image-0001.dcm")


def _header(image: Image, pixels: NDArray[Any], bits: int) -> Dataset:
    angiography = image.modality == "XA"
    place = [list(image.shape), [round(step, 9) for step in image.spacing], image.modality]
    key = [place, hashlib.sha256(pixels.tobytes()).hexdigest(), steps_key(image.history)]
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = marked_image_type(["DERIVED", "PRIMARY", "SINGLE PLANE"], image.history)
    dataset.SOPClassUID = XRayAngiographicImageStorage if angiography else XRayRadiofluoroscopicImageStorage
    dataset.SOPInstanceUID = uid_from("new run instance", key)
    dataset.StudyInstanceUID = study_uid("new run study", image, place)
    dataset.SeriesInstanceUID = uid_from("new run series", key)
    dataset.Modality = image.modality
    dataset.Manufacturer = "demottle developers"
    dataset.ManufacturerModelName = "demottle"
    dataset.SoftwareVersions = demottle.__version__
    mark = series_mark(image.history) if image.history else ""
    dataset.SeriesDescription = f"{(description_of(image) or 'Run of frames')[: 63 - len(mark)]} {mark}".strip()
    add_patient_and_study(dataset, image)
    dataset.PatientOrientation = ""
    dataset.SeriesNumber = 1 + 9000 * bool(image.history)
    dataset.InstanceNumber = 1
    add_body_part(dataset, image)
    dataset.KVP = dataset.XRayTubeCurrent = dataset.ExposureTime = ""
    dataset.RadiationSetting = "SC"  # fluoroscopy, as against single exposures
    if angiography:
        dataset.PositionerMotion = "STATIC" if is_phantom(image) else ""
        dataset.PositionerPrimaryAngle = dataset.PositionerSecondaryAngle = ""
    _set_time(dataset, image)
    _set_pixels(dataset, image, pixels, bits)
    if image.history:
        add_derivation(dataset, image.history, source=None)
        write_history(dataset, image.history)
    set_file_meta(dataset)
    return dataset


def _set_time(dataset: Dataset, image: Image) -> None:
    milliseconds = 1000 * image.spacing[0]
    dataset.NumberOfFrames = image.shape[0]
    dataset.FrameTime = DSfloat(milliseconds, auto_format=True)
    dataset["FrameIncrementPointer"] = DataElement("FrameIncrementPointer", "AT", Tag("FrameTime"))
    dataset.CineRate = dataset.RecommendedDisplayFrameRate = max(1, round(1 / image.spacing[0]))


def _set_pixels(dataset: Dataset, image: Image, pixels: NDArray[Any], bits: int) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.shape[1:]
    allocated = 8 if bits == 8 else 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
        allocated,
        bits,
        bits - 1,
        0,
    )
    dataset.PixelIntensityRelationship = _relationship(image)
    if dataset.PixelIntensityRelationship != "DISP":
        dataset.PixelIntensityRelationshipSign = 1
    dataset.ImagerPixelSpacing = [DSfloat(step, auto_format=True) for step in image.spacing[1:]]
    dataset.EstimatedRadiographicMagnificationFactor = 1
    low, high = np.percentile(pixels[:: max(1, len(pixels) // 8)], [1, 99])
    dataset.WindowCenter = DSfloat(round(float(low + high) / 2, 1))
    dataset.WindowWidth = DSfloat(max(1.0, round(float(high - low), 1)))
    data = pixels.tobytes()
    dataset["PixelData"] = DataElement("PixelData", "OB" if bits == 8 else "OW", data + b"\0" * (len(data) % 2))


def _relationship(image: Image) -> str:
    """What the numbers are to the X-rays, where a step of the history says it; else only that they are for display."""
    told = [str(step.settings.get("display")) for step in image.history if "display" in step.settings]
    return {"linear": "LIN", "log": "LOG"}.get(told[-1] if told else "", "DISP")
