"""What was done, as the page lists it: method, learning, measured noise, time; with names and units for a reader."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demottle.report.names import AUTOMATIC, FUSION, LEARNED, LIVE, METHOD, SETTINGS, SOURCE, WORDS, Named
from demottle.report.words import is_private, plain_name, said


@dataclass(frozen=True)
class Group:
    """One heading with its names and values."""

    title: str
    rows: tuple[tuple[str, str], ...]


_ABOUT_THE_SCAN = (
    "modality",
    "unit",
    "spacing_mm",
    "noise_level",
    "spectrum_mean_per_mm",
    "slice_correlation",
    "scale",
    "frame_noise",
    "gain",
    "offset",
    "misfit",
)
_FUSING = ("fuse", "fusion")  # told in a group of their own: the setting, and what was learned of it
_ELSEWHERE = (
    "program",
    "warnings",
    "plan_reasons",
    "check",
    "gate",
    "contract",
    "truth",
    "comparison",
    "page",
    "response",
    "uncertainty",
)
_GROUPED = (*METHOD, *LIVE, "source", "settings", "fitted", "fingerprint", "times", *_ELSEWHERE)
_KINDS = {"rician": "Rician (MR magnitudes)"}  # Gaussian noise is the rule, and needs no word


def done_groups(record: Mapping[str, Any]) -> list[Group]:
    """Return what was done from the record of a run. Paths and patient data are left out; so is what is not known."""
    source, settings, fitted, times = (_mapping(record.get(key)) for key in ("source", "settings", "fitted", "times"))
    measured = _mapping(record.get("fingerprint"))
    # Strength stands beside the settings too.
    own = {key: value for key, value in settings.items() if key not in record and not _is_fusing(key, value)}
    learned = {key: value for key, value in fitted.items() if key not in (*_ABOUT_THE_SCAN, *_FUSING)}
    if (lag := _mapping(fitted.get("frame_noise")).get("lag", fitted.get("lag"))) is not None:
        learned["lag"] = lag
    fused = [fact for part in (settings, fitted) for fact in _fusing(part)]
    other = {key: value for key, value in record.items() if key not in _GROUPED}
    groups = (
        ("Method", (*_named(record, METHOD, known_only=True), *_named(source, SOURCE, known_only=True))),
        ("Settings", tuple(_named(own, SETTINGS))),
        ("Learning", tuple(_named(learned, LEARNED))),
        ("Neighbors in the result", tuple(_named(dict(fused), FUSION))),
        ("Live", () if measured.get("modality") == "MR" else tuple(_named(record, LIVE, known_only=True))),
        ("Measured on the scan", tuple(_measured(measured))),
        ("Time", tuple((plain_name(str(stage)), f"{said(spent)} s") for stage, spent in times.items())),
        ("Besides", tuple(_besides(other))),
    )
    return [Group(title, rows) for title, rows in groups if rows]


def _is_fusing(key: str, value: Any) -> bool:
    """Slices that speak in each other's result; udca's fusion of targets, a word, is a setting like others."""
    return key in _FUSING and not isinstance(value, str)


def _fusing(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """How far neighboring slices speak in the result: plain facts, and those of inner mappings."""
    for key in _FUSING:
        value = values.get(key)
        if not _is_fusing(key, value):
            continue
        yield from value.items() if isinstance(value, Mapping) else () if value is None else ((key, value),)


def _named(
    values: Mapping[str, Any], names: Mapping[str, Named], known_only: bool = False
) -> Iterator[tuple[str, str]]:
    """Known values in the order of the names, then the others under names of their own."""
    unknown = [] if known_only else [key for key in values if key not in names and not is_private(key)]
    for key in [*(key for key in names if key in values), *unknown]:
        name, unit = names.get(key, (plain_name(key), ""))
        value = values[key]
        if value is None or value == "":
            continue
        value = WORDS.get((key, value), value) if isinstance(value, str) else value
        value = AUTOMATIC.get(key, value) if value == 0 and not isinstance(value, bool) else value
        if key == "model_hash":
            value = str(value)[:16]  # enough to tell models apart; whole in run.json
        yield name, _with_unit(value, unit)


def _with_unit(value: Any, unit: str) -> str:
    if unit.startswith("%") and isinstance(value, int | float):
        return f"{_whole(100 * value)} {unit}"
    return f"{said(value)} {unit}".strip()


def _measured(fingerprint: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The figures of the fingerprint that decided what was done."""
    unit, spectrum = str(fingerprint.get("unit", "")), _mapping(fingerprint.get("spectrum"))
    spread = [value for value in _listed(fingerprint.get("noise_range")) if value is not None]
    series = fingerprint.get("modality") == "MR" and "held_over" in fingerprint
    one, changes = ("volume", "differs from volume to volume") if series else ("frame", "moves")
    shares, rho = (_listed(fingerprint.get(key))[:3] for key in ("matched_share", "slice_correlation"))
    found = (
        ("noise level", _digits(fingerprint.get("noise_level")), unit),
        ("kind of noise", _KINDS.get(str(_mapping(fingerprint.get("noise_model")).get("name")), ""), ""),
        (
            "noise in the quietest and noisiest tenth",
            " to ".join(dict.fromkeys(_digits(value) for value in spread)),
            unit,
        ),
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
        (f"noise held over to the next {one}", _percent(fingerprint.get("held_over")), ""),
        ("lag: signal held over to the next frame", "" if series else _percent(fingerprint.get("lag")), ""),
        (f"part of the image in which something {changes}", _percent(fingerprint.get("moving_share")), ""),
        ("motion of the whole image", _digits(fingerprint.get("pan_pixels_per_frame")), f"pixels per {one}"),
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


def _percent(value: Any) -> str:
    return f"{_whole(100 * value)} %" if isinstance(value, int | float) else ""


def _whole(value: float) -> str:
    """A whole number, and never "-0"."""
    return f"{value:.0f}".replace("-0", "0") if abs(value) < 1 else f"{value:.0f}"


def _listed(values: Any) -> list[float | None]:
    return list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
