"""One page about many cases: each figure by case and method, means with spread, and what differs between methods."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

import numpy as np
from markupsafe import Markup

from demottle.quality.cohort import INPUT, Case, Pairing, Summary
from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, TEXT, WARN, drawing, svg_of
from demottle.report.page import environment_and_style, write_whole
from demottle.report.words import figure_in_digits

_COLORS = (AFTER, REMOVED, WARN, "#7fb2ff", "#d7d06a")


def write_cohort_page(
    cases: Sequence[Case],
    means: Sequence[Summary],
    tests: Sequence[Pairing],
    failed: Sequence[Mapping[str, str]],
    path: Path,
) -> None:
    """Write one self-contained page.

    Args:
        cases: the figures of each case under each method.
        means, tests: `demottle.quality.cohort` of them.
        failed: mappings of `case` and `reason`, for cases that could not be measured.
        path: the page; appears only when complete.

    Raises:
        OutputError: where the page cannot be written.
    """
    environment, css = environment_and_style()
    methods = list(dict.fromkeys(row.method for row in means))
    rows = [
        (name, unit, [next((m for m in means if (m.figure, m.method) == (name, method)), None) for method in methods])
        for name, unit in dict.fromkeys((row.figure, row.unit) for row in means)
    ]
    environment.filters["digits"] = figure_in_digits
    page = environment.get_template("cohort.html.j2").render(
        css=css,
        methods=methods,
        rows=rows,
        tests=tests,
        failed=failed,
        count=len({case.case for case in cases}),
        plots=[(name, unit, Markup(cases_plot(cases, name, unit))) for name, unit, _ in rows if _worth(cases, name)],
    )
    write_whole(page, path)


def cases_plot(cases: Sequence[Case], figure: str, unit: str) -> str:
    """Draw one figure for every case, a line of points for each method, the input's faint."""
    names = list(dict.fromkeys(case.case for case in cases))
    with drawing(f"cases {figure}") as (drawn, axes):
        series = {INPUT: {c.case: f.before for c in cases for f in c.figures if f.name == figure}}
        for case in cases:
            value = next((f.after for f in case.figures if f.name == figure), float("nan"))
            series.setdefault(case.method, {})[case.case] = value
        for (method, values), color in zip(series.items(), (BEFORE, *_COLORS * len(series)), strict=False):
            points = np.array([values.get(name, np.nan) for name in names])
            if np.isfinite(points).any():
                axes.plot(range(len(names)), points, "o-", color=color, ms=5, lw=1, label=method)
        axes.axhline(0, color=FAINT, lw=0.8) if min(axes.get_ylim()) < 0 < max(axes.get_ylim()) else None
        axes.set_xticks(range(len(names)), names if len(names) <= 12 else [""] * len(names), rotation=20, ha="right")
        axes.set_ylabel(unit or "")
        axes.legend(loc="best", labelcolor=TEXT)
        return svg_of(drawn)


def _worth(cases: Sequence[Case], name: str) -> bool:
    known = [f.after for case in cases for f in case.figures if f.name == name and isfinite(f.after)]
    return len(known) > 1 and max(known) > min(known)
