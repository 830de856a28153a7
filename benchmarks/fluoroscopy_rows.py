"""The rows of the fluoroscopy benchmark: kept as JSON lines, so that a run that was stopped goes on; and their table."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fluoroscopy_rivals import ABLATION, LEFT_IN
from demottle.methods import METHODS

Row = dict[str, Any]
KEY = ("name", "quanta", "lag", "seed", "motion", "fitted_on", "size", "frames", "steps")
"""What tells rows apart; `fitted_on` are the motions of the runs that were learned from together."""


class Rows:
    """Rows in a file. A line that was cut off when a run was stopped is left aside."""

    def __init__(self, path: Path) -> None:
        """Read what is there."""
        self._path = path
        self._all: list[Row] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            if set(KEY) <= set(row):
                self._all.append(row)
        self._known = {key_of(row) for row in self._all}

    @property
    def all(self) -> list[Row]:
        """Every row of the file."""
        return list(self._all)

    def has(self, row: Row) -> bool:
        """True where a row with these facts is there."""
        return key_of(row) in self._known

    def add(self, rows: Iterable[Row]) -> None:
        """Append them to the file at once."""
        rows = list(rows)
        ended = not self._path.exists() or not self._path.stat().st_size or self._path.read_bytes().endswith(b"\n")
        with self._path.open("a") as log:
            log.write(("" if ended else "\n") + "".join(json.dumps(row) + "\n" for row in rows))
        self._all += rows
        self._known |= {key_of(row) for row in rows}

    def seconds_of(self, name: str, like: Row) -> float | None:
        """What a rival took on average on groups of this size; None where it never ran."""
        alike = ("size", "frames", "steps", "fitted_on")
        spent = [r["seconds"] for r in self._all if r["name"] == name and all(r[k] == like[k] for k in alike)]
        return float(np.mean(spent)) if spent else None

    def matching(self, wanted: Iterable[Row]) -> list[Row]:
        """The rows with these facts."""
        keys = {key_of(row) for row in wanted}
        return [row for row in self._all if key_of(row) in keys]


def key_of(row: Row) -> str:
    """What tells a row apart, as a string."""
    return json.dumps([row[name] for name in KEY])


def tables(rows: Sequence[Row]) -> str:
    """Markdown: a table for each lag and dose, PSNR in dB with the spread over seeds, and what follows from it."""
    parts = []
    for lag, quanta in sorted({(row["lag"], row["quanta"]) for row in rows}):
        here = [row for row in rows if (row["lag"], row["quanta"]) == (lag, quanta)]
        parts.append(_table(here, f"{quanta:g} quanta" + (f", lag {lag:g}" if lag else "")))
    return "\n\n".join(parts)


def _table(rows: Sequence[Row], title: str) -> str:
    motions = list(dict.fromkeys(row["motion"] for row in rows))
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["name"]][row["motion"]].append(row["psnr"])
        found[row["name"]]["all"].append(row["psnr"])
    counts = sorted({len(values) for by in found.values() for motion, values in by.items() if motion != "all"})
    seeds = "seed" if counts == [1] else "seeds"
    told = "-".join(str(count) for count in (counts[:1] if len(counts) == 1 else [counts[0], counts[-1]]))
    head = [f"| {title}, {told} {seeds} | " + " | ".join([*motions, "mean", "edge at rest, at 10 px per frame"]) + " |"]
    head.append("|---" * (len(motions) + 3) + "|")
    lines = [
        f"| {name} | "
        + " | ".join([*(_spread(by[motion]) for motion in motions), _mean(by, motions), _edges(rows, name)])
        + " |"
        for name, by in found.items()
    ]
    return "\n".join([*head, *lines, "", *_claims(found, motions)])


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{np.mean(values):.2f}" + (f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else "")


def _mean(by: dict[str, list[float]], motions: Sequence[str]) -> str:
    return f"{np.mean([np.mean(by[motion]) for motion in motions]):.2f}" if all(by[m] for m in motions) else ""


def _edges(rows: Sequence[Row], name: str) -> str:
    """Mean widths over seeds, infinite as such."""
    pairs = [(row["edge_rest"], row["edge_fast"]) for row in rows if row["name"] == name and "edge_rest" in row]
    if not pairs:
        return ""
    rest, fast = ([np.inf if pair[k] is None else pair[k] for pair in pairs] for k in (0, 1))
    return ", ".join(f"{np.mean(w):.1f}" if np.isfinite(w).all() else "over 60" for w in (rest, fast)) + " px"


def _claims(found: dict[str, dict[str, list[float]]], motions: Sequence[str]) -> list[str]:
    """Differences of udca to what it is compared with, paired by motion, mean over motions."""
    means = {
        name: {motion: float(np.mean(by[motion])) for motion in motions if by[motion]} for name, by in found.items()
    }

    def apart(one: str, other: str) -> str:
        both = [motion for motion in motions if motion in means.get(one, {}) and motion in means.get(other, {})]
        each = [means[one][motion] - means[other][motion] for motion in both]
        return f"{np.mean(each):+.2f} dB ({', '.join(f'{m} {d:+.2f}' for m, d in zip(both, each, strict=True))})"

    said = []
    filters = [name for name in means if METHODS.get(name) and METHODS[name].learns_from == "nothing"]
    if "udca" in means:
        if filters:
            means["the best filter of each motion"] = {
                motion: max(means[name][motion] for name in filters if motion in means[name])
                for motion in motions
                if any(motion in means[name] for name in filters)
            }
        others = ["the best filter of each motion", "noise2void", "clean", *ABLATION]
        said += [f"- udca less {other}: {apart('udca', other)}" for other in others if other in means]
    pairs = [(name, f"{name}, {LEFT_IN}") for name in means if f"{name}, {LEFT_IN}" in means]
    said += [f"- {name}: undoing lag wins {apart(name, left)}" for name, left in pairs]
    return said
