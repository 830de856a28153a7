"""What `demottle benchmark` shows: quality by group, comparisons with the rival, cost, and what failed."""

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from demottle.cli.console import heading, out, say, say_error
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.benchmark.results import Results
    from demottle.benchmark.suites import Suite

SHOWN = ("psnr", "rmse", "ssim", "dprime", "contrast_faint", "f50", "nps_shift", "psnr_wire", "lag")
"""What fits a terminal; the page has everything."""


def show_suite(results: "Results", suite: "Suite", rival: str | None) -> None:
    """Print the tables of a suite."""
    from demottle.benchmark import tables
    from demottle.benchmark.figures import COST, QUALITY

    rows = tables.done(results.rows, suite.name)
    names, groups = tables.names(rows), list(dict.fromkeys(row["group"] for row in rows))
    for group in groups:
        inside = [row for row in rows if row["group"] == group]
        count = len({row["seed"] for row in inside})
        heading(f"{suite.name}, {group}", f"{counted(count, 'case')}; ±: half of the 95 % interval of the mean")
        kinds = [k for k in QUALITY if k.key in SHOWN and any(k.of(row) is not None for row in inside)]
        table = _table(["", *(f"{kind.title} {kind.unit}".strip() for kind in kinds)])
        for name in names:
            if any(row["entrant"] == name for row in inside):
                table.add_row(name, *(tables.told(tables.over(inside, name, kind), kind) for kind in kinds))
        out.print(table)
    if rows:
        against = "" if rival is None else f"ratios to {rival} on the same cases"
        heading("Cost", against)
        table = _table(
            ["", *(f"{kind.title} {kind.unit}" for kind in COST if _known(rows, kind)), "time", "memory", "RMSE"]
        )
        by = {kind.key: kind for kind in (*QUALITY, *COST)}
        for name in names:
            cells = [tables.told(tables.over(rows, name, kind), kind) for kind in COST if _known(rows, kind)]
            shares = ["–"] * 3
            if rival is not None:
                shares = [
                    tables.told_ratio(tables.ratio(rows, name, rival, by[key]))
                    for key in ("seconds", "peak_mib", "rmse")
                ]
            table.add_row(name, *cells, *shares)
        out.print(table)
    _show_tests(rows, rival)
    failed = tables.failures(results.rows, suite.name)
    if failed:
        say("")
        say_error(f"{sum(len(cases) for *_, cases in failed)} of {len(rows) + sum(len(c) for *_, c in failed)} failed:")
        for entrant, reason, cases in failed:
            say(f"  {entrant} ({counted(len(cases), 'case')}): {reason}", style="red")


def as_plain(results: "Results", suite: "Suite", rival: str | None) -> dict[str, Any]:
    """Everything as plain values."""
    from demottle.benchmark import tables
    from demottle.benchmark.figures import COST, QUALITY
    from demottle.quality.plain import plain

    rows = tables.done(results.rows, suite.name)
    groups = list(dict.fromkeys(row["group"] for row in rows))
    means = [
        {"group": group, "entrant": name, "figure": kind.key, **vars(tables.over(rows, name, kind, group))}
        for group in groups
        for name in tables.names(rows)
        for kind in (*QUALITY, *COST)
        if tables.over(rows, name, kind, group).cases
    ]
    failed = [{"entrant": e, "reason": r, "cases": c} for e, r, c in tables.failures(results.rows, suite.name)]
    paired = [] if rival is None else tables.tests(rows, rival)
    told: dict[str, Any] = plain(
        {
            "suite": suite.name,
            "rival": rival,
            "means": means,
            "paired_tests": paired,
            "failed": failed,
            "runs": results.runs,
        }
    )
    return told


def _show_tests(rows: list[dict[str, Any]], rival: str | None) -> None:
    from demottle.benchmark import tables

    found = [] if rival is None else tables.tests(rows, rival)
    if not found:
        return
    heading(f"Less {rival}, on the same cases", "mean difference, 95 % interval, p of Student's t after Holm")
    table = _table(["", "figure", "cases", "difference", "95 % interval", "p"])
    for one in found:
        interval = f"{one.ci_low:+.3g} to {one.ci_high:+.3g}"
        p = "<0.001" if one.p_t_holm < 0.001 else f"{one.p_t_holm:.3f}"
        style = "bold" if one.p_t_holm < 0.05 else ""
        table.add_row(
            one.first,
            f"{one.figure} {one.unit}".strip(),
            str(one.cases),
            f"{one.difference:+.3g}",
            interval,
            Text(p, style),
        )
    out.print(table)


def _known(rows: list[dict[str, Any]], kind: Any) -> bool:
    return any(kind.of(row) is not None for row in rows)


def _table(columns: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(column, style="bold" if place == 0 else "", justify="left" if place == 0 else "right")
    return table
