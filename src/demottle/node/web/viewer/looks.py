"""How the images of a series are shown: windows, shape of a pixel, sides of the patient, frames per second."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from demottle.io.dicom.sequence_time import ASSUMED_RATE, stated_times
from demottle.node.web.viewer.frames import Pair
from demottle.node.web.viewer.groups import number, numbers, said_of
from demottle.node.web.viewer.values import header_of, values_of
from demottle.report.windows import CT_WINDOWS, Window, windows_of_values

_RUNS = ("XA", "RF")
_SIDES = (("L", "R"), ("P", "A"), ("H", "F"))  # DICOM's axes: to the patient's left, back and head


@dataclass(frozen=True)
class Looks:
    """What a viewer has to know before it shows a frame.

    Attributes:
        modality, unit: "HU", or empty where the values have no unit that is known.
        inverted: low values are bright (MONOCHROME1).
        aspect: width over height of a pixel.
        windows: the most useful one first.
        removed: standard deviation of what was removed from the middle frame, in the image's unit; None: nothing was made yet.
        rate: frames per second of a run; None for slices.
        sides: letters for left, right, top and bottom of the picture; empty where the header does not say how it lies.
    """

    modality: str
    unit: str
    inverted: bool
    aspect: float
    windows: tuple[Window, ...]
    removed: float | None
    rate: float | None
    sides: str


@lru_cache(maxsize=64)
def looks_of(pair: Pair) -> Looks:
    """Look at a pair of frames from the middle of a series.

    Raises:
        ValueError: the frame that came cannot be shown.
    """
    before = values_of(pair.before)
    header = header_of(pair.before.file)
    modality = str(header.get("Modality") or "OT")
    hounsfield = modality == "CT" and str(said_of(header, pair.before.number, "RescaleType") or "HU").startswith("HU")
    scaled = before.scaled
    return Looks(
        modality=modality,
        unit="HU" if hounsfield else "",
        inverted=str(header.get("PhotometricInterpretation")) == "MONOCHROME1",
        aspect=_aspect(header, pair.before.number),
        windows=(*_stated(header, pair.before.number), *(CT_WINDOWS if hounsfield else windows_of_values(scaled))),
        removed=_removed(pair, scaled),
        rate=_rate(header) if modality in _RUNS else None,
        sides=_sides(numbers(said_of(header, pair.before.number, "ImageOrientationPatient"), 6)),
    )


def _stated(header: Dataset, frame: int) -> tuple[Window, ...]:
    center, width = (number(said_of(header, frame, f"Window{name}")) for name in ("Center", "Width"))
    return () if center is None or width is None or width < 1e-6 else (Window("As stored", center, width),)


def _aspect(header: Dataset, frame: int) -> float:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        found = numbers(said_of(header, frame, keyword), 2)
        if found is not None and min(found) > 0:
            return found[1] / found[0]
    return 1.0


def _removed(pair: Pair, before: NDArray[np.float32]) -> float | None:
    """By the median, which edges and the air around do not move."""
    if pair.after is None:
        return None
    with suppress(ValueError):
        away = np.abs(before - values_of(pair.after).scaled)
        changed = away[away > 0]
        return float(np.median(changed)) * 1.4826 if changed.size else None
    return None


def _rate(header: Dataset) -> float:
    found = stated_times(header)
    return ASSUMED_RATE if found is None else 1 / found.step


def _sides(turned: Sequence[float] | None) -> str:
    if turned is None:
        return ""
    right, down = _side(turned[:3]), _side(turned[3:])
    return _other(right) + right + _other(down) + down


def _side(along: Sequence[float]) -> str:
    axis = int(np.argmax(np.abs(along)))
    return _SIDES[axis][0 if along[axis] > 0 else 1]


def _other(side: str) -> str:
    return next(b if a == side else a for a, b in _SIDES if side in (a, b))


def plain(looks: Looks) -> dict[str, Any]:
    """As JSON has it."""
    windows = [{"name": one.name, "center": one.center, "width": one.width} for one in looks.windows]
    return {**{name: getattr(looks, name) for name in Looks.__dataclass_fields__}, "windows": windows}
