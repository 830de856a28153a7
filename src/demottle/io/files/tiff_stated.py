"""What a TIFF states of its pages beside the pixels: demottle's own entries, ImageJ's, or those of OME."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle.errors import InputError, counted
from demottle.image import ProcessingStep
from demottle.io.files.payload import read_note, says_sequence

Spacing = tuple[float, float, float]

_MM = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre"), 10.0),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre"), 1e-3),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre"), 1e-6),
    **dict.fromkeys(("m", "meter", "meters", "metre"), 1000.0),
    **dict.fromkeys(("inch", "inches", "in"), 25.4),
}
_STRAIGHT = "0"  # ImageJ's number of the straight line among its curves
_SECONDS = {"ms": 1e-3, "msec": 1e-3}


@dataclass(frozen=True)
class Stated:
    """What is said of the pages.

    Attributes:
        spacing: mm between slices (s between frames), rows and columns; None: not said.
        modality: "CT", "MR", "XA" or "RF"; None: not said.
        history: what demottle did.
        timed: True where the pages are frames over time.
        line: slope and intercept of what the stored numbers mean.
    """

    spacing: Spacing | None = None
    modality: str | None = None
    history: tuple[ProcessingStep, ...] = ()
    timed: bool = False
    line: tuple[float, float] = (1.0, 0.0)


def stated(tiff: Any, path: Path) -> Stated:
    """Read what an open TIFF (tifffile) states.

    Raises:
        InputError: the pages are several channels, or volumes over time.
    """
    return _own(tiff) or (_ome(tiff.ome_metadata, path) if tiff.is_ome else _imagej(tiff, path))


def _own(tiff: Any) -> Stated | None:
    try:
        entries = json.loads(tiff.pages[0].description)
        slices, rows, columns = (float(value) for value in entries["spacing_mm"])
        own = json.dumps(entries.get("demottle"))
        modality, history = read_note(own)
        return Stated((slices, rows, columns), modality, history, says_sequence(own))
    except (ValueError, KeyError, TypeError):
        return None


def _imagej(tiff: Any, path: Path) -> Stated:
    """ImageJ's entries; the size of a pixel stands in the resolution of the page. Axes have one unit unless they say another."""
    entries = tiff.imagej_metadata or {}
    slices, frames = (int(entries.get(key, 1)) for key in ("slices", "frames"))
    _refuse_more(path, int(entries.get("channels", 1)), frames, slices)
    timed = frames > 1
    resolution = [tiff.pages[0].tags.get(name) for name in ("YResolution", "XResolution")]
    unit = entries.get("unit")
    mm = [_millimeters(entries.get(key, unit)) for key in ("zunit", "yunit", "unit")]
    line = _imagej_line(entries, path)
    if None in resolution or None in mm[1:]:
        return Stated(timed=timed, line=line)
    sizes = [tag.value[1] / tag.value[0] * scale for tag, scale in zip(resolution, mm[1:], strict=True) if tag.value[0]]
    step = _imagej_seconds(entries) if timed else _product(entries.get("spacing"), mm[0])
    return Stated((step, *sizes) if step and len(sizes) == 2 else None, timed=timed, line=line)


def _imagej_line(entries: dict[str, Any], path: Path) -> tuple[float, float]:
    """ImageJ's calibration `c0 + c1 stored`: how it keeps signed numbers of 16 bits, which it holds as unsigned ones.

    Raises:
        InputError: a curve, or numbers that are none.
    """
    if "cf" not in entries:
        return 1.0, 0.0
    slope, intercept = (_product(entries.get(key), 1.0) for key in ("c1", "c0"))
    if str(entries["cf"]) != _STRAIGHT or not slope or intercept is None:
        raise InputError(
            f"{path} gives its numbers a meaning by a curve of ImageJ (cf={entries['cf']}), which demottle does not apply; "
            "convert it to 32 bits there and save it again."
        )
    return slope, intercept


def _imagej_seconds(entries: dict[str, Any]) -> float | None:
    """ImageJ's time between frames."""
    if entries.get("finterval"):
        return float(entries["finterval"]) * _SECONDS.get(str(entries.get("tunit")), 1.0)
    return 1 / float(entries["fps"]) if entries.get("fps") else None


def _ome(text: str, path: Path) -> Stated:
    """The attributes of the first image in an OME-XML, where lengths are in micrometers unless they say another unit."""
    found = re.search(r"<(?:\w+:)?Pixels\b([^>]*)>", text)
    entries = dict(re.findall(r"(\w+)\s*=\s*[\"']([^\"']*)[\"']", found.group(1))) if found else {}
    channels, frames, slices = (int(entries.get(f"Size{axis}", 1)) for axis in "CTZ")
    _refuse_more(path, channels, frames, slices)
    timed = frames > 1
    down, across, step = (
        _product(entries.get(f"PhysicalSize{axis}"), _millimeters(entries.get(f"PhysicalSize{axis}Unit", "µm")))
        for axis in "YXZ"
    )
    if timed:
        step = _product(entries.get("TimeIncrement"), _SECONDS.get(entries.get("TimeIncrementUnit", "s"), 1.0))
    return Stated((step, down, across) if step and down and across else None, timed=timed)


def _refuse_more(path: Path, channels: int, frames: int, slices: int) -> None:
    """Refuse pages that are not slices of one volume or frames of one run: one after the other they would be taken for that."""
    if channels > 1:
        raise InputError(f"{path} holds {channels} channels; save the one that you need as a file of its own.")
    if frames > 1 and slices > 1:
        raise InputError(
            f"{path} holds {frames} time points of {counted(slices, 'slice')}; save each time point as a file of its own."
        )


def _millimeters(unit: Any) -> float | None:
    """Millimeters in a unit of length; None for pixels and what is not known. ImageJ writes letters beyond ASCII as escapes."""
    word = str(unit or "").replace("\\u00B5", "µ").replace("\\u00b5", "µ").strip().strip('"').lower()
    return _MM.get(word)


def _product(value: Any, scale: float | None) -> float | None:
    try:
        return None if scale is None or value is None else float(value) * scale
    except (TypeError, ValueError):
        return None
