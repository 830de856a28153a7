"""Put slices in order and check that they form one volume."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.errors import InputError, counted
from demottle.io.dicom.kind import can_be_slice, is_capture
from demottle.io.dicom.slice_header import OTHER, SliceHeader
from demottle.io.grid.cosines import cosines
from demottle.io.grid.private_place import private_place
from demottle.io.payload import Affine

Group = tuple[SliceHeader, ...]
_RADIOGRAPHS = ("DX", "CR", "MG", "IO", "PX", "RG")
_IN_SPACE = ("CT", "MR", "PT", "OT")  # whose images ought to have a place
_LISTED = 6  # positions named in one message
_TURN = 0.006  # of direction cosines: a third of a degree
_RESIZED = 1e-3  # mm
_LEAST_NEAR, _MOST_NEAR, _NEAR_IN_PIXELS = (
    1e-3,
    0.05,
    0.1,
)  # mm, mm, pixels; between them what rounding makes of one place
_FEWEST, _MANY = 3, 4  # a group this much smaller than the largest, which has slices enough, is a stray one


@dataclass(frozen=True)
class Stack:
    """Slices in order along their normal, with the geometry they share.

    Attributes:
        slices: in order of position along the normal.
        positions: along the normal, mm, ascending.
        spacing: between slices, rows, columns, mm.
        affine: see `Payload.affine`; with a tilted gantry its third column is not along the normal.
        evenly_spaced: False where gaps differ and the user accepted it.
    """

    slices: Group
    positions: tuple[float, ...]
    spacing: tuple[float, float, float]
    affine: Affine
    evenly_spaced: bool


def volume_groups(slices: Sequence[SliceHeader]) -> tuple[list[Group], tuple[str, ...]]:
    """Return the images of one series that share orientation, matrix and pixel spacing, and a warning about others set aside.

    A few stray ones beside a larger group (localizers, screen shots) are set aside.

    Raises:
        InputError: no image has a position, only localizers, or only colors.
    """
    groups = _alike(slices)
    volumes = sorted((group for group in groups if can_be_slice(group[0])), key=len, reverse=True)
    if not volumes:
        raise InputError(_no_volume(slices))
    most = len(volumes[0])
    kept = [group for group in volumes if not (most >= _FEWEST and most >= _MANY * len(group))]
    strays = [group for group in groups if not any(group is one for one in kept)]
    if not strays:
        return [tuple(group) for group in kept], ()
    count = sum(len(group) for group in strays)
    others = "; ".join(_describe(group) for group in strays)
    return [tuple(group) for group in kept], (
        f"Set aside {counted(count, 'image')} that {'is' if count == 1 else 'are'} not part of the volume ({others}).",
    )


def _alike(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Group images by what slices of one volume share; cosines and pixel sizes are rounded differently from slice to slice."""
    groups: dict[tuple[object, ...], list[list[SliceHeader]]] = defaultdict(list)
    found: list[list[SliceHeader]] = []
    for header in slices:
        of_kind = groups[_kind(header)]
        group = next((one for one in of_kind if _near(header, one[0])), None)
        if group is None:
            group = []
            of_kind.append(group)
            found.append(group)
        group.append(header)
    return found


def _kind(header: SliceHeader) -> tuple[object, ...]:
    size = header.rows, header.columns, header.samples
    return *size, header.is_localizer, header.position is None, is_capture(header)


def _near(one: SliceHeader, other: SliceHeader) -> bool:
    pairs = (one.orientation, other.orientation, _TURN), (one.pixel_spacing, other.pixel_spacing, _RESIZED)
    for mine, its, most in pairs:
        if (mine is None) != (its is None):
            return False
        if mine is not None and its is not None and max(abs(a - b) for a, b in zip(mine, its, strict=True)) > most:
            return False
    return True


def _no_volume(slices: Sequence[SliceHeader]) -> str:
    first = slices[0]
    if any(header.is_localizer for header in slices):
        return f"{first.name}: the series holds only localizer images; choose a series with slices."
    if any(header.samples != 1 for header in slices):
        return f"{first.name} is a color image; demottle needs gray values."
    if first.modality in _RADIOGRAPHS and first.position is None:
        return (
            f"{first.name} is a radiograph (modality {first.modality}): neither a slice of a volume nor an X-ray run (XA, RF), "
            "which is what demottle reads."
        )
    if any(header.frames > 1 and header.frame is None for header in slices):
        return (
            f"{first.name} holds {first.frames} frames of modality {first.modality} without a place for each: neither a "
            "volume nor an X-ray run (XA, RF), which is what demottle reads."
            + (" If they are such a run, give the modality, XA or RF." if first.modality == OTHER else "")
        )
    if first.modality not in _IN_SPACE and first.position is None and first.orientation is None:
        return (
            f"{first.name} is an image of modality {first.modality} without a place in the patient: neither a slice of a volume "
            "nor an X-ray run (XA, RF), which is what demottle reads."
        )
    missing = [
        keyword
        for keyword, value in (
            ("ImagePositionPatient", first.position),
            ("ImageOrientationPatient", first.orientation),
            ("PixelSpacing", first.pixel_spacing),
        )
        if value is None
    ]
    elsewhere = private_place(first.file) if "ImagePositionPatient" in missing else ""
    return f"{first.name} has no valid {', '.join(missing)}; without it, slices cannot be put in order.{elsewhere}"


def without_place(slices: Sequence[SliceHeader]) -> str:
    """Return the sentence that names images without a position where slices are missing; empty where there are none."""
    files = [header.file for header in slices if header.position is None and not header.is_localizer]
    found = [Path(file.member or file.path).name for file in files]
    if not found or len(found) == len(slices):
        return ""
    names = ", ".join(found[:_FEWEST]) + (", ..." if len(found) > _FEWEST else "")
    states, it = ("states", "it") if len(found) == 1 else ("state", "they")
    return f" {names} {states} no position (ImagePositionPatient), and {it} may be what is missing."


def _describe(group: Sequence[SliceHeader]) -> str:
    first = group[0]
    kind = "no position" if first.position is None else "slices"
    kind = "localizer" if first.is_localizer else "screen captures" if is_capture(first) else kind
    direction = "" if first.orientation is None else " along " + _vector(_normal(first))
    return f"{len(group)} x {first.rows} x {first.columns}, {kind}{direction}, first {first.name}"


def _vector(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value + 0.0:.2f}" for value in values) + ")"


def _normal(header: SliceHeader) -> np.ndarray:
    orientation = np.asarray(header.orientation)
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(along_row @ along_column) > 0.02:
        raise InputError(
            f"{header.name}: ImageOrientationPatient {list(header.orientation or ())} is not two perpendicular unit vectors; "
            "the header is broken."
        )
    return np.cross(*cosines(orientation.tolist()))


def stack(slices: Sequence[SliceHeader], *, accept_uneven: bool = False) -> Stack:
    """Sort slices by position along their normal and check the gaps.

    Raises:
        InputError: a broken orientation or pixel spacing, or (unless `accept_uneven`) missing,
            repeated or unevenly spaced slices; the positions are named.
    """
    frames = {header.frame_of_reference for header in slices} - {""}
    if len(frames) > 1 and not scattered_frames(slices):
        raise InputError(
            f"The slices lie in {len(frames)} frames of reference (FrameOfReferenceUID), so that their positions cannot be "
            "compared; put those of each into a folder of its own."
        )
    normal = _normal(slices[0])
    ordered = sorted(
        slices, key=lambda header: (float(normal @ np.asarray(header.position)), header.sop_uid, header.frame)
    )
    positions = np.array([float(normal @ np.asarray(header.position)) for header in ordered])
    first = ordered[0]
    rows, columns = first.pixel_spacing or (0.0, 0.0)
    if min(rows, columns) <= 0:
        raise InputError(f"{first.name}: PixelSpacing {rows} x {columns} mm is not positive; the header is broken.")
    nominal = abs(first.spacing_between or first.thickness or 1.0) or 1.0
    spacing, even = _slice_spacing(positions, nominal, accept_uneven, same_place(slices))
    return Stack(
        slices=tuple(ordered),
        positions=tuple(positions.tolist()),
        spacing=(spacing, rows, columns),
        affine=_affine(ordered, normal * spacing, rows, columns),
        evenly_spaced=even,
    )


def scattered_frames(slices: Sequence[SliceHeader]) -> bool:
    """True where each slice has a Frame of Reference of its own: no scan has, but anonymization file by file leaves it so."""
    frames = [header.frame_of_reference for header in slices]
    return len(slices) >= _FEWEST and len(set(frames) - {""}) == len(slices)


def along_normal(slices: Sequence[SliceHeader]) -> np.ndarray:
    """Return where slices of one orientation lie along their normal, mm."""
    return np.asarray(np.array([header.position for header in slices], np.float64) @ _normal(slices[0]))


def same_place(slices: Sequence[SliceHeader]) -> float:
    """Return the distance along the normal, mm, below which two slices lie at the same place.

    Volumes over time state one place in several roundings, or follow the patient by hundredths; slices of small pixels (dental
    and micro CT) lie nearer to each other than that.
    """
    pixel = min(slices[0].pixel_spacing or (0.0,))
    return float(min(max(_NEAR_IN_PIXELS * pixel, _LEAST_NEAR), _MOST_NEAR))


def evenly_placed(positions: np.ndarray, near: float = _LEAST_NEAR) -> bool:
    """True where slices at these ascending positions form a volume without gaps; `near` as `same_place` returns it."""
    try:
        return len(positions) == 1 or _slice_spacing(positions, 1.0, accept_uneven=False, near=near)[1]
    except InputError:
        return False


def _slice_spacing(positions: np.ndarray, nominal: float, accept_uneven: bool, near: float) -> tuple[float, bool]:
    """Return the distance between slices and whether all are alike; `nominal` is that of a single one."""
    if len(positions) == 1:
        return nominal, True
    gaps = np.diff(positions)
    duplicates = np.flatnonzero(gaps < near)
    distinct = gaps[gaps >= near]
    typical = float(np.median(distinct)) if distinct.size else 0.0
    if duplicates.size and not (accept_uneven and typical):
        held = positions[duplicates[np.diff(duplicates, prepend=-2) > 1]]  # each once, however many lie there
        raise InputError(
            f"{_count(len(held), 'position')} held by more than one slice: {_list(held)} mm along the normal; the series mixes "
            "several scans, echoes or time points, and its headers do not say which slices belong together. Put the slices of "
            "each volume into a folder of its own."
        )
    # Headers often give positions to 0.1 mm only: that much is rounding, as long as it does not add up.
    allowed = min(0.2 * typical, max(0.05 * typical, 0.101))
    missing = np.flatnonzero(gaps > 1.5 * typical)
    uneven = np.flatnonzero(np.abs(gaps - typical) > allowed)
    mean = (positions[-1] - positions[0]) / (len(positions) - 1)
    drift = np.abs(positions - positions[0] - mean * np.arange(len(positions)))
    if not (duplicates.size or missing.size or uneven.size or drift.max() > allowed):
        return float(mean), True
    if accept_uneven:
        return typical, False
    raise InputError(_uneven_sentence(positions, typical, missing, uneven, drift), remedy="accept_uneven")


def _uneven_sentence(
    positions: np.ndarray, typical: float, missing: np.ndarray, uneven: np.ndarray, drift: np.ndarray
) -> str:
    if missing.size:
        between = [f"{positions[i]:g} and {positions[i + 1]:g} mm" for i in missing[:_LISTED]]
        return (
            f"Slices are missing between {', between '.join(between)}{_more(missing.size)} (slice spacing {typical:g} mm); "
            "complete the series."
        )
    if uneven.size:
        where = [f"{positions[i]:g} to {positions[i + 1]:g} mm" for i in uneven[:_LISTED]]
        return (
            f"Slices are unevenly spaced: the typical gap is {typical:g} mm, but not from {', '.join(where)}"
            f"{_more(uneven.size)}; separate the parts."
        )
    return (
        f"Slices are unevenly spaced: the gap changes slowly, by {drift.max():.3g} mm at {positions[drift.argmax()]:g} mm; "
        "separate the parts."
    )


def _list(positions: np.ndarray) -> str:
    return ", ".join(f"{position:g}" for position in positions[:_LISTED]) + _more(positions.size)


def _more(total: int) -> str:
    return f" and {total - _LISTED} more" if total > _LISTED else ""


def _count(number: int, noun: str) -> str:
    return f"{counted(number, noun)} {'is' if number == 1 else 'are'}"


def _affine(ordered: Sequence[SliceHeader], step: np.ndarray, rows: float, columns: float) -> Affine:
    along_row, along_column = cosines(ordered[0].orientation or ())
    origin = np.asarray(ordered[0].position)
    if len(ordered) > 1:
        step = (np.asarray(ordered[-1].position) - origin) / (len(ordered) - 1)
    affine = np.eye(4)
    affine[:3, 0] = along_row * columns  # PixelSpacing gives the row spacing first
    affine[:3, 1] = along_column * rows
    affine[:3, 2] = step
    affine[:3, 3] = origin
    return affine
