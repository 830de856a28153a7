"""Write an `Image` that did not come from DICOM as a complete new CT series: simulated images, converted volumes."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pydicom.valuerep import DSfloat

import demottle
from demottle.errors import OutputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.io.dicom.files import save
from demottle.io.dicom.headers.header import add_derivation, marked_image_type, series_mark, set_file_meta
from demottle.io.dicom.headers.marks import write_history
from demottle.io.dicom.headers.uids import steps_key, uid_from
from demottle.io.dicom.headers.unknown import add_body_part, add_patient_and_study, study_uid
from demottle.io.files.stored import integer_limits, to_stored
from demottle.io.grid.cosines import cosines
from demottle.io.grid.placement import refuse_skewed
from demottle.io.payload import Affine, affine_of, description_of, is_phantom

_PADDING = -2000
_WINDOW = (40, 400)  # center and width in HU: abdomen


def write_new_series(image: Image, folder: Path, *, listener: Listener = silent) -> None:
    """Write CT Image Storage objects into `folder`, which is created: 16 bits signed, slope 1, intercept 0, in HU.

    Patient and study are empty, or those of a phantom (`headers.unknown`); the same image gives the same bytes. Phantoms of the
    same shape and spacing, and images from one file, share study and Frame of Reference, so that they can be compared slice by
    slice.

    Raises:
        OutputError: the image is not CT in HU; rows and columns that are not perpendicular.
        OSError: from the file system.
    """
    if image.modality != "CT" or image.unit != "HU":
        raise OutputError(
            f"Only CT in HU can become a new DICOM series, but this image is {image.modality} in {image.unit}; "
            "write .nii.gz, .mha or .nrrd."
        )
    affine = affine_of(image)
    refuse_skewed(affine, image.shape)
    folder.mkdir()
    shared = _series_header(image, affine)
    for index in range(image.shape[0]):
        dataset = Dataset()
        dataset.update(shared)
        _place(dataset, image, affine, index)
        _set_pixels(dataset, _stored(image, index))
        if image.history:
            dataset.ImageType = marked_image_type(["DERIVED", "PRIMARY", "AXIAL"], image.history)
            add_derivation(dataset, image.history, source=None)
            write_history(dataset, image.history)
        set_file_meta(dataset)
        save(dataset, folder / f"image-{index + 1:04d}.dcm")
        listener(Progress(Stage.WRITE, index + 1, image.shape[0]))


def _series_header(image: Image, affine: Affine) -> Dataset:
    place = [list(image.shape), [round(float(value), 6) for value in affine.ravel()]]
    content = hashlib.sha256(np.ascontiguousarray(image.voxels).tobytes()).hexdigest()
    series_key = [place, content, steps_key(image.history)]
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = CTImageStorage
    dataset.StudyInstanceUID = study_uid("new study", image, place)
    dataset.SeriesInstanceUID = uid_from("new series", series_key)
    dataset.FrameOfReferenceUID = study_uid("new frame of reference", image, place)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Modality = "CT"
    dataset.Manufacturer = "demottle developers"
    dataset.ManufacturerModelName = "demottle"
    dataset.SoftwareVersions = demottle.__version__
    description = description_of(image) or "CT"
    mark = series_mark(image.history) if image.history else ""
    dataset.SeriesDescription = f"{description[: 63 - len(mark)]} {mark}".strip()
    add_patient_and_study(dataset, image)
    dataset.SeriesNumber = 1 + 9000 * bool(image.history)
    dataset.AcquisitionNumber = 1
    dataset.PatientPosition = "HFS" if is_phantom(image) else ""
    add_body_part(dataset, image)
    dataset.PositionReferenceIndicator = ""
    dataset.KVP = ""
    dataset.SliceThickness = _ds(image.slice_thickness or image.spacing[0])
    dataset.SpacingBetweenSlices = _ds(image.spacing[0])
    dataset.PixelSpacing = [_ds(image.spacing[1]), _ds(image.spacing[2])]
    dataset.ImageOrientationPatient = [_ds(value) for value in _orientation(affine)]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.shape[1:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    if image.valid is not None:
        dataset["PixelPaddingValue"] = DataElement("PixelPaddingValue", "SS", _PADDING)
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = _WINDOW
    return dataset


def _place(dataset: Dataset, image: Image, affine: Affine, index: int) -> None:
    position = affine[:3, 3] + index * affine[:3, 2]
    dataset.SOPInstanceUID = uid_from("new instance", str(dataset.SeriesInstanceUID), index)
    dataset.InstanceNumber = index + 1
    dataset.ImagePositionPatient = [_ds(value) for value in position]
    along = np.cross(affine[:3, 0], affine[:3, 1])
    dataset.SliceLocation = _ds(float(position @ along / np.linalg.norm(along)))


def _orientation(affine: Affine) -> NDArray[np.float64]:
    return np.concatenate(cosines([*affine[:3, 0], *affine[:3, 1]]))


def _ds(value: float) -> DSfloat:
    """Return a decimal string of at most 16 characters, as DICOM wants it."""
    return DSfloat(float(value) + 0.0, auto_format=True)


def _stored(image: Image, index: int) -> NDArray[Any]:
    voxels = image.voxels[index]
    valid = None if image.valid is None else image.valid[index]
    return to_stored(
        voxels,
        np.full_like(voxels, np.nan),  # nothing was stored before: every voxel is new
        np.full(voxels.shape, _PADDING, np.int16),
        slope=1.0,
        intercept=0.0,
        limits=integer_limits(16, signed=True),
        valid=valid,
        padding=None if valid is None else (_PADDING, _PADDING),
    )


def _set_pixels(dataset: Dataset, pixels: NDArray[Any]) -> None:
    dataset["PixelData"] = DataElement("PixelData", "OW", pixels.astype("<i2").tobytes())
