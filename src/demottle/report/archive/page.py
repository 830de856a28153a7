"""One page and one table about an archive: what came of thousands of series, the odd ones first."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from markupsafe import Markup

from demottle.report.archive import plots
from demottle.report.archive.summary import (
    DONE,
    FAILED,
    Entry,
    Group,
    Outlier,
    against_usual,
    courses_of,
    groups_of,
    outliers_of,
    quartiles,
    reasons_of,
    tissue_of,
)
from demottle.report.page import environment_and_style, write_whole
from demottle.report.words import Card, signed

_OUTLIERS, _GROUPS, _REASONS, _ROWS = 40, 40, 20, 300
"""Rows of the page's tables; the table beside it holds everything."""


@dataclass(frozen=True)
class Facts:
    """What is told of a run beside its series.

    Attributes:
        archive: name of the data set.
        run: name of the run.
        verb: what was done.
        waiting: series that are not yet done.
        command: that goes on with it, or gives the page again.
        alone: series that the plan leaves alone, by reason.
    """

    archive: str
    run: str
    verb: str
    waiting: int = 0
    command: str = ""
    alone: Mapping[str, int] = field(default_factory=dict)


def write_archive_report(entries: Sequence[Entry], facts: Facts, path: Path) -> Path:
    """Write the page, and beside it a table of all series (NAME.csv); return the table's name.

    Raises:
        OutputError: they cannot be written.
    """
    table = path.with_suffix(".csv")
    tissue = tissue_of(entries)
    odd = outliers_of(entries, tissue)
    write_whole(_csv(entries, odd), table)
    groups, reasons = groups_of(entries, tissue), reasons_of(entries)
    drawn = _drawn(entries, odd, groups, tissue)
    environment, css = environment_and_style()
    environment.filters["signed"] = signed
    page = environment.get_template("archive/page.html.j2").render(
        css=css,
        facts=facts,
        count=Counter(one.state for one in entries),
        total=len(entries),
        cards=_cards(entries, tissue, odd),
        outliers=odd[:_OUTLIERS],
        more_outliers=max(len(odd) - _OUTLIERS, 0),
        reasons=reasons[:_REASONS],
        alone=sorted(facts.alone.items(), key=lambda one: -one[1])[:_REASONS],
        groups=groups[:_GROUPS],
        more_groups=max(len(groups) - _GROUPS, 0),
        tissue=tissue,
        plots=[(title, about, Markup(svg)) for title, about, svg in drawn if svg],
        rows=_first(entries, odd),
        more=max(len(entries) - _ROWS, 0),
        table=table.name,
        finite=isfinite,
    )
    write_whole(page, path)
    return table


def _drawn(
    entries: Sequence[Entry], odd: Sequence[Outlier], groups: Sequence[Group], tissue: str
) -> list[tuple[str, str, str]]:
    """Title, what it is, and SVG of every plot; an empty SVG where there is nothing to draw."""
    unit = next((one.unit for one in groups if one.unit), "")
    noise = courses_of(entries, against_usual(entries))
    left = courses_of(entries, lambda one: 1 + one.change)
    moved = courses_of(entries, lambda one: one.shifts.get(tissue, float("nan")))
    usual = "Median of a month, by the date of the scan; 100 % is the median of a scanner and protocol, so that drift shows."
    return [
        ("Noise before and after", "A dot for each series.", plots.noise_plot(entries, odd, unit)),
        ("CT numbers", f"Of {sum(bool(one.shifts) for one in entries):,} series.", plots.tissue_plot(entries, unit)),
        ("Noise before, over the months", usual, plots.course_plot("noise course", noise, "% of what is usual", 100)),
        (
            "Noise left, over the months",
            "Median of a month.",
            plots.course_plot("left course", left, "% of the noise before", 100),
        ),
        (
            f"{tissue.capitalize()}, over the months",
            "Median of a month: mean after minus mean before.",
            plots.course_plot("shift course", moved, unit or "a.u.", zero=True),
        ),
        (
            "Noise by scanner and protocol",
            "The largest groups. Dot: median, bar: half of the series.",
            plots.group_plot(groups, unit),
        ),
    ]


def _first(entries: Sequence[Entry], odd: Sequence[Outlier]) -> list[Entry]:
    """Rows of the page's table: failures first, then what is odd, then the others in their order."""
    strange = {id(one.entry) for one in odd}
    return sorted(entries, key=lambda one: (one.state != FAILED, id(one) not in strange))[:_ROWS]


def _cards(entries: Sequence[Entry], tissue: str, odd: Sequence[Outlier]) -> list[Card]:
    """The headlines."""
    count = Counter(one.state for one in entries)
    failed, seconds = count[FAILED], sum(one.seconds for one in entries if isfinite(one.seconds))
    made = [
        Card("done", f"{count[DONE]:,}", f"of {len(entries):,} series", "plain"),
        Card("failed", f"{failed:,}", f"{100 * failed / max(len(entries), 1):.1f} %", "warn" if failed else "good"),
    ]
    change, before, after = (
        quartiles(getattr(one, name) for one in entries)[1] for name in ("change", "before", "after")
    )
    unit = next((one.unit for one in entries if one.unit), "")
    if isfinite(change):
        made.append(
            Card("noise", f"{signed(100 * change, 0)} %", f"median; {before:.1f} to {after:.1f} {unit}", "plain")
        )
    elif isfinite(before):
        made.append(Card("noise", f"{before:.1f} {unit}", "median", "plain"))
    low, middle, high = quartiles(one.shifts.get(tissue, float("nan")) for one in entries)
    if isfinite(middle):
        span = f"median; half of them {signed(low, 2)} to {signed(high, 2)}"
        made.append(Card(tissue, f"{signed(middle, 2)} {unit}", span, "plain"))
    made.append(Card("unlike their like", f"{len(odd):,}", "series, listed below", "warn" if odd else "good"))
    shared = sum(one.shared for one in entries)
    detail = f"{shared:,} with a shared network" if shared else "of all series together"
    made.append(Card("computing", f"{seconds / 3600:,.1f} h", detail, "plain"))
    return made


def _csv(entries: Sequence[Entry], odd: Sequence[Outlier]) -> str:
    """All series, in their order; no cell begins a formula in a spreadsheet."""
    why = {id(one.entry): one.why for one in odd}
    tissues = list(dict.fromkeys(name for one in entries for name in one.shifts))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = (
        "name",
        "state",
        "scanner",
        "protocol",
        "month",
        "gate",
        "unit",
        "before",
        "after",
        "change",
        "seconds",
        "shared",
    )
    writer.writerow(
        [
            *("series" if name == "name" else name for name in names),
            *(f"shift {one}" for one in tissues),
            "unlike",
            "page",
            "reason",
        ]
    )
    for one in entries:
        values = [getattr(one, name) for name in names]
        shifts = [one.shifts.get(name, float("nan")) for name in tissues]
        writer.writerow(map(_cell, [*values, *shifts, why.get(id(one), ""), one.page, one.reason]))
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else ""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
