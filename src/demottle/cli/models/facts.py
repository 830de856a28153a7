"""What a model file says of itself, as a list of names and values."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from rich.console import Console
from rich.text import Text

from demottle.cli.screen.tables import facts

_NAMES = {
    "modality": "modality",
    "unit": "unit",
    "noise_level": "noise level",
    "noise_range": "noise levels",
    "full_noise_range": "noise, full dose",
    "frame_time_ms": "frame time (ms)",
    "pixel_mm": "pixels (mm)",
    "spacing_mm": "spacing (mm)",
    "pixel_range_mm": "pixels (mm)",
    "intensity_range": "values",
    "kernels": "kernels",
    "patients": "patients",
    "scans": "scans",
    "slices": "slices",
    "runs": "runs",
    "size": "size",
    "student": "network",
    "lag": "lag undone",
    "wavelet_levels": "wavelet levels",
    "began_with": "began with model",
    "steps": "steps",
    "ended": "ended",
    "weights": "weights",
    "criterion": "criterion",
    "simulated_noise_left": "noise left",
    "losses": "losses",
}
"""What is shown of what a model was fitted on, in this order; `--json` has everything."""


def show_fitted(fitted: Mapping[str, Any], console: Console) -> None:
    """Show what a model was fitted on and what it is for."""
    table = facts()
    known = dict(_with_noise_left(_of_a_run(fitted)))
    if known.get("began_with"):
        known["began_with"] = str(known["began_with"])[:12]  # as of a commit: enough to tell models apart
    for key, name in _NAMES.items():
        if known.get(key) not in (None, "", [], {}):
            table.add_row(name, Text(told(known[key])))
    console.print(table)


def _of_a_run(fitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """For runs of frames the first distance is a time, and the lag that is undone lies with the noise."""
    spacing, noise = fitted.get("spacing_mm"), fitted.get("frame_noise")
    modality = fitted.get("modality")
    if modality not in ("XA", "RF") and (modality in ("CT", "MR") or not isinstance(noise, Mapping)):
        return fitted  # udca learns from slices too, whose first distance is a length
    known = dict(fitted)
    if isinstance(spacing, list | tuple) and len(spacing) == 3:
        known |= {
            "frame_time_ms": _milliseconds(spacing[0]),
            "pixel_mm": f"{told(spacing[1])} x {told(spacing[2])}",
            "spacing_mm": None,
        }
    if isinstance(noise, Mapping):
        known["lag"] = noise.get("lag")
    return known


def _milliseconds(seconds: Any) -> str:
    """Frames come every so often: "66.7, 15 frames per second"."""
    return f"{1000 * seconds:.3g}, {1 / seconds:.3g} frames per second"


def _with_noise_left(fitted: Mapping[str, Any]) -> Mapping[str, Any]:
    left = fitted.get("simulated_noise_left")
    if not isinstance(left, float):
        return fitted
    return {**fitted, "simulated_noise_left": f"{left:.0%} of what was simulated on held-out slices"}


def told(value: Any) -> str:
    """A value as people read it; text from a file cannot reach the terminal as anything but text."""
    if isinstance(value, float) and not isfinite(value):
        return "not known"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        parts = [told(part) for part in value]
        numbers = len(value) == 2 and all(isinstance(part, int | float) for part in value)
        return " to ".join(dict.fromkeys(parts)) if numbers else ", ".join(parts)
    if isinstance(value, dict):
        return ", ".join(f"{told(name)} {told(part)}" for name, part in value.items())
    return json.dumps(value).strip('"')
