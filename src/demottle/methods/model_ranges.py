"""What a model says of the scans it was made for: numbers that can be believed, and what it leaves out."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from demottle.methods.registry import method

_RANGES = ("noise_range", "full_noise_range", "pixel_range_mm", "intensity_range")
_NEEDED = {
    "modality": ("modality",),
    "unit": ("unit",),
    "noise level": ("noise_range", "noise_level"),
    "pixel size": ("pixel_range_mm", "spacing_mm"),
}
"""What has to be known to tell whether a model suits a scan, and where a model may say it."""


def impossible(fitted: Mapping[str, Any]) -> str:
    """Return the name of the first range that is not a range, two finite numbers in order; empty where all make sense.

    What a model leaves out, or says nothing of (None), is not a fault; a spacing has to be positive wherever there is one.
    """
    for name in _RANGES:
        if not _absent(fitted.get(name)) and not _is_range(fitted[name]):
            return name
    spacing = fitted.get("spacing_mm")
    if not _absent(spacing) and not (isinstance(spacing, list | tuple) and all(_number(v) and v > 0 for v in spacing)):
        return "spacing_mm"
    return ""


def unknown_range(name: str, fitted: Mapping[str, Any], scan: str = "scan") -> list[str]:
    """Say in a sentence what a model that has learned does not say of the scans it was made for.

    Args:
        name: name of the method.
        fitted: fitted of the model.
        scan: what it is applied to, for the sentence.
    """
    if method(name).learns_from == "nothing":  # a filter follows the scan it is given
        return []
    missing = [what for what, keys in _NEEDED.items() if all(_silent(fitted.get(key)) for key in keys)]
    if not missing:
        return []
    listed = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    return [
        f"The model does not state the {listed} it was made for, so it may not suit this {scan}; look at what was "
        "removed, or use a model that states it."
    ]


def _is_range(value: Any) -> bool:
    pair = isinstance(value, list | tuple) and len(value) == 2 and all(_number(part) for part in value)
    return pair and value[0] <= value[1]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and not value)


def _silent(value: Any) -> bool:
    """Nothing, or a level that could not be measured."""
    return _absent(value) or value == "" or (isinstance(value, float) and not isfinite(value))
