"""CT of one object with many frames and no functional groups, as cone-beam CT of the teeth is exported: slices of a volume.

The standard knows no such object, so only the first frame has a place, if any; frames that have a time are none. The others
follow at GridFrameOffsetVector where it is there, as in a dose; else one behind the other, at SpacingBetweenSlices or
SliceThickness, on a side that nothing tells.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pydicom

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


def unstacked(members: Sequence[SliceHeader]) -> list[SliceHeader]:
    """Return the slices of a series that is one such object; the members of any other, and where nothing says their distance.

    Beside slices of their own such an object is none, but a run that was saved with them; and so are many of them.
    """
    only = members[0]
    if len(members) > 1 or only.frames < 2 or only.frame is not None or only.modality != "CT":
        return list(members)
    with only.file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    mend_numbers(dataset)
    first = slice_header(only.file, dataset, None, dataset, only.traits)
    keyword, step = _step(first)
    offsets = numbers(dataset, _OFFSETS, first.frames)
    timed = any(dataset.get(name) not in (None, "") for name in _TIMES)
    if timed or first.pixel_spacing is None or (offsets is None and not step):
        return list(members)
    along = np.arange(first.frames) * step if offsets is None else np.asarray(offsets) - offsets[0]
    known = offsets is not None and first.position is not None and first.orientation is not None
    reason = STACKED.format(count=first.frames, step=step, keyword=keyword)
    orientation = first.orientation or _AXIAL
    normal = np.cross(orientation[:3], orientation[3:])
    corner = np.asarray(first.position or (0.0, 0.0, 0.0))
    one = replace(
        first,
        modality=only.modality,
        orientation=orientation,
        traits=only.traits if known else {**only.traits, UNPLACED: reason},
    )
    return [
        replace(one, frame=index, position=tuple((corner + at * normal).tolist())) for index, at in enumerate(along)
    ]


def _step(header: SliceHeader) -> tuple[str, float]:
    """What states the distance of slices, and the distance, mm; nothing and 0 where nothing does."""
    stated = (("SpacingBetweenSlices", header.spacing_between), ("SliceThickness", header.thickness))
    return next(((name, abs(value)) for name, value in stated if value), ("", 0.0))
