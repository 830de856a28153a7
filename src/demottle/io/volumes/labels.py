"""What distinguishes the volumes of one series, in words."""

from collections.abc import Sequence

import numpy as np

from demottle.io.volumes.split import Volume
from demottle.io.volumes.traits import Trait

_MOST_WORDS = 3
_LONGEST = 40
_WORDS: dict[str, str] = {
    "component": "{}",
    "directionality": "{}",
    "stack": "stack {}",
    "kernel": "kernel {}",
    "energy": "{} keV",
    "tube voltage": "{} kV",
    "echo": "echo {}",
    "echo time": "TE {} ms",
    "effective echo time": "TE {} ms",
    "inversion time": "TI {} ms",
    "flip angle": "flip angle {} degrees",
    "repetition time": "TR {} ms",
    "velocity direction": "velocity along ({})",
    "contrast phase": "{} phase",
    "slice thickness": "{} mm thick",
    "cardiac phase": "cardiac phase {} %",
    "respiratory phase": "respiratory phase {} %",
    "trigger delay": "trigger delay {} ms",
    "time point": "time point {}",
    "temporal index": "time point {}",
    "labeling": "{}",
    "b-value": "b {} s/mm2",
    "diffusion direction": "direction ({})",
    "acquisition": "acquisition {}",
    "frame acquisition": "acquisition {}",
    "raw data run": "raw data run {}",
}
_NAMES = ("description", "protocol", "sequence")
_PLANES = ("sagittal", "coronal", "axial")

_IN_SMALL_LETTERS = ("labeling", "contrast phase")

Part = tuple[Volume, ...]


def labelled(parts: Sequence[Part]) -> list[str]:
    """Return a label for each part of a series; empty where there is only one.

    What the headers say, up to three traits in which the parts differ; then, until each has a label of its own, plane, matrix,
    size of a pixel, place, what each is called, and time.
    """
    if len(parts) == 1:
        return [""]
    words: list[list[str]] = [[] for _ in parts]
    for name in ("image type", *_WORDS):
        if max(map(len, words)) < _MOST_WORDS:
            _add(words, _image_types(parts) if name == "image type" else [_trait(part, name) for part in parts])
    for told in (_plane, _matrix, _pixels, _distance, _range):
        if not _apart(words):
            _add(words, [told(part) for part in parts])
    for name in _NAMES:
        if not _apart(words):
            _add(words, _names(parts, name))
    if not _apart(words):
        _add(words, _times(parts))
    return [", ".join(one) for one in words]


def _add(words: list[list[str]], texts: Sequence[str]) -> None:
    """Add a text to each label, where they differ and say something new."""
    if len(set(texts)) > 1:
        for one, text in zip(words, texts, strict=True):
            if text and text not in one:
                one.append(text)


def _apart(words: Sequence[Sequence[str]]) -> bool:
    return len({tuple(one) for one in words}) == len(words)


def _trait(part: Part, name: str) -> str:
    value = _common(part, name)
    if value is None:
        return ""
    text = (
        f"{value:g}" if isinstance(value, float) else value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    )
    return _WORDS[name].format(text.lower() if name in _IN_SMALL_LETTERS else text)


def _names(parts: Sequence[Part], name: str) -> list[str]:
    """What each is called, where each is called something else; nothing otherwise."""
    values = [str(_common(part, name) or "") for part in parts]
    if not all(values) or len(set(values)) < len(values):
        return [""] * len(parts)
    return [value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…" for value in values]


def _common(part: Part, name: str) -> Trait | None:
    values = {volume.traits.get(name) for volume in part}
    return values.pop() if len(values) == 1 else None


def _image_types(parts: Sequence[Part]) -> list[str]:
    """Values of ImageType that not all parts have, but for those that say magnitude or phase."""
    types = [str(_common(part, "image type") or "").split("\\") for part in parts]
    shared = set.intersection(*(set(values) for values in types))
    said = [_common(part, "component") for part in parts]
    if len({str(one) for one in said}) > 1:
        return [""] * len(parts)
    special = [list(dict.fromkeys(value for value in values if value and value not in shared)) for values in types]
    if len({tuple(one) for one in special}) < len({tuple(one) for one in types}):
        return ["\\".join(values) for values in types]  # they differ only in how often a value stands there
    return [" ".join(one) for one in special]


def _plane(part: Part) -> str:
    axes = np.asarray(part[0].slices[0].orientation, np.float64)
    normal = np.abs(np.cross(axes[:3], axes[3:]))
    return _PLANES[int(np.argmax(normal))] if normal.max() > 0.9 else "oblique"


def _matrix(part: Part) -> str:
    first = part[0].slices[0]
    return f"{first.rows} x {first.columns}"


def _pixels(part: Part) -> str:
    down, across = part[0].slices[0].pixel_spacing or (0.0, 0.0)
    return f"pixels of {down:.4g} x {across:.4g} mm"


def _distance(part: Part) -> str:
    gaps = np.diff(part[0].places)
    return f"slices {float(np.median(gaps)):.3g} mm apart" if gaps.size else ""


def _range(part: Part) -> str:
    first, last = (round(float(place), 1) + 0.0 for place in part[0].places[[0, -1]])
    return f"at {first:.4g} to {last:.4g} mm" if last > first else f"at {first:.4g} mm"


def _times(parts: Sequence[Part]) -> list[str]:
    """When each was taken, after the first; its place in the series where that is not known."""
    for name in ("acquired", "trigger time", "content time"):
        moments = [[header.traits.get(name) for volume in part for header in volume.slices] for part in parts]
        begun = [min((moment for moment in one if isinstance(moment, float)), default=None) for one in moments]
        known = [moment for moment in begun if moment is not None]
        if len(set(known)) == len(parts):
            return [f"after {moment - min(known):.4g} s" for moment in known]
    return [f"{_ordinal(index)} in the series" for index in range(1, len(parts) + 1)]


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"
