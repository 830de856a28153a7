"""MetaImage (.mha, .mhd) and NRRD through sitk."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.image import Image
from demottle.io.files.itk_header import checked_header
from demottle.io.files.payload import (
    FilePayload,
    image_of,
    load_source,
    note,
    read_note,
    restore,
    same_format_payload,
    values_for_file,
)
from demottle.io.files.plain_names import readable_name, writable_name
from demottle.io.formats import Given
from demottle.io.grid.placement import placement
from demottle.io.grid.slice_axis import LAST, affine_of_slices, as_in_file, slice_axis, slices_first, steps_of
from demottle.io.payload import Affine

_NOTE = "demottle"
_MODALITY = "Modality"
_RUNS = ("XA", "RF")  # whose slices are frames


def read(path: Path, given: Given) -> Image:
    """Read a 3-D MetaImage or NRRD volume.

    Raises:
        InputError: broken file, missing data file, not three-dimensional, or more than one value per voxel.
    """
    unsized = checked_header(path, given.format)
    itk = _load(path)
    said, history = read_note(itk.GetMetaData(_NOTE)) if itk.HasMetaDataKey(_NOTE) else (None, ())
    modality = given.modality or said or _stated_modality(itk)
    stored = _simpleitk().GetArrayViewFromImage(itk)
    in_file = _affine(itk)
    axis = LAST if modality in _RUNS else slice_axis(stored.shape[::-1], itk.GetSpacing())
    affine = affine_of_slices(in_file, axis)
    unsaid = f"{path.name} does not say whether this is CT or MR"
    payload = FilePayload(
        warnings=unsized,
        affine=affine,
        steps=len(history),
        dtype=stored.dtype,
        header=_entries(itk),
        axis=axis,
    )
    named: dict[str, Any] = {"format": given.format, "path": path, "modality": modality, "history": history}
    return image_of(slices_first(stored, axis), payload, spacing=steps_of(affine), unsaid=unsaid, **named)


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
        with readable_name(path) as name:
            itk = sitk.ReadImage(str(name))
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


def write(image: Image, path: Path, format: str) -> None:
    """Write MetaImage or NRRD: the source's data type and entries where it had this format, else float32.

    Raises:
        OutputError: slices that are tilted or lie on no even grid; also as `demottle.io.write`.
    """
    sitk = _simpleitk()
    payload = same_format_payload(image, format)
    if payload is None:
        itk = sitk.GetImageFromArray(np.ascontiguousarray(values_for_file(image)))
        _set_geometry(itk, image, format)
    else:
        source = load_source(image, _load)
        planes = restore(image, slices_first(sitk.GetArrayViewFromImage(source), payload.axis), payload)
        itk = sitk.GetImageFromArray(np.ascontiguousarray(as_in_file(planes, payload.axis)))
        itk.CopyInformation(source)
        for key, value in payload.header.items():
            if not key.startswith(("ITK_", "NRRD_")):
                itk.SetMetaData(key, value)
    itk.SetMetaData(_NOTE, note(image))
    try:
        with writable_name(path) as name:
            sitk.WriteImage(itk, str(name), useCompression=False)
    except RuntimeError as error:  # ITK does not pass on what the system said
        raise OSError("SimpleITK could not write the file") from error


def _set_geometry(itk: Any, image: Image, format: str) -> None:
    affine = placement(image, format).affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    itk.SetSpacing(spacing.tolist())
    itk.SetOrigin(affine[:3, 3].tolist())
    itk.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
