"""What was done, as the page lists it: method, learning, measured noise, time; with names and units for a reader."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demottle.report.words import is_private, plain_name, said


@dataclass(frozen=True)
class Group:
    """One heading with its names and values."""

    title: str
    rows: tuple[tuple[str, str], ...]


_Named = tuple[str, str]  # name for a reader, unit
_METHOD: Mapping[str, _Named] = {
    "method": ("method", ""),
    "strength": ("strength (1: all noise found)", ""),
    "seed": ("seed of random draws", ""),
    "version": ("demottle version", ""),
    "model_hash": ("model", ""),
    "device": ("computed on", ""),
}
_SOURCE: Mapping[str, _Named] = {
    "format": ("format of the scan", ""),
    "modality": ("modality", ""),
    "kernel": ("reconstruction kernel", ""),
    "kvp": ("tube voltage", "kV"),
    "manufacturer": ("manufacturer", ""),
    "model": ("scanner", ""),
    "slice_thickness": ("slice thickness", "mm"),
}
_SETTINGS: Mapping[str, _Named] = {
    "reach": ("neighbors used on each side", ""),
    "decorrelate": ("targets corrected for shared noise", ""),
    "use_mask": ("only matched tissue compared", ""),
    "tolerance": ("tolerance of matching", ""),  # HU in one method, multiples of the noise in another
    "guide": ("guide of matching", ""),
    "guide_sigma": ("smoothing of the guide", "pixels"),
    "recorruption": ("recorruption: noise added where nothing matches", "× local noise"),
    "recorrupted_share": ("recorrupted patches", "%"),
    "surely_matched": ("a neighbor is the better target up to", "× local noise"),
    "structured_share": ("patches with random structures added", "%"),
    "consistency": ("weight of regional consistency", ""),
    "continuity": ("weight of continuity between slices", ""),
    "outlier": ("errors bounded beyond", "standard deviations"),
    "window": ("window of the filter", "pixels"),
    "threshold": ("significance of a frequency", "standard deviations"),
    "channels": ("channels of the network", ""),
    "patch": ("patch", "pixels"),
    "batch": ("patches per step", ""),
    "rate": ("learning rate", ""),
    "early_stop": ("stops when learning no longer pays", ""),
}
_LEARNED: Mapping[str, _Named] = {
    "steps": ("steps learned", ""),
    "ended": ("learning ended", ""),
    "loss_first": ("loss at the beginning", "× noise variance"),
    "loss_last": ("loss at the end", "× noise variance"),
    "matched_share_of_body": ("body with a matching neighbor", "%"),
    "white_noise_assumed": ("noise taken as white", ""),
}
_FUSION: Mapping[str, _Named] = {
    "fuse": ("neighbors have a say in the result where they agree", ""),
    "weights": ("weight of neighbors, nearest first", ""),
    "gain": ("squared error saved by that", "%"),
}
_ABOUT_THE_SCAN = (
    "modality",
    "unit",
    "spacing_mm",
    "noise_level",
    "spectrum_mean_per_mm",
    "slice_correlation",
    "scale",
)
_FUSING = ("fuse", "fusion")  # told in a group of their own: the setting, and what was learned of it
_ELSEWHERE = ("program", "warnings", "plan_reasons", "check", "gate", "truth", "comparison", "page")
_GROUPED = (*_METHOD, "source", "settings", "fitted", "fingerprint", "times", *_ELSEWHERE)


def done_groups(record: Mapping[str, Any]) -> list[Group]:
    """Return what was done from the record of a run. Paths and patient data are left out; so is what is not known."""
    source, settings, fitted, times = (_mapping(record.get(key)) for key in ("source", "settings", "fitted", "times"))
    # Strength stands beside the settings too.
    own = {key: value for key, value in settings.items() if key not in record and key not in _FUSING}
    learned = {key: value for key, value in fitted.items() if key not in (*_ABOUT_THE_SCAN, *_FUSING)}
    fused = [fact for part in (settings, fitted) for fact in _fusing(part)]
    other = {key: value for key, value in record.items() if key not in _GROUPED}
    groups = (
        ("Method", (*_named(record, _METHOD, known_only=True), *_named(source, _SOURCE, known_only=True))),
        ("Settings", tuple(_named(own, _SETTINGS))),
        ("Learning", tuple(_named(learned, _LEARNED))),
        ("Neighbors in the result", tuple(_named(dict(fused), _FUSION))),
        ("Measured on the scan", tuple(_measured(_mapping(record.get("fingerprint"))))),
        ("Time", tuple((plain_name(str(stage)), f"{said(spent)} s") for stage, spent in times.items())),
        ("Besides", tuple(_besides(other))),
    )
    return [Group(title, rows) for title, rows in groups if rows]


def _fusing(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """How far neighboring slices speak in the result: plain facts, and those of inner mappings."""
    for key in _FUSING:
        value = values.get(key)
        yield from value.items() if isinstance(value, Mapping) else () if value is None else ((key, value),)


def _named(
    values: Mapping[str, Any], names: Mapping[str, _Named], known_only: bool = False
) -> Iterator[tuple[str, str]]:
    """Known values in the order of the names, then the others under names of their own."""
    unknown = [] if known_only else [key for key in values if key not in names and not is_private(key)]
    for key in [*(key for key in names if key in values), *unknown]:
        name, unit = names.get(key, (plain_name(key), ""))
        value = values[key]
        if value is None or value == "":
            continue
        if key == "model_hash":
            value = str(value)[:16]  # enough to tell models apart; whole in run.json
        yield name, _with_unit(value, unit)


def _with_unit(value: Any, unit: str) -> str:
    if unit == "%" and isinstance(value, int | float):
        return f"{100 * value:.0f} %"
    return f"{said(value)} {unit}".strip()


def _measured(fingerprint: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The figures of the fingerprint that decided what was done."""
    unit, spectrum = str(fingerprint.get("unit", "")), _mapping(fingerprint.get("spectrum"))
    spread = [value for value in _listed(fingerprint.get("noise_range")) if value is not None]
    shares, rho = (_listed(fingerprint.get(key))[:3] for key in ("matched_share", "slice_correlation"))
    found = (
        ("noise level", _digits(fingerprint.get("noise_level")), unit),
        ("noise in the quietest and noisiest tenth", " to ".join(_digits(value) for value in spread), unit),
        (
            "noise shared with the 1st, 2nd, 3rd next slice",
            ", ".join("–" if value is None else f"{value:.2f}" for value in rho),
            "",
        ),
        (
            "tissue that is the same there",
            ", ".join("–" if value is None else f"{100 * value:.0f} %" for value in shares),
            "",
        ),
        ("peak of the noise spectrum", _digits(spectrum.get("peak_per_mm")), "per mm"),
        ("slice thickness", _digits(fingerprint.get("slice_thickness_mm")), "mm"),
    )
    return ((name, f"{text} {unit}".strip()) for name, text, unit in found if text)


def _besides(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if is_private(key) or value is None:
            continue
        inner = {str(k): v for k, v in value.items() if not is_private(str(k))} if isinstance(value, Mapping) else None
        rows = {"": value} if inner is None else inner
        yield from ((f"{plain_name(key)} {plain_name(k)}".strip(), said(v)) for k, v in rows.items())


def _digits(value: Any) -> str:
    """A measured figure in as many digits as it deserves; nothing for what is not known."""
    if not isinstance(value, int | float):
        return ""
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"


def _listed(values: Any) -> list[float | None]:
    return list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
