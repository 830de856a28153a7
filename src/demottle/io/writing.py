"""`write`: from an `Image` to a path, in the input's own format unless asked otherwise."""

from collections.abc import Sequence
from pathlib import Path

from demottle.errors import OutputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.io.dicom.payload import DicomPayload
from demottle.io.formats import Format, output_format, with_suffix
from demottle.io.output import in_a_sentence, refuse_inputs, staged
from demottle.io.payload import payload_of
from demottle.io.volumes.over_time import SeriesPayload


def write(
    image: Image | Sequence[Image],
    path: str | Path,
    *,
    format: str | None = None,
    overwrite: bool = False,
    listener: Listener = silent,
    place: Path | None = None,
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
        place: where to write in place of `path`, for who publishes it together with other results
            (`demottle.io.output.publishing`).

    Returns:
        The path written, with the suffix that was added where there was none.

    Raises:
        OutputError: exists already; is or lies in the input; disk full; no permission; the format cannot hold the image.
    """
    path = Path(path)
    images = [image] if isinstance(image, Image) else list(image)
    row = _format(images[0], path, format)
    if len(images) > 1 and not row.several:
        raise OutputError(
            f"The series holds {len(images)} volumes, and {row.name} holds one; choose one of them, or write DICOM.",
            remedy="volume",
        )
    _refuse_flattening(images[0], row)
    _refuse_unplaced(images[0], row)
    path = with_suffix(path, row)
    refuse_inputs([path], [used for one in images for used in files_of(one)])
    with staged(path, overwrite=overwrite) if place is None else in_a_sentence(path, place) as temporary:
        if row.several:
            row.load().write_volumes(images, temporary, listener)
        else:
            row.load().write(images[0], temporary, row.name)
    return path


def check_output(image: Image, path: str | Path, format: str | None = None) -> tuple[str, ...]:
    """Find out before the work whether an image can be written to a path, and return warnings about what the format loses.

    Arguments as those of `write`; the image need not be the final one, only of the same source.

    Raises:
        OutputError: the format cannot hold where the slices lie (a tilted gantry, uneven or shifted slices); one file is named
            where there have to be several.
        InputError: a header that cannot be written again, because it is broken.
    """
    row = _format(image, Path(path), format)
    _refuse_flattening(image, row)
    _refuse_unplaced(image, row)
    if row.name == "dicom":
        from demottle.io.dicom.files_and_folders import refuse_one_file
        from demottle.io.dicom.headers.rehearsal import refuse_broken_headers

        refuse_one_file(image, Path(path))
        refuse_broken_headers([image])
    payload = payload_of(image)
    if row.positions == "grid" and isinstance(payload, SeriesPayload) and payload.volume_affine is not None:
        from demottle.io.grid.placement import placement_over_time

        warning = placement_over_time(payload.slices, payload.volumes, payload.volume_affine).warning
        return (warning,) if warning else ()
    if image.sequence or (image.source is not None and image.source.format == row.name):
        return ()
    if row.positions == "grid":
        from demottle.io.grid.placement import placement

        warning = placement(image, row.name).warning
        return (warning,) if warning else ()
    if row.name == "dicom" and image.modality == "CT":
        from demottle.io.grid.placement import refuse_skewed
        from demottle.io.payload import affine_of

        refuse_skewed(affine_of(image), image.shape)
    if row.positions == "none" and not image.evenly_spaced:
        return (
            f"The slices are not evenly spaced, and {row.title} holds no positions: where they lie is lost. DICOM keeps it.",
        )
    return ()


def _refuse_flattening(image: Image, row: Format) -> None:
    """Frames that show all slices of a volume are a way to work on them; only few formats can hold them as volumes over time."""
    if isinstance(payload_of(image), SeriesPayload) and not row.over_time:
        raise OutputError(f"The series holds volumes over time, which {row.name} cannot hold; write DICOM or .nii.gz.")


def _refuse_unplaced(image: Image, row: Format) -> None:
    """DICOM keeps the source's own headers; any other format would have to say where the slices lie."""
    payload = payload_of(image)
    if payload is not None and payload.unplaced and row.positions != "each":
        raise OutputError(f"{payload.unplaced} So {row.name} cannot be written; write DICOM.")


def _format(image: Image, path: Path, wanted: str | None) -> Format:
    return output_format(path, wanted, None if image.source is None else image.source.format)


def files_of(image: Image) -> set[Path]:
    """The files and the folder that an image came from; none where no file holds it."""
    if image.source is None or not image.source.path:
        return set()
    payload = payload_of(image)
    slices = payload.slices if isinstance(payload, DicomPayload) else ()
    return {Path(image.source.path), *(header.file.path for header in slices)}
