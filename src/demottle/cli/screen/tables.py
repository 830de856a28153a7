"""Tables of figures: before, after, change."""

from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out

if TYPE_CHECKING:
    from demottle.quality.check.leak import Leak
    from demottle.quality.check.whole import Check
    from demottle.quality.measures import Measure
    from demottle.quality.truth.whole import Comparison

GOOD, CAREFUL, PLAIN = "green", "yellow", ""


def facts() -> Table:
    """An empty list of names and values."""
    table = Table.grid(padding=(0, 3, 0, 2))
    table.add_column(style="dim", min_width=15, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def show_check(check: "Check") -> None:
    """Show what can be measured without a truth: noise, slices, edges, CT numbers."""
    from demottle.quality.check.verdicts import edges_verdict, moved
    from demottle.quality.measures import measure

    table = before_after()
    noise, unit = check.noise, check.unit
    share = -noise.removed_share
    table.add_row(
        measure("noise").headed(unit),
        number(noise.before),
        number(noise.after),
        Text(percent(share, sign=True), style=GOOD if share < 0 else CAREFUL),
    )
    if check.spectra is not None:
        row = "peak" if isfinite(check.spectra.shift) else "mean"
        before, after = (getattr(spectrum, row) for spectrum in (check.spectra.before, check.spectra.after))
        table.add_row(
            measure(f"nps_{row}").headed(unit), number(before, 2), number(after, 2), change_of(before, after, 2)
        )
    if check.leak is not None:
        rho = [part.rho[0] if part.rho else nan for part in (check.leak.before, check.leak.after)]
        change = Text(change_of(rho[0], rho[1], 2), style=_leak_style(check.leak))
        table.add_row(measure("slice_leak").headed(unit), *(number(value, 2) for value in rho), change)
    verdict = edges_verdict(check.edges)
    table.add_row("edges", "", "", Text(verdict, style=GOOD if verdict == "kept" else CAREFUL))
    word = "CT number" if unit == "HU" else measure("mean").title
    for tissue in check.tissues:
        style = CAREFUL if moved(tissue, unit) else GOOD
        table.add_row(
            f"{word}, {tissue.name} ({unit})",
            number(tissue.mean_before),
            number(tissue.mean_after),
            Text(change_of(tissue.mean_before, tissue.mean_after), style=style),
        )
    for name, removed in (check.bias_removed or {}).items():
        table.add_row(f"bias taken out, {name} ({unit})", "", "", number(-removed, sign=True))
    out.print(table)


def _leak_style(leak: "Leak") -> str:
    """As the page's tile: a rise that is too small a part of the noise to be seen is neither good nor bad."""
    from demottle.quality.check.leak import NOTICEABLE

    return CAREFUL if leak.noticeable else PLAIN if leak.gain >= NOTICEABLE else GOOD


def show_comparison(comparison: "Comparison", unit: str, where: str) -> None:
    """Show errors against a truth, before and after."""
    from demottle.quality.measures import SCORES, in_words, measure

    low, high = comparison.window
    ranged = in_words([row.title for row in SCORES if row.windowed])
    heading("Against the truth", f"{where}; {ranged} in [{low:.0f}, {high:.0f}] {unit}")
    table = before_after()
    for row in SCORES:
        table.add_row(row.headed(unit), *measured(row, *row.values(comparison)))
    row, before, after = measure("mean_error"), comparison.before, comparison.after
    errors = {tissue.name: [tissue.shift] for tissue in before.tissues}
    for tissue in after.tissues:
        errors.setdefault(tissue.name, [nan]).append(tissue.shift)
    for name, values in errors.items():
        shown = (number(value, row.digits, sign=True) for value in values)
        table.add_row(row.headed(unit, name), *shown, "")
    out.print(table)


def measured(row: "Measure", before: float, after: float) -> tuple[str, str, Text]:
    """Value before, value after and change of a measure, as they are printed; the change green where it is for the better."""
    signed = row.better == "zero"
    first, second = (row.infinite if v == inf else number(v, row.digits, sign=signed) for v in (before, after))
    if signed:  # the sign tells which way it went; a difference of two signs tells nothing more
        return first, second, Text("")
    style = GOOD if row.gain(before, after) > 0 else CAREFUL
    return first, second, Text(change_of(before, after, row.digits), style=style)


def number(value: float, places: int = 1, sign: bool = False) -> str:
    """A figure with a fixed number of decimals, never "-0.0"; a dash where it could not be measured."""
    if not isfinite(value):
        return "-"
    rounded = round(value, places) + 0.0
    return f"{rounded:+.{places}f}" if sign else f"{rounded:.{places}f}"


def change_of(before: float, after: float, places: int = 1) -> str:
    """The change between two figures as they are printed, so that the three add up."""
    return number(round(after, places) - round(before, places), places, sign=True)


def percent(share: float, sign: bool = False) -> str:
    """A share as whole percent; a dash where it could not be measured."""
    if not isfinite(share):
        return "-"
    whole = round(100 * share) + 0  # never "-0 %"
    return f"{whole:{'+' if sign else ''}.0f}\u00a0%"


def before_after() -> Table:
    """An empty table of names, values before and after, and their change."""
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", min_width=30, no_wrap=True)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right", min_width=8)
    return table
