"""Tables over many cases: mean and spread for each method, and what differs between methods."""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import CAREFUL, number

if TYPE_CHECKING:
    from demottle.quality.cohort import Case, Pairing, Summary

_NAME = 26
_GAP = 2


def show_cohort(cases: "Sequence[Case]", means: "Sequence[Summary]", tests: "Sequence[Pairing]") -> None:
    """Show one line for each figure, one column for each method; then the paired tests."""
    methods = list(dict.fromkeys(row.method for row in means))
    count = len({case.case for case in cases})
    heading("Mean ± standard deviation", f"over {count} case{'s' if count != 1 else ''}")
    figures = list(dict.fromkeys((row.figure, row.unit) for row in means))
    found = {(row.figure, row.method): row for row in means}
    columns = {m: [_mean(found.get((name, m)), count) for name, _ in figures] for m in methods}
    for shown in _fitting(columns):
        table = _table("", *shown)
        for place, (name, unit) in enumerate(figures):
            table.add_row(Text(_named(name, unit)), *(columns[method][place] for method in shown))
        out.print(table)
    _show_tests(tests, [m for m in methods if m != "input"])


def _fitting(columns: dict[str, list[str]]) -> list[list[str]]:
    """Columns in groups that fit side by side; a table that is too wide would lose its last ones without a word."""
    groups: list[list[str]] = [[]]
    used = _NAME
    for name, cells in columns.items():
        width = max(map(len, [name, *cells])) + _GAP
        if groups[-1] and used + width > out.width:
            groups.append([])
            used = _NAME
        groups[-1].append(name)
        used += width
    return groups


def _show_tests(tests: "Sequence[Pairing]", methods: Sequence[str]) -> None:
    if len(methods) < 2:
        return
    if not tests:
        heading("Between methods", "no tests: fewer than three cases are shared")
        return
    for first, second in dict.fromkeys((row.first, row.second) for row in tests):
        heading(f"{first} − {second}", f"paired, same cases; p after Holm over {len(tests)} tests of each kind")
        table = _table("", "difference", "95 % interval", "p (t)", "p (ranks)")
        most = max(row.cases for row in tests)
        for row in tests:
            if (row.first, row.second) != (first, second):
                continue
            places = _places(max(abs(row.difference), abs(row.ci_high - row.ci_low) / 2))
            table.add_row(
                Text(_named(row.figure, row.unit) + (f" (n={row.cases})" if row.cases < most else "")),
                number(row.difference, places, sign=True),
                f"{number(row.ci_low, places, sign=True)} to {number(row.ci_high, places, sign=True)}",
                _p(row.p_t_holm),
                _p(row.p_wilcoxon_holm),
            )
        out.print(table)
    if any(not isfinite(row.p_wilcoxon) for row in tests):
        out.print("  Ranks (Wilcoxon's test) need six cases or more to find anything.", style="dim")


def _mean(row: "Summary | None", count: int) -> str:
    if row is None:
        return "-"
    places = _places(row.deviation if isfinite(row.deviation) and row.deviation > 0 else row.mean)
    spread = f" ± {number(row.deviation, places)}" if isfinite(row.deviation) else ""
    fewer = f" (n={row.cases})" if row.cases < count else ""
    return f"{number(row.mean, places)}{spread}{fewer}"


def _places(scale: float) -> int:
    """Decimals that show two digits of a figure of this size."""
    size = abs(scale)
    return 1 if not isfinite(size) or size >= 0.95 else 2 if size >= 0.095 else 3 if size >= 0.0095 else 4


def _p(value: float) -> Text:
    if not isfinite(value):
        return Text("-")
    return Text("<0.001" if value < 0.001 else f"{value:.3f}", style=CAREFUL if value < 0.05 else "")


def _named(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit and unit not in name else name


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False)
    for place, name in enumerate(columns):
        first = place == 0
        table.add_column(
            name,
            justify="left" if first else "right",
            overflow="fold",
            no_wrap=not first,
            min_width=_NAME if first else None,
        )
    return table
