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
from demottle.io.dicom.headers.forms import mend
from demottle.io.dicom.headers.marks import read_history
from demottle.io.dicom.payload import DicomPayload
from demottle.io.dicom.pixels import check_readable
from demottle.io.dicom.sequence_time import FrameTimes, frame_times
from demottle.io.dicom.shutter import shutter_of_files
from demottle.io.dicom.single_frames import run_of_singles
from demottle.io.dicom.slice_header import SliceHeader, number, numbers, slice_header, text
from demottle.io.values.lossy import lossy_remark
from demottle.io.values.overlays import bits_remark

_LARGER = "EstimatedRadiographicMagnificationFactor"
_OF_FRAMES = ("FramePixelDataPropertiesSequence", "XRayGeometrySequence")
"""Groups of Enhanced XA and XRF with what classic objects state themselves (PS3.3 C.8.19.6.4 and C.8.19.6.14)."""


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


@dataclass(frozen=True)
class _Run:
    """Frames in order of time, the headers of their files (one, or one for each frame), when they were taken, what to say."""

    frames: tuple[SliceHeader, ...]
    datasets: tuple[Dataset, ...]
    times: FrameTimes
    notes: tuple[str, ...] = ()


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
        InputError: several runs, single images that are none, or what `check_readable` refuses.
    """
    run = _the_run(members)
    for frame in run.frames:
        check_readable(frame)
    dataset = run.datasets[0]
    down, right, guessed = _pixel_size(run.frames[0], dataset)
    voxels, valid = decoded(run.frames, listener)
    seen = shutter_of_files(run.datasets, *voxels.shape)
    if seen is not None:
        valid = seen if valid is None else valid & seen
    history = read_history(dataset)
    pixels = (*lossy_remark(run.frames), *bits_remark(run.frames))
    payload = SequencePayload(
        warnings=tuple(text for text in (*aside, *run.notes, *pixels, run.times.warning, guessed) if text),
        steps=len(history),
        description=run.frames[0].description,
        slices=run.frames,
        relationship=text(_holder(dataset, "PixelIntensityRelationship"), "PixelIntensityRelationship"),
        sign=int(number(_holder(dataset, "PixelIntensityRelationshipSign"), "PixelIntensityRelationshipSign") or 0),
        lut=bool(dataset.get("ModalityLUTSequence")),
    )
    return Image(
        voxels=voxels,
        spacing=(run.times.step, down, right),
        modality=run.frames[0].modality,
        valid=valid,
        evenly_spaced=run.times.even,
        source=Source("dicom", str(path), payload),
        history=history,
    )


def _the_run(members: Sequence[SliceHeader]) -> _Run:
    """Return the only run of a series: the frames of one file, or, where there is no such file, files of one frame each."""
    files = {header.file: header for header in reversed(members)}
    runs = {file: header for file, header in files.items() if header.frames > 1}
    if len(files) == 1:
        return _of_file(next(iter(files.values())), members)
    if len(runs) == 1:
        aside = f"Set aside {counted(len(files) - 1, 'single image')} of the series."
        return replace(_of_file(next(iter(runs.values())), members), notes=(aside,))
    if not runs:
        frames, times, notes = run_of_singles(members)
        return _Run(tuple(one.header for one in frames), tuple(one.dataset for one in frames), times, notes)
    names = sorted(Path(file.member or file.path).name for file in runs)
    listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    raise InputError(f"The series holds {len(runs)} runs ({listed}); name the file of one of them.")


def _of_file(header: SliceHeader, members: Sequence[SliceHeader]) -> _Run:
    with header.file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    mend(dataset)
    frames = _frames(header, members, dataset)
    return _Run(frames, (dataset,), frame_times(dataset, len(frames)))


def _frames(header: SliceHeader, members: Sequence[SliceHeader], dataset: Dataset) -> tuple[SliceHeader, ...]:
    """One header per frame, in the file's order, which is the order of time."""
    if header.frame is not None:  # functional groups: each frame has its own
        mine = [member for member in members if member.file == header.file]
        return tuple(sorted(mine, key=lambda member: member.frame or 0))
    whole = replace(slice_header(header.file, dataset, None, dataset), modality=header.modality)
    return tuple(replace(whole, frame=index) for index in range(header.frames))


def _holder(dataset: Dataset, keyword: str) -> Dataset:
    """Where a header states what its numbers are: itself, or the groups of an enhanced object, those of its first frame first."""
    if dataset.get(keyword) not in (None, ""):
        return dataset
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    for groups in (*per_frame[:1], *(dataset.get("SharedFunctionalGroupsSequence") or ())):
        for name in _OF_FRAMES:
            items: Sequence[Dataset] = groups.get(name) or ()
            for item in items:
                if item.get(keyword) not in (None, ""):
                    return item
    return dataset


def _pixel_size(header: SliceHeader, dataset: Dataset) -> tuple[float, float, str]:
    """Rows and columns in mm, and a warning where they are not those in the patient."""
    if header.pixel_spacing is not None and min(header.pixel_spacing) > 0:
        rows, columns = header.pixel_spacing[:2]
        return rows, columns, ""
    imager = numbers(_holder(dataset, "ImagerPixelSpacing"), "ImagerPixelSpacing", 2)
    if imager is not None and min(imager) > 0:
        larger = number(_holder(dataset, _LARGER), _LARGER) or 1.0
        return imager[0] / larger, imager[1] / larger, ""
    return 1.0, 1.0, "The file states no pixel size; 1 mm is assumed, which matters for lengths only."
