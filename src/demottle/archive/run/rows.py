"""The row of a series in a run's data set of results: its columns, and what of a record goes into them."""

import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from math import isfinite, nan
from pathlib import Path
from typing import Any

from demottle import __version__
from demottle.archive.columns import Column
from demottle.archive.run.order import Job, Order

DONE, FAILED = "done", "failed"
TISSUES = ("air", "lung", "fat", "soft tissue", "bone")
"""Whose CT numbers have columns of their own; the others are in `tissues`."""

_SAID = (
    Column("key", "text", "of the series"),
    Column("verb", "text", "what was done: denoise, inspect, evaluate or simulate"),
    Column("state", "text", "done or failed"),
    Column("reason", "text", "why it failed; empty where it did not"),
    Column("attempts", "int", "how often it was begun"),
    Column("method", "text", "name of the method"),
    Column("shared", "bool", "its network was fitted on another series of its group, or given"),
    Column("group", "text", "series that share a network; empty: none"),
    Column("network", "text", "why the network of the group was not used; empty where it was, or there is none"),
    Column("model_hash", "text", "of what was applied"),
    Column("volumes", "int", "how many volumes the series holds"),
    Column("unit", "text", "HU, or a.u."),
    Column("noise_before", "float", "standard deviation in flat tissue, in the unit"),
    Column("noise_after", "float", "the same of the result"),
    Column("gate", "text", "passed, passed with warnings or failed; empty where there are no limits"),
    Column("gate_reasons", "text", "what is beyond its limit"),
    Column("verdicts", "text", "every figure of the gate as JSON: name, value, limit, status"),
    Column("warnings", "int", "how many"),
    Column("warning", "text", "the first of them"),
    Column("tissues", "text", "means before and after of every tissue as JSON"),
)
_CT = tuple(
    Column(f"{when}_{name.replace(' ', '_')}", "float", f"mean of {name} {when}, in the unit")
    for name in TISSUES
    for when in ("before", "after")
)
_TIMES = (
    Column("seconds", "float", "all of it"),
    Column("seconds_read", "float", "reading"),
    Column("seconds_measure", "float", "measuring the noise"),
    Column("seconds_learn", "float", "fitting a network"),
    Column("seconds_apply", "float", "applying it"),
    Column("seconds_check", "float", "checking the result"),
    Column("seconds_write", "float", "writing images, page and record"),
    Column("ended", "text", "when it ended, UTC"),
    Column("machine", "text", "name of the computer"),
    Column("device", "text", "cpu, or the accelerator that was used"),
    Column("demottle", "text", "version"),
    Column("torch", "text", "version"),
    Column("python", "text", "version"),
    Column("output", "text", "folder with the images"),
    Column("page", "text", "page of the series"),
    Column("sent", "int", "objects that were sent"),
    Column("record", "text", "run.json; what was measured, for a verb that writes none, as JSON"),
)
RESULTS = (*_SAID, *_CT, *_TIMES)
"""Columns of the data set."""

Row = dict[str, Any]


def begun(job: Job) -> Row:
    """What can be said of a series before anything is done."""
    return {"key": job.key, "verb": job.verb, "group": job.group, "state": DONE, "reason": "", **_where()}


def measured(check: Mapping[str, Any]) -> Row:
    """Noise and CT numbers of a check (`Check.to_dict`, or that of a run of frames)."""
    noise, tissues = check.get("noise") or {}, check.get("tissues") or check.get("shifts") or ()
    row: Row = {
        "unit": check.get("unit", ""),
        "noise_before": number(noise.get("before")),
        "noise_after": number(noise.get("after")),
        "warnings": len(check.get("warnings") or ()),
    }
    told = {}
    for one in tissues if isinstance(tissues, list | tuple) else ():
        if not isinstance(one, Mapping) or "mean_before" not in one:
            continue
        before, after = number(one["mean_before"]), number(one["mean_after"])
        told[str(one["name"])] = [before, after]
        if one["name"] in TISSUES:
            name = str(one["name"]).replace(" ", "_")
            row[f"before_{name}"], row[f"after_{name}"] = before, after
    return {**row, "tissues": told}


def judged(gate: Mapping[str, Any]) -> Row:
    """Figures of the gate (`Gate.to_dict`)."""
    told = [
        {name: one.get(name) for name in ("name", "what", "value", "limit", "unit", "status")}
        for one in gate["verdicts"]
    ]
    return {"gate": gate["state"], "verdicts": told}


def number(value: Any) -> float | None:
    """A finite number, or None."""
    found = nan if value is None else float(value)
    return found if isfinite(found) else None


def in_folder(path: Path, order: Order) -> str:
    """A place in words: results are named as they will be found, whatever the working folder."""
    return str(path.absolute()) if order.output is not None else str(path)


@lru_cache(maxsize=1)
def _where() -> Mapping[str, str]:
    """The machine and the versions; asking for torch's does not import it."""
    return {
        "machine": platform.node(),
        "demottle": __version__,
        "torch": metadata.version("torch"),
        "python": platform.python_version(),
    }
