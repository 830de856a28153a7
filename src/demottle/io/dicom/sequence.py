"""Read a run of X-ray frames (XA, RF) as an `Image` whose first axis is time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from demottle.errors import InputError, counted
from demottle.events import Listener, silent
from demottle.image import Image, Source
from demottle.io.dicom.decoding import decoded
from demottle.io.dicom.headers.marks import read_history
from demottle.io.dicom.payload import DicomPayload
from demottle.io.dicom.pixels import check_readable
from demottle.io.dicom.sequence_time import frame_times
from demottle.io.dicom.shutter import shutter_of_frames
from demottle.io.dicom.slice_header import SliceHeader, number, numbers, slice_header


@dataclass(frozen=True)
class SequencePayload(DicomPayload):
    """What a run's file says of its numbers, beside what every DICOM source keeps.

    Attributes:
        relationship: PixelIntensityRelationship: "LIN" (proportional to the X-rays), "LOG", "DISP" or empty.
        sign: PixelIntensityRelationshipSign: 1 where more X-rays are a larger number, -1 where a smaller; 0 where not said.
        lut: True where a Modality LUT stands between the stored numbers and their meaning; the stored ones are worked on.
    """

    relationship: str = ""
    sign: int = 0
    lut: bool = False


def read_sequence(
    path: Path, members: Sequence[SliceHeader], aside: tuple[str, ...], listener: Listener = silent
) -> Image:
    """Read the one run of a series of XA or RF images; voxels are the stored values after their rescale, if any.

    Args:
        path: what the user named.
        members: the headers of the series.
        aside: warnings so far.
        listener: told of every frame, stage "read".

    Raises:
        InputError: several runs, single images only, or what `check_readable` refuses.
    """
    header, notes = _the_run(members)
    with header.file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    frames = _frames(header, members, dataset)
    for frame in frames:
        check_readable(frame)
    times = frame_times(dataset, len(frames))
    down, right, guessed = _pixel_size(frames[0], dataset)
    voxels, valid = decoded(frames, listener)
    seen = shutter_of_frames(dataset, *voxels.shape)
    if seen is not None:
        valid = seen if valid is None else valid & seen
    history = read_history(dataset)
    payload = SequencePayload(
        warnings=tuple(text for text in (*aside, *notes, times.warning, guessed) if text),
        steps=len(history),
        description=header.description,
        slices=frames,
        relationship=str(dataset.get("PixelIntensityRelationship") or ""),
        sign=int(number(dataset, "PixelIntensityRelationshipSign") or 0),
        lut=bool(dataset.get("ModalityLUTSequence")),
    )
    return Image(
        voxels=voxels,
        spacing=(times.step, down, right),
        modality=header.modality,
        valid=valid,
        evenly_spaced=times.even,
        source=Source("dicom", str(path), payload),
        history=history,
    )


def _the_run(members: Sequence[SliceHeader]) -> tuple[SliceHeader, tuple[str, ...]]:
    """Return the first header of the only run, and what was set aside."""
    files = {header.file: header for header in reversed(members)}
    runs = {file: header for file, header in files.items() if header.frames > 1}
    if len(files) == 1:
        return next(iter(files.values())), ()
    if len(runs) == 1:
        run = next(iter(runs.values()))
        return run, (f"Set aside {counted(len(files) - 1, 'single image')} of the series.",)
    if not runs:
        raise InputError(
            f"The series holds {len(files)} single images and no run of frames; name one file, or a multi-frame object."
        )
    names = sorted(Path(file.member or file.path).name for file in runs)
    listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    raise InputError(f"The series holds {len(runs)} runs ({listed}); name the file of one of them.")


def _frames(header: SliceHeader, members: Sequence[SliceHeader], dataset: Dataset) -> tuple[SliceHeader, ...]:
    """One header per frame, in the file's order, which is the order of time."""
    if header.frame is not None:  # functional groups: each frame has its own
        mine = [member for member in members if member.file == header.file]
        return tuple(sorted(mine, key=lambda member: member.frame or 0))
    whole = slice_header(header.file, dataset, None, dataset)
    return tuple(replace(whole, frame=index) for index in range(header.frames))


def _pixel_size(header: SliceHeader, dataset: Dataset) -> tuple[float, float, str]:
    """Rows and columns in mm, and a warning where they are not those in the patient."""
    if header.pixel_spacing is not None and min(header.pixel_spacing) > 0:
        rows, columns = header.pixel_spacing[:2]
        return rows, columns, ""
    imager = numbers(dataset, "ImagerPixelSpacing", 2)
    if imager is not None and min(imager) > 0:
        larger = number(dataset, "EstimatedRadiographicMagnificationFactor") or 1.0
        return imager[0] / larger, imager[1] / larger, ""
    return 1.0, 1.0, "The file states no pixel size; 1 mm is assumed, which matters for lengths only."
