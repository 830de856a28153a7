"""What a series is, by geometry and time rather than by modality: a volume, a run of frames, or neither."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from demottle.io.dicom.single_frames import may_be_run
from demottle.io.dicom.slice_header import OTHER, SliceHeader

_ROOT = "1.2.840.10008.5.1.4.1.1."
_PROJECTIONS = tuple(_ROOT + ending for ending in ("12.1", "12.1.1", "12.2", "12.2.1"))
"""SOP classes of X-rays over time: XA and XRF, classic and enhanced."""
_CT = (_ROOT + "2", _ROOT + "2.1", _ROOT + "2.2")
_RECONSTRUCTIONS = {
    _ROOT + "13.1.1": "X-Ray 3D Angiographic Image (cone-beam CT)",
    _ROOT + "13.1.2": "X-Ray 3D Craniofacial Image (cone-beam CT)",
    _ROOT + "13.1.3": "Breast Tomosynthesis Image",
}
_CAPTURE = _ROOT + "7"
X_RAY = ("XA", "RF")
_KNOWN = ("CT", "MR", *X_RAY, OTHER)  # the last one has a remark of its own
_SAME_PLACE = 1e-3  # mm


def is_run(slices: Sequence[SliceHeader]) -> bool:
    """True where the images of a series are X-ray frames over time: of one place, or of a projection, which has none.

    Slices at several places along their normal are a volume whatever the modality says, and so is what a reconstruction is
    stored as. A single image is a frame where it is stored as a projection or says so.
    """
    timed = [header for header in slices if header.sop_class in _PROJECTIONS or header.modality in X_RAY]
    if len(timed) < len(slices) or any(header.sop_class in (*_CT, *_RECONSTRUCTIONS) for header in slices):
        return False
    return not _lies_in_several_places(slices)


def _lies_in_several_places(slices: Sequence[SliceHeader]) -> bool:
    placed = [header for header in slices if can_be_slice(header)]
    if len(placed) < len(slices) or len(placed) < 2:
        return False
    orientation = np.asarray(placed[0].orientation)
    along = np.asarray([header.position for header in placed]) @ np.cross(orientation[:3], orientation[3:])
    return float(np.ptp(along)) > _SAME_PLACE


def can_be_slice(header: SliceHeader) -> bool:
    """True for a gray image with a place in the patient that is not a scout view."""
    geometry = (header.position, header.orientation, header.pixel_spacing)
    return None not in geometry and not header.is_localizer and header.samples == 1


def is_capture(header: SliceHeader) -> bool:
    """True for Secondary Capture: a page or a dose table beside slices, though some exports store slices so too."""
    return header.sop_class == _CAPTURE or header.sop_class.startswith(f"{_CAPTURE}.")


def is_readable(slices: Sequence[SliceHeader]) -> bool:
    """True for a series that could be what the user means: it has slices, or is a run; not for screen shots and reports."""
    if is_run(slices):
        return any(header.frames > 1 for header in slices) or len(slices) == 1 or may_be_run(slices)
    return any(can_be_slice(header) for header in slices)


def as_volume(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], tuple[str, ...]]:
    """Return the slices as what they are, and a remark where that is not what their modality says.

    CT objects of an angiography system and reconstructions that state HU count as CT in HU.
    """
    first = slices[0]
    if first.modality in X_RAY:
        stored = _RECONSTRUCTIONS.get(first.sop_class, "slices at several places")
        remark = f"The modality is {first.modality}, but these are not frames over time ({stored}): read as a volume."
        in_hu = first.sop_class in _CT or first.rescale_type == "HU"
        return [replace(header, modality="CT") if in_hu else header for header in slices], (remark,)
    if first.modality not in _KNOWN:
        known = "CT, MR and X-ray runs"
        return list(slices), (f"The modality is {first.modality}; methods and checks were tried on {known} only.",)
    return list(slices), ()


def modality_of(header: SliceHeader) -> str:
    """Return the modality of a volume: what angiography systems reconstruct is computed tomography."""
    return "CT" if header.modality in X_RAY else header.modality
