"""What `demottle phantom` shows on the terminal."""

from collections.abc import Sequence
from itertools import groupby
from math import isfinite

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import CAREFUL, GOOD, number
from demottle.quality.phantoms.figures import Figure
from demottle.quality.phantoms.history import FEWEST, Chart
from demottle.quality.phantoms.measured import Examined


def show_phantom(examined: Examined, figures: Sequence[Figure], charts: Sequence[Chart]) -> None:
    """Show which phantom it is, every figure with the range that is stated for it, and what drifted."""
    pose = examined.found.pose
    way = " seen from its other end," if pose.mirrored else ""
    heading(examined.found.layout.title, f"turned by {pose.roll:.1f} degrees,{way} tilted by {pose.lean:.1f} degrees")
    for group, rows in groupby(figures, key=lambda figure: figure.group):
        heading(group[0].upper() + group[1:])
        out.print(_table(list(rows), examined.after is not None))
    if charts:
        _show_drift(charts)


def _table(figures: Sequence[Figure], both: bool) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", min_width=20, no_wrap=True)
    table.add_column("before" if both else "", justify="right", min_width=7)
    if both:
        table.add_column("after", justify="right", min_width=7)
        table.add_column("change", justify="right", min_width=7)
    stated = any(isfinite(figure.low) for figure in figures)
    if stated:
        table.add_column("stated", justify="right", no_wrap=True)
    for f in figures:
        title = f"{f.name} ({f.unit})" if f.unit else f.name
        cells: list[str | Text] = [title, _value(f, f.before)]
        if both:
            cells += [
                _value(f, f.after),
                number(round(f.after, f.digits) - round(f.before, f.digits), f.digits, sign=True),
            ]
        if stated:
            cells.append(f"{f.low:g} to {f.high:g}" if isfinite(f.low) else "")
        table.add_row(*cells)
    return table


def _value(figure: Figure, value: float) -> Text:
    within = figure.within(value)
    style = "" if within is None else GOOD if within else CAREFUL
    return Text(number(value, figure.digits), style=style)


def _show_drift(charts: Sequence[Chart]) -> None:
    scans = max(len(chart.values) for chart in charts)
    moved = [chart for chart in charts if chart.moved]
    if scans < FEWEST:
        heading("Drift", f"scans so far: {scans}; limits are given from {FEWEST} on")
        return
    heading("Drift", f"scans: {scans}; beyond the limits now: {len(moved)} of {len(charts)} figures")
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    for name in ("", "now", "limits"):
        table.add_column(name, justify="left" if not name else "right")
    for chart in moved:
        title = f"{chart.group}: {chart.figure}" + (f" ({chart.unit})" if chart.unit else "")
        now = Text(f"{chart.values[-1]:.4g}", style=CAREFUL)
        table.add_row(title, now, f"{chart.low:.4g} to {chart.high:.4g}")
    if moved:
        out.print(table)
