"""When the frames of a DICOM run were taken."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from demottle.io.dicom.slice_header import number

ASSUMED_RATE = 15.0
"""Frames per second where a file states none; speeds follow from it, but no pixel does."""
_FASTEST = 1.0  # ms
_UNEVEN = 0.1  # of the median: more than rounding to ms explains


@dataclass(frozen=True)
class FrameTimes:
    """Typical time from a frame to the next in s, whether all are like it, and what a user should know of it."""

    step: float
    even: bool = True
    warning: str = ""


def frame_times(dataset: Dataset, frames: int) -> FrameTimes:
    """Read the times of a run from its header: FrameTimeVector, FrameTime, times of single frames, or the rates stated."""
    steps = _stated_steps(dataset, frames) if frames > 1 else np.empty(0)
    if steps.size:
        return times_of(steps)
    rate = _stated_rate(dataset)
    if rate is not None or frames == 1:
        return FrameTimes(1 / (rate or ASSUMED_RATE))
    return FrameTimes(
        1 / ASSUMED_RATE,
        warning=f"The file states no frame time; {ASSUMED_RATE:g} frames per second are assumed, which matters for speeds only.",
    )


def times_of(steps: np.ndarray) -> FrameTimes:
    """Sum up the times from each frame to the next, s; at least one is not 0."""
    step = float(np.median(steps[steps > 0]))
    if np.abs(steps - step).max() <= _UNEVEN * step:
        return FrameTimes(step)
    low, high = 1000 * steps.min(), 1000 * steps.max()
    return FrameTimes(step, False, f"The frames were taken at uneven times, {low:.0f} to {high:.0f} ms apart.")


def stated_times(dataset: Dataset) -> FrameTimes | None:
    """Return the rate that one of many single frames states for all of them; None where it states none."""
    step = _frame_time(dataset)
    rate = _stated_rate(dataset)
    if step.size:
        return times_of(step)
    return None if rate is None else FrameTimes(1 / rate)


def _stated_rate(dataset: Dataset) -> float | None:
    """Frames per second."""
    rates = (number(dataset, keyword) for keyword in ("CineRate", "RecommendedDisplayFrameRate"))
    return next((rate for rate in rates if rate is not None and rate > 0), None)


def _stated_steps(dataset: Dataset, frames: int) -> np.ndarray:
    """Seconds from each frame to the next; one value where all are the same, none where nothing is stated.

    Where a header has both FrameTime and FrameTimeVector, FrameIncrementPointer says which of them holds (PS3.3 C.7.6.6).
    """
    stated = {"FrameTimeVector": _vector(dataset, frames), "FrameTime": _frame_time(dataset)}
    if _pointed_at(dataset, "FrameTime"):
        stated = dict(reversed(stated.items()))
    for steps in stated.values():
        if steps.size:
            return steps
    moments = np.array([_moment(groups) for groups in dataset.get("PerFrameFunctionalGroupsSequence") or []])
    steps = np.diff(moments) if moments.size else moments
    return steps if steps.size and np.isfinite(steps).all() and (steps > 0).all() else np.empty(0)


def _vector(dataset: Dataset, frames: int) -> np.ndarray:
    """Steps of FrameTimeVector, whose first value is the time to the first frame: 0, which some writers leave out."""
    vector = _numbers(dataset.get("FrameTimeVector")) / 1000
    steps = vector if vector.size == frames - 1 else vector[1:frames]
    whole = steps.size == frames - 1 and bool((steps >= 0).all() and (steps > 0).any())
    return steps if whole else np.empty(0)


def _frame_time(dataset: Dataset) -> np.ndarray:
    """FrameTime, where an X-ray system can be so fast: some writers put seconds there, which is in ms."""
    step = number(dataset, "FrameTime")
    return np.array([step / 1000]) if step is not None and step >= _FASTEST else np.empty(0)


def _pointed_at(dataset: Dataset, keyword: str) -> bool:
    pointer = dataset.get("FrameIncrementPointer")
    return pointer is not None and Tag(keyword) in ([pointer] if isinstance(pointer, int) else list(pointer))


def _numbers(value: Any) -> np.ndarray:
    try:
        return np.atleast_1d(np.array(value, np.float64)) if value is not None else np.empty(0)
    except (TypeError, ValueError):
        return np.empty(0)


def _moment(groups: Dataset) -> float:
    """When a frame was taken, in s; NaN where its group does not say."""
    content = groups.get("FrameContentSequence") or [Dataset()]
    text = str(content[0].get("FrameReferenceDateTime") or content[0].get("FrameAcquisitionDateTime") or "")
    for form in ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return (datetime.strptime(text[:21], form) - datetime(2000, 1, 1)).total_seconds()
        except ValueError:
            continue
    return float("nan")
