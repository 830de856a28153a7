"""`write`: from an `Image` to a path, in the input's own format unless asked otherwise."""

from collections.abc import Sequence
from pathlib import Path

from demottle.errors import OutputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.io.dicom.read import DicomPayload
from demottle.io.formats import DEFAULT_SUFFIX, SUFFIXES, format_of, suffix_of
from demottle.io.payload import payload_of
from demottle.io.staging import staged
from demottle.io.volumes.over_time import SeriesPayload

GRIDS = ("nifti", "mha", "mhd", "nrrd")
"""Formats that hold one even grid, and no positions of single slices."""


def write(
    image: Image | Sequence[Image],
    path: str | Path,
    *,
    format: str | None = None,
    overwrite: bool = False,
    listener: Listener = silent,
) -> Path:
    """Write an image; it appears under its final name only when complete.

    An image read from a file keeps that file's data type, geometry and headers where the format is the same. Voxels that
    were not changed keep their exact stored values.

    Args:
        image: what to write; several are volumes of one DICOM series, and become one DICOM series again.
        path: a name with a known suffix decides the format; without one, the source's format (DICOM: a folder).
        format: "dicom", "nifti", "mha", "mhd", "nrrd", "tiff", "npy", "mp4" or "avi", where the name does not say.
        overwrite: replace what is there, once the new output is complete.
        listener: told about progress, stage "write".

    Returns:
        The path written, with the suffix that was added where there was none.

    Raises:
        OutputError: exists already; is or lies in the input; disk full; no permission; the format cannot hold the image.
    """
    path = Path(path)
    images = [image] if isinstance(image, Image) else list(image)
    kind = _format(images[0], path, format)
    if len(images) > 1 and kind != "dicom":
        raise OutputError(
            f"The series holds {len(images)} volumes, and {kind} holds one; choose one of them, or write DICOM.",
            remedy="volume",
        )
    _refuse_flattening(images[0], kind)
    _refuse_unplaced(images[0], kind)
    if not suffix_of(path) and DEFAULT_SUFFIX[kind]:
        path = path.with_name(path.name + DEFAULT_SUFFIX[kind])
    for one in images:
        _keep_off_the_input(one, path)
    with staged(path, overwrite=overwrite) as temporary:
        _write_as(kind, images, temporary, listener)
    return path


def check_output(image: Image, path: str | Path, format: str | None = None) -> tuple[str, ...]:
    """Find out before the work whether an image can be written to a path, and return warnings about what the format loses.

    Arguments as those of `write`; the image need not be the final one, only of the same source.

    Raises:
        OutputError: the format cannot hold where the slices lie (a tilted gantry, uneven or shifted slices).
        InputError: a header that cannot be written again, because it is broken.
    """
    kind = _format(image, Path(path), format)
    _refuse_flattening(image, kind)
    _refuse_unplaced(image, kind)
    if kind == "dicom":
        from demottle.io.dicom.headers.rehearsal import refuse_broken_headers

        refuse_broken_headers([image])
    payload = payload_of(image)
    if kind == "nifti" and isinstance(payload, SeriesPayload) and payload.volume_affine is not None:
        from demottle.io.grid.placement import placement_over_time

        warning = placement_over_time(payload.slices, payload.volumes, payload.volume_affine).warning
        return (warning,) if warning else ()
    if image.sequence or (image.source is not None and image.source.format == kind):
        return ()
    if kind in GRIDS:
        from demottle.io.grid.placement import placement

        warning = placement(image, kind).warning
        return (warning,) if warning else ()
    if kind == "dicom" and image.modality == "CT":
        from demottle.io.grid.placement import refuse_skewed
        from demottle.io.payload import affine_of

        refuse_skewed(affine_of(image), image.shape)
    if kind in ("tiff", "npy") and not image.evenly_spaced:
        return (
            f"The slices are not evenly spaced, and {kind.upper()} holds no positions: where they lie is lost. DICOM keeps it.",
        )
    return ()


def _refuse_flattening(image: Image, kind: str) -> None:
    """Frames that show all slices of a volume are a way to work on them; only two formats can hold them as volumes over time."""
    if isinstance(payload_of(image), SeriesPayload) and kind not in ("dicom", "nifti"):
        raise OutputError(f"The series holds volumes over time, which {kind} cannot hold; write DICOM or .nii.gz.")


def _refuse_unplaced(image: Image, kind: str) -> None:
    """DICOM keeps the source's own headers; any other format would have to say where the slices lie."""
    payload = payload_of(image)
    if payload is not None and payload.unplaced and kind != "dicom":
        raise OutputError(f"{payload.unplaced} So {kind} cannot be written; write DICOM.")


def _format(image: Image, path: Path, wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in DEFAULT_SUFFIX:
            raise OutputError(f'"{wanted}" is no format; choose one of {", ".join(DEFAULT_SUFFIX)}.')
        return wanted
    suffix = suffix_of(path)
    known = format_of(path)
    if suffix and (known is None or suffix == ".zip"):
        raise OutputError(
            f"The suffix {suffix} of {path.name} stands for no format demottle writes; "
            f"use one of {', '.join(s for s in SUFFIXES if s != '.zip')}, none for a DICOM folder, or name the format."
        )
    if known is not None:
        return known
    return image.source.format if image.source is not None and image.source.format in DEFAULT_SUFFIX else "dicom"


def _keep_off_the_input(image: Image, path: Path) -> None:
    """The original is never touched: not replaced, not added to, not enclosed by an output that may be replaced."""
    if image.source is None or not image.source.path:  # an image that no file holds
        return
    output = path.resolve()
    inputs = {Path(image.source.path).resolve()}
    payload = payload_of(image)
    if isinstance(payload, DicomPayload):
        inputs |= {header.file.path.resolve() for header in payload.slices}
    for used in inputs:
        if output == used:
            raise OutputError(f"{path} is the input itself, which is never changed; choose another name.")
        if used in output.parents and used.is_dir():
            raise OutputError(f"{path} lies inside the input folder {used}; choose a place outside it.")
        if output in used.parents and path.exists():
            raise OutputError(f"{path} holds the input, which would be lost; choose another name.")


def _write_as(kind: str, images: Sequence[Image], path: Path, listener: Listener) -> None:
    # imported here: each format has a library of its own, and none is needed for another's files
    if kind == "dicom":
        _write_dicom(images, path, listener)
        return
    (image,) = images
    if kind == "nifti":
        from demottle.io.files.nifti import write_nifti

        write_nifti(image, path)
    elif kind in ("mha", "mhd", "nrrd"):
        from demottle.io.files.itk import write_itk

        write_itk(image, path, kind)
    elif kind == "tiff":
        from demottle.io.files.tiff import write_tiff

        write_tiff(image, path)
    elif kind in ("mp4", "avi"):
        from demottle.io.files.video import write_video

        write_video(image, path, kind)
    else:
        from demottle.io.files.npy import write_npy

        write_npy(image, path)


def _write_dicom(images: Sequence[Image], path: Path, listener: Listener) -> None:
    from demottle.io.dicom.headers.new import write_new_series
    from demottle.io.dicom.headers.new_run import write_new_run
    from demottle.io.dicom.headers.write import write_dicom, write_dicom_file

    image = images[0]
    from_dicom = isinstance(payload_of(image), DicomPayload)
    if image.modality in ("XA", "RF") and not from_dicom:
        write_new_run(image, path, one_file=bool(suffix_of(path)))
    elif suffix_of(path):
        if not from_dicom:
            raise OutputError(
                f"A new DICOM series needs a folder, but {path.name} names one file; leave out the suffix."
            )
        write_dicom_file(images, path)
    elif from_dicom:
        write_dicom(images, path, listener=listener)
    else:
        write_new_series(image, path, listener=listener)
