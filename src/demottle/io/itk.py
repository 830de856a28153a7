"""MetaImage (.mha, .mhd) and NRRD through SimpleITK."""

from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError, OutputError
from demottle.image import Image, Source
from demottle.io.dicom_marks import history_from_json, history_json
from demottle.io.file_payload import (
    FilePayload,
    as_voxels,
    check_source_readable,
    outside_circle,
    restore,
    same_format_payload,
    unit_of,
)
from demottle.io.payload import Affine, affine_of

_HISTORY = "demottle_history"
_MODALITY = "Modality"


def read_itk(path: Path, kind: str, modality: str | None = None) -> Image:
    """Read a 3-D MetaImage or NRRD volume.

    Raises:
        InputError: broken file, missing data file, not three-dimensional, or more than one value per voxel.
    """
    itk = _load(path)
    import SimpleITK as sitk

    stated = itk.GetMetaData(_MODALITY) if itk.HasMetaDataKey(_MODALITY) else ""
    modality = modality or next((word for word in ("CT", "MR") if stated.upper().endswith(word)), None)
    history = history_from_json(itk.GetMetaData(_HISTORY)) if itk.HasMetaDataKey(_HISTORY) else ()
    stored = sitk.GetArrayViewFromImage(itk)
    voxels = as_voxels(stored)
    columns, rows, slices = itk.GetSpacing()
    said = () if modality else (f"{path.name} does not say whether this is CT or MR; values are taken as they are.",)
    payload = FilePayload(
        warnings=said, affine=_affine(itk), steps=len(history), dtype=stored.dtype,
        header={key: itk.GetMetaData(key) for key in itk.GetMetaDataKeys()},
    )  # fmt: skip
    return Image(
        voxels=voxels,
        spacing=(slices, rows, columns),
        modality=modality or "OT",
        unit=unit_of(modality),
        valid=outside_circle(voxels, modality),
        source=Source(kind, str(path), payload),
        history=history,
    )


def _load(path: Path) -> Any:
    import SimpleITK as sitk

    sitk.ProcessObject.GlobalWarningDisplayOff()  # ITK writes to stderr what the error below says better
    try:
        itk = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path} is not a readable image, is truncated, or its data file is missing; replace it.") from error
    if itk.GetDimension() != 3 or itk.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(
            f"{path} has {itk.GetDimension()} dimensions and {itk.GetNumberOfComponentsPerPixel()} values per voxel; "
            "demottle needs one 3-D volume of single values."
        )
    return itk


def _affine(itk: Any) -> Affine:
    affine = np.eye(4)
    affine[:3, :3] = np.array(itk.GetDirection()).reshape(3, 3) * np.array(itk.GetSpacing())
    affine[:3, 3] = itk.GetOrigin()
    return affine


def write_itk(image: Image, path: Path, kind: str) -> None:
    """Write MetaImage or NRRD: the source's data type and entries where it had this format, else float32.

    Raises:
        OutputError: slices of a tilted gantry, which these formats cannot hold; also as `demottle.io.write`.
    """
    import SimpleITK as sitk

    payload = same_format_payload(image, kind)
    if payload is None:
        itk = sitk.GetImageFromArray(np.ascontiguousarray(image.voxels))
        _set_geometry(itk, image, path)
    else:
        try:
            source = _load(check_source_readable(image.source.path if image.source else ""))
        except InputError as error:
            raise OutputError(f"The source has changed since it was read: {error}") from error
        itk = sitk.GetImageFromArray(restore(image, sitk.GetArrayViewFromImage(source), payload))
        itk.CopyInformation(source)
        for key, value in payload.header.items():
            if not key.startswith(("ITK_", "NRRD_")):
                itk.SetMetaData(key, value)
    if image.modality in ("CT", "MR"):
        itk.SetMetaData(_MODALITY, f"MET_MOD_{image.modality}")
    if image.history:
        itk.SetMetaData(_HISTORY, history_json(image.history))
    try:
        sitk.WriteImage(itk, str(path), useCompression=False)
    except RuntimeError as error:  # ITK does not pass on what the system said
        raise OutputError(f"{path.name} could not be written; is the disk full, or permission missing?") from error


def _set_geometry(itk: Any, image: Image, path: Path) -> None:
    affine = affine_of(image)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / spacing
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise OutputError(f"The slices are tilted (gantry tilt), which {path.suffix} cannot hold; write DICOM or .nii.gz.")
    itk.SetSpacing(spacing.tolist())
    itk.SetOrigin(affine[:3, 3].tolist())
    itk.SetDirection(direction.ravel().tolist())
