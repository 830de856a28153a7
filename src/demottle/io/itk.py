"""MetaImage (.mha, .mhd) and NRRD through sitk."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError, OutputError
from demottle.image import Image
from demottle.io.file_payload import FilePayload, image_of, load_source, note, read_note, restore, same_format_payload
from demottle.io.itk_header import refuse_broken_header
from demottle.io.payload import Affine, affine_of

_NOTE = "demottle"
_MODALITY = "Modality"


def read_itk(path: Path, kind: str, modality: str | None = None) -> Image:
    """Read a 3-D MetaImage or NRRD volume.

    Raises:
        InputError: broken file, missing data file, not three-dimensional, or more than one value per voxel.
    """
    refuse_broken_header(path, kind)
    itk = _load(path)
    said, history = read_note(itk.GetMetaData(_NOTE)) if itk.HasMetaDataKey(_NOTE) else (None, ())
    modality = modality or said or _stated_modality(itk)
    stored = _simpleitk().GetArrayViewFromImage(itk)
    columns, rows, slices = itk.GetSpacing()
    doubts = () if modality else (f"{path.name} does not say whether this is CT or MR; values are taken as they are.",)
    payload = FilePayload(
        warnings=doubts,
        affine=_affine(itk),
        steps=len(history),
        dtype=stored.dtype,
        header=_entries(itk),
    )
    spacing = slices, rows, columns
    return image_of(stored, payload, format=kind, path=path, spacing=spacing, modality=modality, history=history)


def _entries(itk: Any) -> dict[str, str]:
    """Return the entries; one whose name is not text, from a broken header, is left out."""
    found = {}
    for key in itk.GetMetaDataKeys():
        with suppress(TypeError):
            found[key] = str(itk.GetMetaData(key))
    return found


def _simpleitk() -> Any:
    """Import SimpleITK, which takes half a second and has no types."""
    import SimpleITK

    return SimpleITK


def _stated_modality(itk: Any) -> str | None:
    """Return what MetaImage's own entry says, such as MET_MOD_CT."""
    stated = itk.GetMetaData(_MODALITY).upper() if itk.HasMetaDataKey(_MODALITY) else ""
    return next((word for word in ("CT", "MR") if stated.endswith(word)), None)


def _load(path: Path) -> Any:
    sitk = _simpleitk()
    sitk.ProcessObject.GlobalWarningDisplayOff()  # ITK writes to stderr what the error below says better
    try:
        itk = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path} is not a readable image, is truncated, or its data file is missing; replace it."
        ) from error
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
    sitk = _simpleitk()
    payload = same_format_payload(image, kind)
    if payload is None:
        itk = sitk.GetImageFromArray(np.ascontiguousarray(image.voxels))
        _set_geometry(itk, image, path)
    else:
        source = load_source(image, _load)
        itk = sitk.GetImageFromArray(restore(image, sitk.GetArrayViewFromImage(source), payload))
        itk.CopyInformation(source)
        for key, value in payload.header.items():
            if not key.startswith(("ITK_", "NRRD_")):
                itk.SetMetaData(key, value)
    itk.SetMetaData(_NOTE, note(image))
    try:
        sitk.WriteImage(itk, str(path), useCompression=False)
    except RuntimeError as error:  # ITK does not pass on what the system said
        raise OSError("SimpleITK could not write the file") from error


def _set_geometry(itk: Any, image: Image, path: Path) -> None:
    affine = affine_of(image)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / spacing
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise OutputError(
            f"The slices are tilted (gantry tilt), which {path.suffix} cannot hold; write DICOM or .nii.gz."
        )
    itk.SetSpacing(spacing.tolist())
    itk.SetOrigin(affine[:3, 3].tolist())
    itk.SetDirection(direction.ravel().tolist())
