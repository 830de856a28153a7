"""The page's words: the headline cards, titles and values, from a check and the record of the run."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from demottle.image import Image
from demottle.quality.check.leak import NOTICEABLE
from demottle.quality.check.verdicts import (
    LITTLE,
    PEAK_LIMIT,
    edges_verdict,
    grain_changed,
    limit_of,
    moved,
    too_smooth,
)
from demottle.quality.check.whole import Check
from demottle.quality.verdict import FAILED, PASSED


@dataclass(frozen=True)
class Card:
    """One headline: a label, a large value, a line below; tone "good", "warn", "bad" (the gate failed) or "plain"."""

    label: str
    value: str
    detail: str
    tone: str


def cards(check: Check) -> list[Card]:
    """Return the headline cards: noise, CT numbers, edges, between slices, texture."""
    made = [_noise(check), _tissues(check), _edges(check)]
    made.append(_leak(check))
    if check.bias_removed:
        made.append(_bias(check.bias_removed, check.unit))
    if check.spectra is not None:
        made.append(_texture(check))
    return made


def gate_cards(gate: Any) -> list[Card]:
    """Return the card of the gate, from `Gate.to_dict`; none where it was not asked."""
    if not isinstance(gate, Mapping) or not gate.get("verdicts"):
        return []
    verdicts = [v for v in gate["verdicts"] if isinstance(v, Mapping)]
    failed = [v for v in verdicts if v.get("status") == FAILED]
    if not failed:
        state = str(gate.get("state", PASSED))
        return [Card("Gate", state, str(gate.get("summary", "")), "good" if state == PASSED else "warn")]
    first = str(failed[0]["what"]) + (f" and {len(failed) - 1} more" if len(failed) > 1 else "")
    return [Card("Gate", FAILED, f"{first}, of {len(verdicts)} limits", "bad")]


_MINUS = re.compile(r"(--[\w-]+[ =]-\d)|(?<![\w.)\-])-(?=\d)")
"""The sign of a negative number in a sentence; what is typed after an option is left as it is."""


def typeset(sentence: str) -> str:
    """Return a sentence of the terminal with the minus signs that the page's figures have; options in it stay as typed."""
    return _MINUS.sub(lambda found: found[1] or "\u2212", sentence)


def warnings(found: Iterable[str], record: Mapping[str, Any]) -> list[str]:
    """Return what a check found now, and of what the record of the run says that which it does not say already.

    Written files are rounded, so that the same warning can come with slightly other figures; then the present one is kept.
    """
    now = list(found)
    told = {_without_figures(sentence) for sentence in now}
    earlier = (s for s in _listed(record.get("warnings")) if _without_figures(s) not in told)
    return [typeset(sentence) for sentence in dict.fromkeys([*now, *earlier])]


def _without_figures(sentence: str) -> str:
    return re.sub(r"[-+]?\d[\d.]*", "#", sentence)


def gate_failed(gate: Any) -> bool:
    """Return whether a gate, as `Gate.to_dict` gives it, was failed."""
    return any(card.tone == "bad" for card in gate_cards(gate))


def uncertain(verdict: Mapping[str, Any]) -> str:
    """Return the interval of a mean that may be beyond its limit by chance, in words; else nothing."""
    interval = verdict.get("interval")
    if verdict.get("status") != "not shown" or not interval:
        return ""
    digits = 1 if verdict.get("unit") == "HU" else 3
    return f"{signed(interval[0], digits)} to {signed(interval[1], digits)}"


def two_levels(check: Check, record: Mapping[str, Any]) -> str:
    """Return why MR magnitudes show another noise level than was measured on the scan, as a sentence; else nothing."""
    measured = _mapping(record.get("fingerprint"))
    level, kind = measured.get("noise_level"), _mapping(measured.get("noise_model")).get("name")
    if kind != "rician" or not isinstance(level, int | float) or not isfinite(check.noise.before):
        return ""
    return (
        f"Noise before and after is that seen in the magnitudes; the level measured on the scan ({level:.1f} {check.unit}) is of "
        "the Gaussian noise beneath, in the complex signal, of which magnitudes show less where the signal is weak."
    )


def of_rounded(after: Image, check: Check, record: Mapping[str, Any]) -> str:
    """Return why noise that slices share is other than the page of the run says, as a sentence; nothing where it is not.

    Rounding to whole numbers is noise beside what is left: that of most slices no other slice shares.

    Args:
        after: the result as it is stored.
        check: what was measured on it.
        record: that of the run, with what was measured before it was stored, where it is known.
    """
    if check.leak is None or not isfinite(check.leak.gain) or not np.array_equal(after.voxels, np.rint(after.voxels)):
        return ""
    earlier = _mapping(_mapping(record.get("check")).get("slice_correlation")).get("after")
    value = f"{check.leak.after.rho[0]:.2f}"
    before = f"{earlier[0]:.2f}" if isinstance(earlier, Sequence) and earlier and earlier[0] is not None else ""
    if before == value:
        return ""
    told = f"was {before}" if before else "may have been another"
    return (
        f"The result is stored in whole numbers, and rounding adds noise of its own: the noise shared with the next slice, "
        f"{value} here, {told} before it was stored, as the page of its run has it."
    )


def _noise(check: Check) -> Card:
    n = check.noise
    if not isfinite(n.removed_share):
        return Card("Noise", "not measured", "no flat tissue found", "plain")
    value = f"{n.before:.1f} → {n.after:.1f} {check.unit}"
    change = f"{100 * n.removed_share:.0f} % less" if n.removed_share >= 0 else f"{-100 * n.removed_share:.0f} % more"
    well = n.removed_share >= LITTLE and not too_smooth(n, check.unit)
    return Card("Noise in flat tissue", value, change, "good" if well else "warn")


def _tissues(check: Check) -> Card:
    label = "CT numbers" if check.unit == "HU" else "Mean signal"
    if not check.tissues:
        return Card(label, "not measured", "no uniform tissue found", "plain")
    changed = [t for t in check.tissues if moved(t, check.unit)]
    worst = max(changed or check.tissues, key=lambda t: abs(t.shift) / limit_of(t, check.unit))
    detail = f"largest: {worst.name} {signed(worst.shift, 1)} {check.unit}"
    if changed:
        if max(worst.ci_low, -worst.ci_high) <= limit_of(worst, check.unit):
            detail += f"; that it is beyond {limit_of(worst, check.unit):.3g} {check.unit} is not certain"
        return Card(
            label, "moved in " + ("1 tissue" if len(changed) == 1 else f"{len(changed)} tissues"), detail, "warn"
        )
    if unproven := [t.name for t in check.tissues if not t.equivalent]:
        return Card(label, "no shift seen", f"{detail}; not proven for {', '.join(unproven)}", "plain")
    return Card(label, "kept", detail, "good")


def _edges(check: Check) -> Card:
    verdict = edges_verdict(check.edges)
    if verdict == "unknown":
        return Card("Edges", "not measured", "no edges found", "plain")
    detail = f"{check.edges.region}: {signed(check.edges.correlation, 2, plus=False)} in the removed part"
    return Card("Edges", verdict, detail, "good" if verdict == "kept" else "warn")


def _leak(check: Check) -> Card:
    leak = check.leak
    if leak is None:
        return Card("Between slices", "not checked", "a single slice has no neighbors to share noise with", "plain")
    if not isfinite(leak.gain):
        return Card("Between slices", "not measured", "too little flat tissue repeats", "plain")
    value = f"{leak.before.rho[0]:.2f} → {leak.after.rho[0]:.2f}"
    if leak.gain < 0.005:
        return Card("Noise shared with the next slice", value, "no more than before", "good")
    detail = f"rose by {leak.gain:.2f}"
    if leak.noticeable:
        return Card("Noise shared with the next slice", value, f"{detail}: a spot may show on several slices", "warn")
    if leak.gain >= NOTICEABLE:
        share = f"{100 * leak.shared.share:.0f} %" if isfinite(leak.shared.share) else "little"
        return Card("Noise shared with the next slice", value, f"{detail}, but is {share} of the noise before", "plain")
    return Card("Noise shared with the next slice", value, detail, "good")


def _bias(removed: Mapping[str, float], unit: str) -> Card:
    told = ", ".join(f"{name} {signed(-value, 1)}" for name, value in removed.items())
    return Card("Bias of MR magnitudes", "taken out", f"on purpose: {told} {unit}", "plain")


def _texture(check: Check) -> Card:
    assert check.spectra is not None
    what, shift = check.spectra.told_shift
    words = "kept" if abs(shift) <= PEAK_LIMIT else "coarser" if shift < 0 else "finer"
    tone = "good" if words == "kept" else "warn" if grain_changed(check.spectra, check.noise) else "plain"
    return Card("Texture", words, f"spectrum's {what} {signed(shift, 3)} per mm", tone)


def signed(value: float, digits: int, plus: bool = True) -> str:
    """Return a number with a true minus sign (as wide as the plus), "0.0" without a sign; a dash for what is unknown."""
    if not isfinite(value):
        return "–"
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        return text[1:]
    return text.replace("-", "\u2212") if plus or value < 0 else text[1:]


def share(value: float, digits: int = 0, plus: bool = False) -> str:
    """Return a share as percent; a dash alone for what is unknown."""
    text = signed(100 * value, digits, plus)
    return text if text == "–" else f"{text} %"


def figure_in_digits(value: float, scale: float) -> str:
    """Return a number with as many decimals as show two digits of `scale` (its spread), or of itself where there is none."""
    if not isfinite(value):
        return "–"
    size = abs(scale) if isfinite(scale) and scale != 0 else abs(value)
    digits = 1 if size >= 0.95 else 2 if size >= 0.095 else 3 if size >= 0.0095 else 4
    return signed(value, digits, plus=False).replace("-", "\u2212") if value >= 0 else signed(value, digits)


def found_and_limit(value: float, limit: float, unit: str) -> tuple[str, str]:
    """Return what was found and its limit, in as many digits as tell which of them is larger; "HU" and "per mm" are named."""
    named = f" {unit}" if unit in ("HU", "per mm") else ""
    fewest = 1 if unit == "HU" else 3
    for digits in range(fewest, 7):
        found = signed(value, digits, plus=False)
        if round(abs(value), digits) != round(limit, digits) or abs(value) == limit:
            break
    return f"{found}{named}", f"{limit:.10g}{named}"


def series_title(record: Mapping[str, Any]) -> str:
    """Return the series description, or a plain title; never a file's name, which may hold a patient's."""
    source = _mapping(record.get("source"))
    for key in ("series_description", "description"):
        if isinstance(source.get(key), str) and source[key].strip():
            return str(source[key]).strip()
    return "Denoised series"


def facts(image: Image, record: Mapping[str, Any]) -> list[str]:
    """Return the line below the title: modality, size, spacing, method."""
    slices, rows, columns = image.shape
    timed = image.sequence
    between = f"{image.spacing[0]:.3g} s" if timed else f"{image.spacing[0]:.3g} mm"
    made = [
        image.modality,
        f"{slices} {'frames' if timed else 'slices'}" if slices != 1 else "1 slice",
        f"{rows} × {columns}",
        f"{image.spacing[1]:.3g} × {image.spacing[2]:.3g} mm, {between} apart",
    ]
    return [*made, f"method {record['method']}"] if record.get("method") else made


_PRIVATE = ("patient", "path", "file", "folder", "input", "output", "name", "uid", "date", "birth", "accession")


def said(value: Any) -> str:
    """Return a value as a reader would write it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "\u2212")
    if isinstance(value, Mapping):
        return ", ".join(f"{plain_name(str(k))} {said(v)}" for k, v in value.items() if not is_private(str(k)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(said(v) for v in value)
    return str(value)


def sentences(value: Any) -> list[str]:
    """Return the sentences of a record's list as the page sets them; an empty list where there is none."""
    return [typeset(sentence) for sentence in _listed(value)]


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(v) for v in value] if isinstance(value, Sequence) else []


def is_private(key: str) -> bool:
    """True for names under which paths or patient data may stand."""
    return any(word in key.lower() for word in _PRIVATE)


def plain_name(key: str) -> str:
    """Return a name of the record as words."""
    return key.replace("_", " ")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
