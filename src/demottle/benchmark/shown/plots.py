"""Plots of a benchmark's page: each figure by entrant and group with its interval, and quality against time."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from demottle.benchmark.engine.entrants import INPUT
from demottle.benchmark.engine.results import Row
from demottle.benchmark.shown import tables
from demottle.benchmark.shown.figures import COST, Kind
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
    """Draw a figure against seconds for the whole scan, both as means over all cases.

    An interval is drawn only where these are of one group: cases of several differ by more than chance.
    """
    one_group = len({row["group"] for row in rows}) == 1
    bounds = {row["entrant"] for row in rows if row["sees_truth"]}
    points: dict[str, tuple[float, float]] = {}
    with drawing(f"benchmark time {kind.key}") as (figure, axes):
        for name in names:
            x, y = tables.over(rows, name, _SECONDS), tables.over(rows, name, kind)
            if name == INPUT or not (x.cases and y.cases):
                continue
            color = FAINT if name in bounds else AFTER
            if one_group and math.isfinite(y.half):
                axes.plot([x.mean, x.mean], [y.mean - y.half, y.mean + y.half], color=color, lw=1.2)
            axes.plot(x.mean, y.mean, "o", color=color, ms=5)
            points[name] = x.mean, y.mean
        axes.set_xscale("log")
        axes.margins(x=0.18)
        _tell_plainly(axes.xaxis)
        _name_points(figure, axes, points)
        axes.set_xlabel("seconds for a scan, learning included")
        axes.set_ylabel(kind.named(unit))
        return svg_of(figure)


def _name_points(figure: Any, axes: Any, points: Mapping[str, tuple[float, float]]) -> None:
    """Write the names beside their points, each where it covers the least of other names and points."""
    to_points = 72 / figure.dpi
    at = {name: axes.transData.transform(point) * to_points for name, point in points.items()}
    taken = [_Box(x - 3, y - 3, x + 3, y + 3) for x, y in at.values()]
    right = axes.bbox.x1 * to_points
    for name, (x, y) in at.items():
        wide = 4.7 * len(name)
        boxes = {
            (side, up): _Box(x + 5, y + up, x + 5 + wide, y + up + 9)
            if side == "left"
            else _Box(x - 5 - wide, y + up, x - 5, y + up + 9)
            for up in (3, -12, -4, 12, -21, 21, -30)
            for side in ("left", "right")
        }
        (side, up), box = min(
            boxes.items(), key=lambda one: sum(one[1].shares(other) for other in taken) + (one[1].x1 > right)
        )
        taken.append(box)
        axes.annotate(
            name,
            points[name],
            (5 if side == "left" else -5, up),
            textcoords="offset points",
            fontsize=8,
            color=TEXT,
            ha=side,
        )


class _Box(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float

    def shares(self, other: "_Box") -> bool:
        """Whether both cover a place."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1


def _tell_plainly(axis: Any) -> None:
    """Ticks of a logarithmic axis at 1, 2, 5, 10, ..., as plain numbers; at any even ones where less than a decade is shown."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 8 * low else MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _clip_to_points(axes: Any, rows: Sequence[Row], names: Sequence[str], kind: Kind) -> None:
    """Intervals of few cases can be huge: show the points, and of the intervals what fits."""
    points = [kind.of(row) for row in rows if row["entrant"] in names]
    known = np.array([point for point in points if point is not None], np.float64)
    if known.size:
        low, high = float(known.min()), float(known.max())
        pad = 0.08 * (high - low) or 1.0
        axes.set_xlim(low - pad, high + pad)
