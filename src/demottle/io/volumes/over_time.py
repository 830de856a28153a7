"""MR volumes over time or diffusion weighting, as DICOM has them: read as frames, each with the slices one below the other."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener
from demottle.image import Image, Source
from demottle.io.dicom.decoding import decode
from demottle.io.dicom.geometry import Stack, stack
from demottle.io.dicom.headers.marks import read_history
from demottle.io.dicom.payload import DicomPayload, marks_of
from demottle.io.dicom.pixels import check_readable
from demottle.io.files.nifti_frames import GAP, gaps
from demottle.io.payload import Affine
from demottle.io.values.lossy import lossy_remark
from demottle.io.volumes.one_scale import on_one_scale
from demottle.io.volumes.series import Part, began, part_warnings, unplaced
from demottle.io.volumes.split import Volume

_NO_TIME = (
    "The series does not say when its volumes were taken; 1 s is assumed between them, which matters for speeds only."
)
_LONGEST = 600.0  # s between volumes: beyond, the series was interrupted, or its times are those of something else


@dataclass(frozen=True)
class SeriesPayload(DicomPayload):
    """Slices of all volumes, volume by volume.

    Attributes:
        volumes: how many there are.
        volume_affine: affine of each of them, as `Payload.affine`.
    """

    volumes: int = 1
    volume_affine: Affine | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Volumes, rows of all slices with the gaps between them, columns."""
        rows, columns = self.slices[0].rows, self.slices[0].columns
        return self.volumes, len(self.slices) // self.volumes * (rows + GAP) - GAP, columns

    def views(self, voxels: np.ndarray) -> list[np.ndarray]:
        """Return the part of an array of the image's shape that belongs to each slice."""
        rows, each = self.slices[0].rows, len(self.slices) // self.volumes
        return [frame[index * (rows + GAP) :][:rows] for frame in voxels for index in range(each)]


def read_over_time(path: Path, part: Part, aside: tuple[str, ...], listener: Listener) -> Image:
    """Read all volumes of a part as one image over time, as a four-dimensional NIfTI is read.

    Raises:
        InputError: volumes that are not alike or slices that are uneven, and as `check_readable`.
    """
    stacks = [_stack(volume) for volume in part.volumes]
    slices, scaled = on_one_scale([header for one in stacks for header in one.slices])
    for header in slices:
        check_readable(header)
    first = stacks[0]
    step, odd = _time_step(part.volumes)
    history = read_history(marks_of(first.slices[0].file))
    payload = SeriesPayload(
        warnings=(*aside, *part_warnings(part), *scaled, *lossy_remark(slices), *odd),
        steps=len(history),
        description=first.slices[0].description,
        slices=slices,
        volume=part.number,
        unplaced=unplaced(part),
        label=part.label,
        volumes=len(stacks),
        volume_affine=first.affine,
    )
    voxels = np.zeros(payload.shape, np.float32)
    invalid = decode(slices, payload.views(voxels), listener)
    valid = gaps(payload.shape, len(first.slices))
    if invalid:
        valid = np.ones(payload.shape, np.bool_) if valid is None else valid.copy()
        views = payload.views(valid)
        for index, measured in invalid.items():
            views[index][:] = measured
    return Image(
        voxels=voxels,
        spacing=(step, *first.spacing[1:]),
        modality=first.slices[0].modality,
        valid=valid,
        slice_thickness=first.slices[0].thickness,
        source=Source("dicom", str(path), payload),
        history=history,
        sequence=True,
    )


def _stack(volume: Volume) -> Stack:
    try:
        return stack(volume.slices)
    except InputError as error:
        raise InputError(f"A volume of the series over time cannot be used: {error}") from error


def _time_step(volumes: tuple[Volume, ...]) -> tuple[float, tuple[str, ...]]:
    """Seconds from one volume to the next, from their times, else the repetition time; and a warning where neither is known."""
    for name in ("acquired", "time offset", "trigger time"):
        moments = [began(volume, name) for volume in volumes]
        steps = [other - one for one, other in pairwise(moments)]
        step = float(np.median(steps))
        if np.isfinite(steps).all() and min(steps) > 0 and step <= _LONGEST:
            return step, ()
    repetition = volumes[0].traits.get("repetition time")
    if isinstance(repetition, float) and repetition > 0:
        return repetition / 1000, ()
    return 1.0, (_NO_TIME,)
