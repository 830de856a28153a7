"""What `demottle benchmark` shows: quality by group, comparisons with the rival, cost, and what failed."""

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out, say, say_error
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.benchmark.engine.results import Results
    from demottle.benchmark.suites.catalog import Suite

SHOWN = ("ldct_psnr", "ldct_ssim", "ldct_rmse", "psnr", "rmse", "dprime", "contrast_faint", "psnr_wire", "bias_dark")
"""What fits a terminal; the page has everything."""
COST_HEADS = {"seconds": "scan s", "per_slice": "slice s", "peak_mib": "MiB", "joules": "J"}
HEADS = {"contrast_faint": "faint %", "psnr_wire": "wires dB"}


def show_suite(results: "Results", suite: "Suite", rival: str | None) -> None:
    """Print the tables of a suite."""
    from demottle.benchmark.shown import tables

    rows = tables.done(results.rows, suite.name)
    names = tables.names(rows)
    for group in dict.fromkeys(row["group"] for row in rows):
        _show_quality(suite, group, [row for row in rows if row["group"] == group], names)
    if rows:
        _show_cost(rows, names, rival)
    _show_tests(rows, rival, suite.unit)
    for row in rows:
        if missed := row.get("said", {}).get("missed"):
            say(f"Missed, {tables.case_of(row)}: {missed}", style="yellow")
    failed = tables.failures(results.rows, suite.name)
    if failed:
        count = sum(len(cases) for *_, cases in failed)
        say("")
        say_error(f"{count} of {len(rows) + count} failed:")
        for entrant, reason, cases in failed:
            say(f"  {entrant} ({counted(len(cases), 'case')}): {reason}", style="red")


def _show_quality(suite: "Suite", group: str, rows: list[dict[str, Any]], names: list[str]) -> None:
    from demottle.benchmark.shown import tables
    from demottle.benchmark.shown.figures import QUALITY

    heading(f"{suite.name}, {group}", tables.heading(len({row["seed"] for row in rows})))
    kinds = [kind for kind in QUALITY if (suite.own or kind.key in SHOWN) and _known(rows, kind)]
    table = _table(["", *(HEADS.get(kind.key, kind.named(suite.unit)) for kind in kinds)])
    for name in names:
        if any(row["entrant"] == name for row in rows):
            table.add_row(name, *(tables.told(tables.over(rows, name, kind), kind) for kind in kinds))
    out.print(table)


def _show_cost(rows: list[dict[str, Any]], names: list[str], rival: str | None) -> None:
    """Ratios without their intervals, which are on the page."""
    from demottle.benchmark.shown import tables
    from demottle.benchmark.shown.figures import COST, QUALITY

    by = {kind.key: kind for kind in (*QUALITY, *COST)}
    kinds = [by[key] for key in COST_HEADS if _known(rows, by[key])]
    compared = {"time": "seconds", "memory": "peak_mib", "RMSE": "rmse"} if rival is not None else {}
    heading("Cost", "" if rival is None else f"ratios: to {rival} on the same cases")
    ratios = [f"{name} ratio" for name in compared]
    table = _table(["", *(COST_HEADS[kind.key] for kind in kinds), *ratios])
    for name in names:
        cells = [f"{tables.over(rows, name, kind).mean:.{kind.digits}f}" for kind in kinds]
        found = [tables.ratio(rows, name, rival or "", by[key]) for key in compared.values()]
        table.add_row(name, *cells, *("–" if one is None else f"{one.ratio:.2f}" for one in found))
    out.print(table)


def as_plain(results: "Results", suite: "Suite", rival: str | None) -> dict[str, Any]:
    """Everything as plain values."""
    from demottle.benchmark.shown import tables
    from demottle.benchmark.shown.figures import COST, QUALITY
    from demottle.quality.to_plain import plain

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


def _show_tests(rows: list[dict[str, Any]], rival: str | None, unit: str) -> None:
    from demottle.benchmark.shown import tables

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
            f"{one.figure} {unit if one.unit == 'HU' else one.unit}".strip(),
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
        first = place == 0
        table.add_column(column, style="bold" if first else "", justify="left" if first else "right", no_wrap=first)
    return table
