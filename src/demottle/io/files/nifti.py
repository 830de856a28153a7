"""NIfTI-1 and NIfTI-2: .nii and .nii.gz."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, ProcessingStep
from demottle.io.files.nifti_frames import frames_of, gaps, time_step, volumes_of
from demottle.io.files.nifti_source import Opened, opened
from demottle.io.files.payload import (
    FilePayload,
    image_of,
    load_source,
    note,
    read_note,
    restore,
    same_format_payload,
    says_sequence,
    values_for_file,
)
from demottle.io.formats import Given
from demottle.io.grid.nifti_affine import read_affine
from demottle.io.grid.placement import placement, placement_over_time
from demottle.io.grid.slice_axis import (
    LAST,
    affine_of_slices,
    as_in_file,
    slice_axis,
    slices_first,
    steps_along,
    steps_of,
)
from demottle.io.mr.bids import modality_by_name
from demottle.io.payload import payload_of
from demottle.io.volumes.over_time import SeriesPayload

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_COMMENT = 6  # code of the header extension that holds plain text
_MARK = "demottle: "
_NO_SCAN = {
    **dict.fromkeys(range(2, 25), "a map of a statistic"),
    1002: "a label map",
    1003: "a map of names",
    1006: "a field of displacements",
    1007: "a field of vectors",
}
"""By the header's intent code (nifti1.h)."""


def read(path: Path, given: Given) -> Image:
    """Read a NIfTI volume; its thick axis becomes the slices (`slice_axis`). With a fourth axis: a run of frames.

    Raises:
        InputError: broken file; more than four dimensions; complex or color values; voxels without a size.
    """
    found, stored, slope, intercept = _load(path)
    nifti, header = found.nifti, found.nifti.header
    in_file, doubts = read_affine(nifti, path)
    volume = nifti.ndim < 4 or nifti.shape[3] == 1
    stated, history = _note(header)
    modality = given.modality or stated or modality_by_name(path)
    frames = volume and (modality in ("XA", "RF") or _says_sequence(header))
    axis = LAST if frames else _axis_of_slices(nifti)
    affine = affine_of_slices(in_file, axis)
    payload = FilePayload(
        warnings=(*doubts, *found.doubts),
        affine=affine,
        steps=len(history),
        dtype=stored.dtype,
        slope=slope,
        intercept=intercept,
        header=header,
        axis=axis,
    )
    named: dict[str, Any] = {"format": "nifti", "path": path, "modality": modality, "history": history}
    named["unsaid"] = "NIfTI does not say whether this is CT or MR"
    named["intent"] = _NO_SCAN.get(int(header["intent_code"]), "")
    if volume:
        planes = slices_first(stored, axis)
        return image_of(planes, payload, spacing=steps_of(affine), sequence=_says_sequence(header), **named)
    step, warning = time_step(header)
    odd = tuple(text for text in (warning, _layout(nifti.shape[3], nifti.shape[axis], modality)) if text)
    payload = replace(payload, affine=None, warnings=(*payload.warnings, *odd))
    image = image_of(stored, payload, spacing=(step, *steps_of(affine)[1:]), sequence=True, **named)
    between = gaps(image.shape, nifti.shape[axis])
    if between is None:
        return image
    return replace(image, valid=between if image.valid is None else image.valid & between)


def _layout(volumes: int, slices: int, modality: str | None) -> str:
    """How the fourth axis is read; where nobody says what it is, it is taken for fluoroscopy."""
    found = []
    if slices > 1:
        found.append(
            f"The file holds {volumes} volumes of {slices} slices, taken as frames over time, slices one below the other."
        )
    if modality is None:
        found.append(
            "A series over time is treated as fluoroscopy; if it is MR (functional, diffusion), give --modality MR."
        )
    return " ".join(found)


def _axis_of_slices(nifti: Any) -> int:
    """The axis of the file that is that of its slices."""
    shape = (*nifti.shape, 1, 1)[:3]
    stated = nifti.header.get_dim_info()[2]
    return slice_axis(shape, steps_along(np.asarray(nifti.affine)), None if stated is None else int(stated))


def _load(path: Path) -> tuple[Opened, NDArray[Any], float, float]:
    """Return what was opened, the stored values with the file's axes reversed (third, second, first), slope and intercept."""
    import nibabel

    try:
        with opened(path) as found:
            nifti = found.nifti
            stored = np.asanyarray(nifti.dataobj.get_unscaled())
    except InputError:
        raise
    except nibabel.spatialimages.HeaderDataError as error:
        raise InputError(f"{path}: the NIfTI header is broken ({_said(error)}); repair or replace it.") from error
    except Exception as error:  # nibabel, gzip and zlib raise many types
        raise InputError(f"{path} is not a readable NIfTI file, or truncated; replace it.") from error
    if stored.ndim > 3 and stored.shape[3:] == (1,) * (stored.ndim - 3):
        stored = stored.reshape(stored.shape[:3])
    stored = stored.reshape((*stored.shape, 1, 1)[:3]) if 0 < stored.ndim < 3 else stored
    if stored.ndim not in (3, 4):
        raise InputError(f"{path} has the shape {stored.shape}; demottle needs a 3-D volume, or volumes over time.")
    if stored.dtype.kind not in "iuf":
        held = "colors" if stored.dtype.names else f"{stored.dtype} values"
        raise InputError(f"{path} holds {held}; demottle needs real numbers.")
    slope, intercept = nifti.dataobj.slope, nifti.dataobj.inter
    planes = stored.T if stored.ndim == 3 else frames_of(np.moveaxis(stored, _axis_of_slices(nifti), LAST))
    return found, planes, float(slope), float(intercept)


def _said(error: Exception) -> str:
    return str(error).strip().rstrip(".")


def _says_sequence(header: Any) -> bool:
    return any(_is_mark(one) and says_sequence(_text(one).removeprefix(_MARK)) for one in header.extensions)


def _note(header: Any) -> tuple[str | None, tuple[ProcessingStep, ...]]:
    for extension in header.extensions:
        if _is_mark(extension):
            return read_note(_text(extension).removeprefix(_MARK))
    return None, ()


def _text(extension: Any) -> str:
    content = extension.get_content()
    return (content.decode(errors="replace") if isinstance(content, bytes) else str(content)).rstrip("\0")


def _is_mark(extension: Any) -> bool:
    return bool(extension.get_code() == _COMMENT) and _text(extension).startswith(_MARK)


def write(image: Image, path: Path, format: str) -> None:
    """Write a NIfTI file: the source's header and data type where it was NIfTI, else float32 with the image's geometry.

    Modality and history go into a comment extension of the header. Raises as `demottle.io.write`.
    """
    import nibabel as untyped_nibabel

    nibabel: Any = untyped_nibabel  # its types are incomplete
    payload = same_format_payload(image, format)
    if payload is None:
        nifti = _new_frames(nibabel, image) if image.sequence else _new_volume(nibabel, image)
        slope, intercept = 1.0, 0.0
    else:
        nifti, slope, intercept = _with_source_header(image, payload)
    kept = [extension for extension in nifti.header.extensions if not _is_mark(extension)]
    mark = nibabel.nifti1.Nifti1Extension(_COMMENT, (_MARK + note(image)).encode())
    nifti.header.extensions[:] = [*kept, mark]
    nifti.header.set_slope_inter(slope, intercept)
    nifti.to_filename(path)


def _new_volume(nibabel: Any, image: Image) -> Any:
    place = placement(image, "nifti")
    affine = _LPS_FROM_RAS @ place.affine
    nifti = nibabel.Nifti1Image(values_for_file(image).T, affine)
    nifti.header.set_xyzt_units("mm")
    nifti.header.set_dim_info(slice=LAST)
    if not place.sheared:  # a qform cannot hold a sheared grid
        nifti.set_qform(affine, code="scanner")
        nifti.set_sform(affine, code="scanner")
    return nifti


def _new_frames(nibabel: Any, image: Image) -> Any:
    """Volumes over time as DICOM had them; else one slice over time: columns, rows, 1, frames."""
    seconds, down, right = image.spacing
    payload = payload_of(image)
    if isinstance(payload, SeriesPayload) and payload.volume_affine is not None:
        slices = len(payload.slices) // payload.volumes
        place = placement_over_time(payload.slices, payload.volumes, payload.volume_affine)
        affine = _LPS_FROM_RAS @ place.affine
        nifti = nibabel.Nifti1Image(volumes_of(image.voxels, slices), affine)
        nifti.header.set_zooms((*nifti.header.get_zooms()[:3], seconds))
        nifti.header.set_dim_info(slice=LAST)
        if not place.sheared:
            nifti.set_qform(affine, code="scanner")
            nifti.set_sform(affine, code="scanner")
        nifti.header.set_xyzt_units("mm", "sec")
        return nifti
    values = image.voxels.transpose(2, 1, 0)[:, :, None]
    nifti = nibabel.Nifti1Image(values, _LPS_FROM_RAS @ np.diag([right, down, 1.0, 1.0]))
    nifti.header.set_zooms((right, down, 1.0, seconds))
    nifti.header.set_xyzt_units("mm", "sec")
    return nifti


def _with_source_header(image: Image, payload: FilePayload) -> tuple[Any, float, float]:
    found, stored, slope, intercept = load_source(image, _load)
    source = found.nifti
    frames = source.ndim > 3 and source.shape[3] > 1
    planes = restore(image, stored if frames else slices_first(stored, payload.axis), payload)
    if frames:
        axis = _axis_of_slices(source)
        ordered = np.moveaxis(volumes_of(planes, source.shape[axis]), LAST, axis)
    else:
        ordered = as_in_file(planes, payload.axis).T
    values = ordered.reshape(source.shape)
    return type(source)(values, None, source.header.copy()), slope, intercept
