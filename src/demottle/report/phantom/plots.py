"""The curves of a phantom's page."""

from math import isfinite
from typing import Any

import numpy as np

from demottle.quality.phantoms.history import Chart
from demottle.quality.phantoms.measured import Examined, Measured
from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, TEXT, WARN, drawing, legend_above, svg_of

_COLORS = ("#e3a857", "#5cc8b4", "#9a93e8", "#ef7d6b", "#7fb2ff", "#d7d06a", "#c78fd6", "#8fd694", "#d69b8f", "#8fa7d6")
_MOST_DATES = 8


def plots_of(examined: Examined) -> list[tuple[str, str]]:
    """(title, SVG) of every curve that there is."""
    pair = [(examined.before, "before", BEFORE)]
    if examined.after is not None:
        pair.append((examined.after, "after", AFTER))
    made = [
        ("Sharpness of each rod (TTF)", _sharpness(examined.before, examined.after)),
        ("Noise power spectrum", _spectrum(pair)),
        ("Slice profile from the ramps", _slice(pair)),
        ("Line pairs", _bars(pair)),
        ("CT numbers against nominal", _numbers(pair)),
    ]
    return [(title, svg) for title, svg in made if svg]


def _sharpness(before: Measured, after: Measured | None) -> str:
    edges = [rod for rod in before.rods if rod.edge is not None]
    if not edges:
        return ""
    later = {rod.rod.name: rod.edge for rod in after.rods} if after else {}
    with drawing("phantom ttf") as (figure, axes):
        for rod, color in zip(edges, _COLORS * 2, strict=False):
            assert rod.edge is not None
            axes.plot(rod.edge.frequency, rod.edge.ttf, color=color, lw=1.6, label=rod.rod.name)
            other = later.get(rod.rod.name)
            if other is not None:
                axes.plot(other.frequency, other.ttf, color=color, lw=1.6, ls=(0, (4, 2)))
        axes.set_xlim(0, edges[0].edge.frequency[-1] if edges[0].edge else None)
        axes.set_ylim(0, 1.05)
        axes.set_xlabel("spatial frequency (1/mm)" + ("; dashed: after" if later else ""))
        axes.set_ylabel("TTF")
        axes.legend(loc="upper right", ncols=2, labelcolor=TEXT)
        return svg_of(figure)


def _spectrum(pair: list[tuple[Measured, str, str]]) -> str:
    known = [(m.uniformity.nps, name, color) for m, name, color in pair if m.uniformity and m.uniformity.nps]
    if not known:
        return ""
    with drawing("phantom nps") as (figure, axes):
        for nps, name, color in known:
            axes.plot(nps.frequency[1:], nps.density[1:], color=color, lw=2, label=name)
        axes.set_xlim(0, known[0][0].frequency[-1])
        axes.set_ylim(0)
        axes.set_xlabel("spatial frequency (1/mm)")
        axes.set_ylabel("noise power (HU² mm²)")
        _name(axes, len(pair))
        return svg_of(figure)


def _slice(pair: list[tuple[Measured, str, str]]) -> str:
    if not any(m.ramps for m, _, _ in pair):
        return ""
    with drawing("phantom ramps") as (figure, axes):
        reach = 1.0
        for measured, name, color in pair:
            for number, ramp in enumerate(measured.ramps):
                label = name if number == 0 else None
                axes.plot(ramp.position - _middle(ramp), ramp.profile, color=color, lw=1.2, alpha=0.8, label=label)
                reach = max(reach, 2.5 * ramp.thickness)
        axes.axhline(0.5, color=FAINT, lw=0.8)
        axes.set_xlim(-reach, reach)
        axes.set_xlabel("along the slice's normal (mm); one curve for each ramp")
        axes.set_ylabel("sensitivity")
        _name(axes, len(pair))
        return svg_of(figure)


def _middle(ramp: Any) -> float:
    high = ramp.profile > 0.5
    return float(ramp.position[high].mean())


def _bars(pair: list[tuple[Measured, str, str]]) -> str:
    if not any(m.line_pairs for m, _, _ in pair):
        return ""
    with drawing("phantom bars") as (figure, axes):
        for measured, name, color in pair:
            if measured.line_pairs:
                x = [group.per_cm for group in measured.line_pairs]
                axes.plot(
                    x, [group.modulation for group in measured.line_pairs], "o-", color=color, lw=1.6, ms=5, label=name
                )
        axes.axhline(0.5, color=FAINT, lw=0.8)
        axes.axhline(0.1, color=FAINT, lw=0.8)
        axes.set_ylim(0, 1.1)
        axes.set_xlabel("line pairs per cm")
        axes.set_ylabel("modulation of bars")
        _name(axes, len(pair))
        return svg_of(figure)


def _numbers(pair: list[tuple[Measured, str, str]]) -> str:
    rods = pair[0][0].rods
    if not rods:
        return ""
    with drawing("phantom numbers") as (figure, axes):
        for place, one in enumerate(rods):
            if isfinite(one.rod.low):
                low, high = one.rod.low - one.rod.hu, one.rod.high - one.rod.hu
                axes.plot([low, high], [place, place], color=REMOVED, lw=6, alpha=0.35, solid_capstyle="butt")
        for measured, name, color in pair:
            places = {one.rod.name: place for place, one in enumerate(rods)}
            shown = [one for one in measured.rods if one.rod.name in places]
            axes.plot(
                [one.hu - one.rod.hu for one in shown],
                [places[one.rod.name] for one in shown],
                "o",
                color=color,
                ms=5,
                label=name,
            )
        axes.axvline(0, color=FAINT, lw=0.8)
        axes.set_yticks(range(len(rods)), [one.rod.name for one in rods])
        axes.set_ylim(len(rods) - 0.5, -0.5)
        axes.grid(False, axis="y")
        axes.set_xlabel("HU from nominal; bars: the stated range")
        _name(axes, len(pair))
        return svg_of(figure)


def _name(axes: Any, count: int) -> None:
    if count > 1:
        legend_above(axes)


def control_chart(chart: Chart) -> str:
    """One figure over time with its limits; points beyond them are marked."""
    with drawing(f"chart {chart.group} {chart.figure}", 2.4) as (figure, axes):
        x = np.arange(len(chart.values))
        axes.plot(x, chart.values, "o-", color=AFTER, ms=4.5, lw=1)
        outside = list(chart.outside)
        if outside:
            axes.plot(x[outside], np.array(chart.values)[outside], "o", color=WARN, ms=7)
        if isfinite(chart.middle):
            axes.axhline(chart.middle, color=TEXT, lw=0.8)
            for level in (chart.low, chart.high):
                axes.axhline(level, color=REMOVED, lw=1, ls=(0, (4, 2)))
        step = max(1, -(-len(x) // _MOST_DATES))
        axes.set_xticks(x[::step], [chart.dates[i] for i in x[::step]], rotation=20, ha="right")
        axes.set_xlim(-0.5, len(x) - 0.5)
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.set_ylabel(chart.unit)
        return svg_of(figure)
