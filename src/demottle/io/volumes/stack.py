"""CT of one object with many frames and no functional groups, as cone-beam CT of the teeth is exported: slices of a volume.

The standard knows no such object, so only the first frame has a place, if any; frames that have a time are none. The others
follow at GridFrameOffsetVector where it is there, as in a dose; else one behind the other, at SpacingBetweenSlices or
SliceThickness, on a side that nothing tells.
"""

from dataclasses import replace

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.numbers import mend_numbers
from demottle.io.dicom.slice_header import SliceHeader, numbers, slice_header
from demottle.io.volumes.mosaic import UNPLACED

STACKED = (
    "The {count} frames of one object have no place each (there are no functional groups): they are taken as slices {step:g} mm "
    "apart ({keyword}), and where they lie in the patient is not known."
)
_OFFSETS = "GridFrameOffsetVector"
_TIMES = ("FrameTime", "FrameTimeVector")
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def scan_stack(file: FileRef, brief: Dataset) -> list[SliceHeader]:
    """Return a header for each frame of a CT without functional groups; one for all where nothing says their distance."""
    alone = slice_header(file, brief, None, Dataset())
    first = slice_header(file, brief, None, brief)
    keyword, step = next(
        (
            (name, abs(value))
            for name, value in (
                ("SpacingBetweenSlices", first.spacing_between),
                ("SliceThickness", first.thickness),
            )
            if value
        ),
        ("", 0.0),
    )
    timed, offsets = _frames(file, first.frames)
    if timed or first.modality != "CT" or first.pixel_spacing is None or (offsets is None and not step):
        return [alone]
    orientation = first.orientation or _AXIAL
    normal = np.cross(orientation[:3], orientation[3:])
    known = offsets is not None and first.position is not None and first.orientation is not None
    reason = STACKED.format(count=first.frames, step=step, keyword=keyword)
    traits = first.traits if known else {**first.traits, UNPLACED: reason}
    along = np.arange(first.frames) * step if offsets is None else offsets
    corner = np.asarray(first.position or (0.0, 0.0, 0.0))
    slice_of = replace(first, orientation=orientation, traits=traits)
    return [
        replace(slice_of, frame=index, position=tuple((corner + at * normal).tolist()))
        for index, at in enumerate(along)
    ]


def _frames(file: FileRef, frames: int) -> tuple[bool, np.ndarray | None]:
    """Whether frames have times, and where each lies along the normal, mm, from the first; None where that is not stated."""
    with file.open() as stream:
        tags = [Tag(name) for name in (_OFFSETS, *_TIMES)]
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=tags, force=True)
    mend_numbers(dataset)
    found = numbers(dataset, _OFFSETS, frames)
    timed = any(dataset.get(name) not in (None, "") for name in _TIMES)
    return timed, None if found is None else np.asarray(found) - found[0]
