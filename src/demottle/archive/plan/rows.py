"""The row of one series in a plan."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from demottle.archive.plan.costs import Cost
from demottle.archive.plan.groups import group_of
from demottle.archive.plan.rules import more_of, rule_for
from demottle.archive.plan.sampling import Sampled, unlike, usual_method
from demottle.methods.registry import method as look_up
from demottle.node.configuration import FAST, Rule
from demottle.pipeline.plan import DEFAULT, FEW, FOR_FEW, FOR_MR
from demottle.pipeline.plan_sequence import DEFAULT_SEQUENCE
from demottle.pipeline.preset import PRESETS
from demottle.pipeline.shared import QUICK

_BYTES = 2  # of a voxel
_HEADER = 4096  # bytes of a header, or less


@dataclass(frozen=True)
class Deciding:
    """What the rows follow from.

    Attributes:
        groups: by name, how many series each has and what was measured on some of them.
        measured: the same by key of the series.
        rules: in order.
    """

    groups: Mapping[str, tuple[int, Sequence[Sampled]]]
    measured: Mapping[str, Sampled]
    rules: tuple[Rule, ...]


@dataclass
class Totals:
    """Sums over the series of one rule and method."""

    rule: str
    method: str
    series: int = 0
    networks: int = 0
    slices: int = 0
    seconds: float = 0.0
    bytes: int = 0

    def add(self, row: Mapping[str, Any], series: Mapping[str, Any]) -> None:
        """Count a series."""
        self.series += 1
        self.slices += series["slices"] or 0
        self.seconds += row["seconds"]
        self.bytes += row["bytes"]
        if row["fits"]:
            self.networks += 1


def row_of(
    series: Mapping[str, Any], deciding: Deciding, costs: Mapping[str, Cost], fitted: set[str]
) -> dict[str, Any]:
    """Decide on a series.

    Args:
        series: row of `demottle.archive.layout.SERIES`.
        deciding: groups and rules.
        costs: by method.
        fitted: groups of which a series came before; this one's is added.

    Returns:
        A row of `demottle.archive.layout.PLAN`, and whether it fits a network (`fits`).
    """
    rule, why = rule_for(series, deciding.rules)
    row: dict[str, Any] = {
        "key": series["key"],
        "rule": "" if rule is None else rule.name,
        "expected": "",
        "fits": False,
    }
    if rule is None or why:
        return {**row, "verb": "leave", "reason": why, "seconds": 0.0, "bytes": 0}
    mine = deciding.measured.get(series["key"])
    group = group_of(series, rule)
    count, sampled = deciding.groups[group]
    method, reason = _expected(series, rule, mine, sampled)
    unfit = _unfit(method, series) or _beyond(rule, series)
    if unfit:
        return {**row, "verb": "leave", "reason": unfit, "seconds": 0.0, "bytes": 0}
    model = str(rule.request.get("model") or "")
    learns = not model and look_up(method).learns_from == "the image itself"
    apart = unlike(mine, sampled) if mine is not None and learns else ""
    shares = learns and rule.share and count > 1 and not apart
    fits = learns and not (shares and group in fitted)
    if shares:
        fitted.add(group)
        reason += f" {count} series share a network."
    voxels = (series["slices"] or 0) * (series["rows"] or 0) * (series["columns"] or 0)
    row |= {} if mine is None else {"noise": mine.level, "noise_frequency": mine.frequency}
    row |= {} if mine is None else {"noise_correlation": mine.correlation}
    return {
        **row,
        "verb": "denoise",
        "method": rule.request.get("method") or "",
        "settings": json.dumps(rule.request.get("settings") or {}),
        "strength": float(rule.request.get("strength", 1.0)),
        "more": json.dumps(more_of(rule)),
        "group": group if shares else "",
        "model": model,
        "expected": method,
        "reason": f"{reason} {apart}".strip(),
        "seconds": round(costs[method].seconds(voxels, fits, rule.request.get("minutes")), 1),
        "bytes": voxels * _BYTES + (series["files"] or 0) * _HEADER,
        "fits": fits,
    }


def _expected(
    series: Mapping[str, Any], rule: Rule, mine: Sampled | None, sampled: Sequence[Sampled]
) -> tuple[str, str]:
    """The method that a series will get, as far as one can tell, and why."""
    asked = _asked(rule)
    if asked:
        return asked, f"The rule '{rule.name}' asks for it."
    method, why = _decided(series, mine, sampled)
    if rule.preset == FAST and method == DEFAULT and series["volumes"]:
        return QUICK, f"{why} The rule '{rule.name}' asks for a fast one."
    return method, why


def _decided(series: Mapping[str, Any], mine: Sampled | None, sampled: Sequence[Sampled]) -> tuple[str, str]:
    """The method that the scan decides on, as far as one can tell, and what it is known from."""
    if mine is not None and mine.method:
        return mine.method, "The scan decides; it was measured."
    known = usual_method(sampled)
    if known and series["volumes"]:
        return (
            known,
            f"The scan decides; {len(sampled)} of its group {'was' if len(sampled) == 1 else 'were'} measured.",
        )
    why = (
        f"The scan decides; it could not be measured beforehand ({mine.failed.rstrip('.')})."
        if mine
        else "The scan decides."
    )
    if not series["volumes"]:
        return DEFAULT_SEQUENCE, why
    if series["modality"] == "MR":
        return FOR_MR, why
    return (FOR_FEW if (series["slices"] or 0) <= FEW else DEFAULT), why


def _unfit(method: str, series: Mapping[str, Any]) -> str:
    """Say where a method that was asked for is not for such a series; several volumes may be one over time."""
    known = look_up(method)
    if series["volumes"] == 0 and not known.takes(sequence=True):
        return f"It is a run of frames, and {method} is for volumes."
    if series["volumes"] == 1 and not known.takes(sequence=False):
        return f"It is a volume, and {method} is for runs of frames."
    return ""


def _beyond(rule: Rule, series: Mapping[str, Any]) -> str:
    """Say where what a rule wants to stay of the noise cannot be had of such a series."""
    preset = PRESETS.get(rule.preset)
    promised = preset is not None and preset.promise is not None
    left = "texture" in rule.request or promised or (preset is not None and preset.texture is not None)
    if series["volumes"] == 0 and left:
        return f"It is a run of frames, and what the rule '{rule.name}' wants to stay of the noise is for volumes."
    if promised and series["modality"] != "CT":
        return f"It is no CT, and the preset {rule.preset} of the rule '{rule.name}' measures sharpness in HU."
    return ""


def _asked(rule: Rule) -> str:
    """The method that a rule names, or its model is of."""
    model = rule.request.get("model")
    return _method_of(str(model)) if model else str(rule.request.get("method") or "")


@lru_cache(maxsize=32)
def _method_of(model: str) -> str:
    from demottle.methods.models import read_header

    return str(read_header(model)["method"])
