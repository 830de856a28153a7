"""The plots of an archive's page."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from demottle.report.archive.summary import Course, Entry, Group, Outlier, quartiles
from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, TEXT, WARN, drawing, legend_above, svg_of

_POINTS = 1200  # more than this would make the page large and show no more
_FEW = 200
_GROUPS = 14
_SCANNER = 24  # letters of a name
_COLORS = (AFTER, BEFORE, REMOVED, "#7fb2ff", "#d7d06a")


def noise_plot(entries: Sequence[Entry], outliers: Sequence[Outlier], unit: str) -> str:
    """Noise after against noise before, a point for each series; those that are odd are marked."""
    known = [
        one for one in entries if isfinite(one.before) and isfinite(one.after) and one.before > 0 and one.after > 0
    ]
    if len(known) < 2:
        return ""
    chosen = np.random.default_rng(0).permutation(len(known))[:_POINTS]
    odd = [one.entry for one in outliers if isfinite(one.entry.after) and one.entry.before > 0][:200]
    with drawing("archive noise") as (figure, axes):
        before, after = ([getattr(known[n], name) for n in chosen] for name in ("before", "after"))
        axes.plot(before, after, ".", color=AFTER, ms=3.5 if len(chosen) > _FEW else 8, alpha=0.7)
        axes.plot(
            [one.before for one in odd],
            [one.after for one in odd],
            "o",
            mfc="none",
            color=WARN,
            ms=6,
            label="unlike its like",
        )
        most = max(one.before for one in known)
        axes.plot([0, most], [0, most], color=FAINT, lw=1, label="unchanged")
        axes.set_xlim(0)
        axes.set_ylim(0)
        axes.set_xlabel(f"noise before ({unit})" if unit else "noise before")
        axes.set_ylabel("noise after")
        legend_above(axes)
        return svg_of(figure)


def group_plot(groups: Sequence[Group], unit: str) -> str:
    """Median and quartiles of the noise before and after, by scanner and protocol."""
    shown = [one for one in groups if isfinite(one.before[1])][:_GROUPS]
    if not shown:
        return ""
    with drawing("archive groups", height=1.1 + 0.34 * len(shown)) as (figure, axes):
        for values, color, name, aside in (("before", BEFORE, "before", -0.14), ("after", AFTER, "after", 0.14)):
            for place, group in enumerate(shown):
                low, middle, high = getattr(group, values)
                if isfinite(middle):
                    axes.plot([low, high], [place + aside] * 2, color=color, lw=3, solid_capstyle="round")
                    axes.plot(middle, place + aside, "o", color=color, ms=6, label=name if place == 0 else None)
        axes.set_yticks(range(len(shown)), [_named(one) for one in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, 1.05 * axes.dataLim.x1)  # a dot at the end is whole
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"noise ({unit})" if unit else "noise")
        if any(isfinite(one.after[1]) for one in shown):
            legend_above(axes)
        return svg_of(figure)


def _named(group: Group) -> str:
    parts = _short(group.scanner, _SCANNER), _short(group.protocol, _SCANNER)
    return " · ".join(part for part in parts if part) or "not said"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def tissue_plot(entries: Sequence[Entry], unit: str) -> str:
    """How CT numbers moved: median, half and 90 % of the series, by tissue."""
    names = list(dict.fromkeys(name for one in entries for name in one.shifts))
    values = {
        name: [one.shifts[name] for one in entries if isfinite(one.shifts.get(name, float("nan")))] for name in names
    }
    shown = [name for name in names if len(values[name]) > 1]
    if not shown:
        return ""
    with drawing("archive tissues", height=1.1 + 0.34 * len(shown)) as (figure, axes):
        axes.axvline(0, color=FAINT, lw=1)
        for place, name in enumerate(shown):
            low, middle, high = quartiles(values[name])
            least, most = np.percentile(values[name], [5, 95])
            axes.plot([least, most], [place, place], color=AFTER, lw=1.2)
            axes.plot([low, high], [place, place], color=AFTER, lw=4, solid_capstyle="round")
            axes.plot(middle, place, "o", color=TEXT, ms=5)
        axes.set_yticks(range(len(shown)), [f"{name} ({len(values[name])})" for name in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"mean after − mean before ({unit or 'a.u.'}); bar: half, line: 90 % of the series")
        return svg_of(figure)


def course_plot(name: str, courses: Sequence[Course], label: str, scale: float = 1.0, zero: bool = False) -> str:
    """How something went over the months: medians, a line for each scanner.

    Args:
        name: one that no other plot of the page has.
        courses: what is drawn.
        label: of the vertical axis.
        scale: that values are multiplied by.
        zero: mark 0.
    """
    if not courses:
        return ""
    months = sorted({month for one in courses for month in one.months})
    with drawing(f"archive {name}") as (figure, axes):
        if zero:
            axes.axhline(0, color=FAINT, lw=1)
        for one, color in zip(courses, _COLORS, strict=False):
            places = [months.index(month) for month in one.months]
            medians = [scale * middle for _, middle, _ in one.quartiles]
            axes.plot(places, medians, "o-", color=color, lw=1.6, ms=3.5, label=_short(one.scanner, _SCANNER))
        step = max(1, -(-len(months) // 7))
        axes.set_xticks(range(0, len(months), step), months[::step])
        axes.set_ylabel(label)
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.99), ncols=2, labelcolor=TEXT, borderaxespad=0.2)
        axes.get_legend().set_in_layout(False)
        figure.get_layout_engine().set(rect=(0, 0, 1, 0.85))
        return svg_of(figure)
