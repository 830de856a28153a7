"""Plots of a benchmark's page: each figure by entrant and group with its interval, and quality against time."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from demottle.benchmark import tables
from demottle.benchmark.entrants import INPUT
from demottle.benchmark.figures import COST, Kind
from demottle.benchmark.results import Row
from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, TEXT, WARN, drawing, legend_above, svg_of

_COLORS = (AFTER, REMOVED, BEFORE, "#7fb2ff", "#d7d06a", WARN)
_SECONDS = next(kind for kind in COST if kind.key == "seconds")


def by_group(rows: Sequence[Row], names: Sequence[str], kind: Kind, unit: str) -> str:
    """Draw the mean of a figure with its 95 % interval, a row for each entrant, a color for each group."""
    groups = sorted({row["group"] for row in rows})
    with drawing(f"benchmark {kind.key}", height=max(2.0, 0.3 * len(names) + 1.0)) as (figure, axes):
        for place, group in enumerate(groups):
            color, offset = _COLORS[place % len(_COLORS)], (place - (len(groups) - 1) / 2) * 0.7 / max(len(groups), 1)
            for line, name in enumerate(names):
                mean = tables.over(rows, name, kind, group)
                if mean.cases:
                    y = line + offset
                    if math.isfinite(mean.half):
                        axes.plot([mean.mean - mean.half, mean.mean + mean.half], [y, y], color=color, lw=1.6)
                    axes.plot(mean.mean, y, "o", color=color, ms=4)
            axes.plot([], [], "o", color=color, ms=4, label=group)
        _clip_to_points(axes, rows, names, kind)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(kind.named(unit))
        legend_above(axes)
        return svg_of(figure)


def against_time(rows: Sequence[Row], names: Sequence[str], kind: Kind, unit: str) -> str:
    """Draw a figure against seconds for the whole scan, both as means over all cases."""
    bounds = {row["entrant"] for row in rows if row["sees_truth"]}
    with drawing(f"benchmark time {kind.key}") as (figure, axes):
        for name in names:
            x, y = tables.over(rows, name, _SECONDS), tables.over(rows, name, kind)
            if name == INPUT or not (x.cases and y.cases):
                continue
            color = FAINT if name in bounds else AFTER
            if math.isfinite(y.half):
                axes.plot([x.mean, x.mean], [y.mean - y.half, y.mean + y.half], color=color, lw=1.2)
            axes.plot(x.mean, y.mean, "o", color=color, ms=5)
            axes.annotate(name, (x.mean, y.mean), (5, 4), textcoords="offset points", fontsize=8, color=TEXT)
        axes.set_xscale("log")
        axes.margins(x=0.18)
        axes.set_xlabel("seconds for a scan, learning included")
        axes.set_ylabel(kind.named(unit))
        return svg_of(figure)


def _clip_to_points(axes: Any, rows: Sequence[Row], names: Sequence[str], kind: Kind) -> None:
    """Intervals of few cases can be huge: show the points, and of the intervals what fits."""
    points = [kind.of(row) for row in rows if row["entrant"] in names]
    known = np.array([point for point in points if point is not None], np.float64)
    if known.size:
        low, high = float(known.min()), float(known.max())
        pad = 0.08 * (high - low) or 1.0
        axes.set_xlim(low - pad, high + pad)
