"""X-ray runs whose frames are objects of their own: one run where time and geometry say so."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from demottle.errors import InputError, counted
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.forms import mend
from demottle.io.dicom.sequence_time import FrameTimes, frame_times, stated_times, times_of
from demottle.io.dicom.slice_header import SliceHeader, number, numbers

FEWEST = 4
"""Frames of a run; fewer single images are stills."""
_LONGEST = 2.5  # s between frames: the slowest rates are one frame in 2 s
_ANGLES = ("PositionerPrimaryAngle", "PositionerSecondaryAngle")
_TURN = 5.0  # degrees from a frame to the next; arms turn by 1 to 2 while a run is taken
_DISTANCES = ("DistanceSourceToDetector", "DistanceSourceToPatient", "EstimatedRadiographicMagnificationFactor")


@dataclass(frozen=True)
class Frame:
    """One object of one frame: its short header, all of it but the pixels, and when it was taken, s (NaN: not said)."""

    header: SliceHeader
    dataset: Dataset
    moment: float


def may_be_run(slices: Sequence[SliceHeader]) -> bool:
    """True for single images of which enough have one size and follow each other: by their short headers alone."""
    groups: dict[object, list[SliceHeader]] = defaultdict(list)
    for header in slices:
        if header.frames == 1:
            groups[header.rows, header.columns, header.traits.get("acquisition")].append(header)
    return any(len(group) >= FEWEST and _follow(group) for group in groups.values())


def _follow(group: Sequence[SliceHeader]) -> bool:
    found = _ordered(group)
    if found is None:
        return False
    near = np.diff(sorted(found[1])) <= _LONGEST
    return bool(np.isnan(found[1]).any() or np.convolve(near, np.ones(FEWEST - 1)).max() >= FEWEST - 1)


def run_of_singles(slices: Sequence[SliceHeader]) -> tuple[tuple[Frame, ...], FrameTimes, tuple[str, ...]]:
    """Return the frames of the only run in order of time, when they were taken, and what was set aside.

    Frames of a run have one size, projection and acquisition, and follow each other within 2.5 s by their own times; or, where
    these are missing, by their numbers at the rate that is stated.

    Raises:
        InputError: no run, or several; says why, or which.
    """
    groups: dict[object, list[Frame]] = defaultdict(list)
    for header in slices:
        dataset = _read(header.file)
        groups[_look(header, dataset)].append(Frame(header, dataset, float("nan")))
    enough = [group for group in groups.values() if len(group) >= FEWEST]
    if not enough:
        raise InputError(_none(slices, f"fewer than {FEWEST} are alike in size, projection and acquisition"))
    ordered = [found for group in enough if (found := _in_time(group)) is not None]
    if not ordered:
        raise InputError(_none(slices, "nothing says in which order and how fast they were taken"))
    runs = [run for group in ordered for run in _cut(group) if len(run) >= FEWEST]
    if not runs:
        raise InputError(_none(slices, f"fewer than {FEWEST} follow each other within {_LONGEST:g} s from one side"))
    if len(runs) > 1:
        raise InputError(_several(slices, runs))
    left = len(slices) - len(runs[0])
    notes = (f"Set aside {counted(left, 'single image')} of the series.",) if left else ()
    return tuple(runs[0]), _times(runs[0]), notes


def _read(file: FileRef) -> Dataset:
    with file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    mend(dataset)
    return dataset


def _look(header: SliceHeader, dataset: Dataset) -> object:
    """All that frames of one run have in common."""
    pixels = header.bits_allocated, header.bits_stored, header.high_bit, header.signed, header.samples
    size = header.rows, header.columns, header.pixel_spacing, numbers(dataset, "ImagerPixelSpacing", 2)
    projection = tuple(None if value is None else round(value, 2) for value in (number(dataset, k) for k in _DISTANCES))
    return *pixels, *size, projection, header.photometric, header.sop_class, header.traits.get("acquisition")


def _ordered(headers: Sequence[SliceHeader]) -> tuple[list[int], list[float]] | None:
    """Return the order of single images and their moments (NaN: their numbers order them); None where nothing does."""
    instances = [header.traits.get("instance") for header in headers]
    numbered = all(isinstance(value, float) for value in instances) and len(set(instances)) == len(instances)
    for trait in ("acquired", "content time"):
        moments = [header.traits.get(trait) for header in headers]
        known = [value for value in moments if isinstance(value, float)]
        if len(known) < len(moments) or len(set(known)) == 1:
            continue
        if len(set(known)) < len(known) and not numbered:  # times in whole seconds
            continue
        ranks = [(known[index], float(instances[index] or 0)) for index in range(len(known))]
        order = sorted(range(len(known)), key=ranks.__getitem__)
        return order, known
    if not numbered:
        return None
    return sorted(range(len(headers)), key=lambda index: float(instances[index] or 0)), [float("nan")] * len(headers)


def _in_time(group: Sequence[Frame]) -> list[Frame] | None:
    """Put frames in order; None where nothing orders them, or only their numbers do and no rate is stated."""
    found = _ordered([frame.header for frame in group])
    if found is None:
        return None
    order, moments = found
    if np.isnan(moments).any() and stated_times(group[0].dataset) is None:
        return None
    return [Frame(group[index].header, group[index].dataset, moments[index]) for index in order]


def _cut(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Cut where time or the arm of the system leaps."""
    runs = [[frames[0]]]
    for before, frame in pairwise(frames):
        if frame.moment - before.moment > _LONGEST or _turned(before.dataset, frame.dataset):
            runs.append([])
        runs[-1].append(frame)
    return runs


def _turned(one: Dataset, other: Dataset) -> bool:
    pairs = [(number(one, keyword), number(other, keyword)) for keyword in _ANGLES]
    return any(a is not None and b is not None and abs((a - b + 180) % 360 - 180) > _TURN for a, b in pairs)


def _times(run: Sequence[Frame]) -> FrameTimes:
    """By their own moments; where these are whole seconds or none, by the rate that is stated, else by the time of all."""
    steps = np.diff([frame.moment for frame in run])
    if np.isfinite(steps).all() and (steps > 0).all():
        return times_of(steps)
    stated = stated_times(run[0].dataset)
    whole = float(steps.sum())
    return stated or (times_of(np.array([whole / len(steps)])) if whole > 0 else frame_times(Dataset(), len(run)))


def _none(slices: Sequence[SliceHeader], why: str) -> str:
    return (
        f"The series holds {len(slices)} single images and no run of frames ({why}); name one file, or a multi-frame "
        "object."
    )


def _several(slices: Sequence[SliceHeader], runs: Sequence[Sequence[Frame]]) -> str:
    listed = "; ".join(f"{len(run)} frames, the first {run[0].header.file.name}" for run in runs[:FEWEST])
    more = "; ..." if len(runs) > FEWEST else ""
    return (
        f"The series holds {len(slices)} single images that make {len(runs)} runs ({listed}{more}); put the files of one of "
        "them into a folder of its own."
    )
