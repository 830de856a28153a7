"""Tables of one evaluation, one for each thing that was measured, and what was not."""

from math import isfinite
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.evaluate.observer_tables import columns, show_noise_only, show_observers
from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import (
    CAREFUL,
    GOOD,
    before_after,
    change_of,
    number,
    percent,
    show_check,
    show_comparison,
)

if TYPE_CHECKING:
    from demottle.quality.check.whole import Check
    from demottle.quality.evaluation import Evaluation
    from demottle.quality.objects.contrast import Recovered
    from demottle.quality.objects.known_objects import KnownStructures
    from demottle.quality.truth.realizations import Repeat
    from demottle.quality.worst import WorstSlice


def show_evaluation(found: "Evaluation") -> None:
    """Show everything that was measured, then what was not and why."""
    unit = found.check.unit
    heading("Input and output", "what needs no truth")
    show_check(found.check)
    show_equivalence(found.check)
    if found.truth is not None:
        where = "in the body (above -500 HU)" if unit == "HU" else "everywhere"
        show_comparison(found.truth, unit, where)
    if found.repeat is not None:
        show_repeat(found.repeat, unit)
    if found.known is not None:
        show_known(found.known, unit, found.truth is not None)
    if found.many is not None and found.many.observed:
        show_observers(found.many)
    if found.many is not None and found.many.noise_only is not None:
        show_noise_only(found.many.noise_only, unit)
    if found.worst is not None:
        show_worst(found.worst, unit)
    if found.missing:
        heading("Not measured")
        sentences = Table.grid(padding=(0, 1, 0, 2))
        for sentence in found.missing:
            sentences.add_row("•", Text(sentence))
        out.print(sentences)


def show_equivalence(check: "Check") -> None:
    """Show for each tissue whether its mean is shown not to have moved by the margin."""
    from demottle.quality.measures import measure

    if not check.tissues:
        return
    margin, unit = check.tissues[0].margin, check.unit
    heading("Same mean?", f"two one-sided tests at 5 % against a shift of {margin:.3g} {unit}")
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", min_width=15, no_wrap=True)
    for name in (measure("shift").title, "90 % interval", "blocks", "p", "verdict"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in check.tissues:
        verdict = "same" if one.equivalent else "moved" if abs(one.shift) >= margin else "not shown"
        p = "<0.001" if one.p_value < 0.001 else number(one.p_value, 3)
        table.add_row(
            one.name,
            number(one.shift, 2, sign=True),
            f"{number(one.ci_low, 2, sign=True)} to {number(one.ci_high, 2, sign=True)}",
            str(one.blocks),
            p,
            Text(verdict, style=GOOD if one.equivalent else CAREFUL),
        )
    out.print(table)


def show_repeat(repeat: "Repeat", unit: str) -> None:
    """Show what a second realization tells."""
    from demottle.quality.measures import rows_of

    heading("Against the second scan", "in the body; needs no truth, because its noise is independent")
    table = before_after()
    for row in rows_of("repeat"):
        before, after = row.values(repeat.agreement)
        style = "" if isfinite(before) else CAREFUL if repeat.structure_found else GOOD
        change = change_of(before, after, row.digits) if isfinite(before) else ""
        first = number(before, row.digits) if isfinite(before) else ""
        table.add_row(row.headed(unit), first, Text(number(after, row.digits), style=style), change)
    out.print(table)


def show_known(known: "KnownStructures", unit: str, against_truth: bool) -> None:
    """Show contrast, sharpness and detectability of structures of known place."""
    from demottle.quality.measures import in_words, measure, rows_of
    from demottle.quality.objects.sharpness import pooled

    left, f50, f10 = (measure(key) for key in ("contrast_left", "f50", "f10"))
    reference = "truth" if against_truth else "input"
    if known.contrast:
        heading(
            "Contrast of known structures",
            f"in {unit}; {left.title}: share of that in the {'truth' if against_truth else 'list'} ± standard error from the "
            "noise; dim: below 3 standard errors, indistinguishable from noise",
        )
        table = columns("mm", "true", "before", "after", left.title)
        for one in known.contrast:
            table.add_row(
                one.name,
                number(one.diameter_mm),
                number(one.contrast),
                number(one.before),
                number(one.after),
                Text(_left(one), style="dim" if one.lost_in_noise else ""),
            )
        out.print(table)
    if known.sharpness:
        heading(
            "Sharpness of their edges",
            f"{in_words([f50.title, f10.title])} in {f50.unit}, {reference} and output; a dash: beyond the pixels' Nyquist "
            "frequency",
        )
        table = columns(f50.title, "after", "change", f10.title, "after", "change")
        for edge in known.sharpness:
            table.add_row(
                edge.name,
                *(number(v, f50.digits) for v in f50.values(edge)), percent(edge.f50_change, sign=True),
                *(number(v, f10.digits) for v in f10.values(edge)), percent(edge.f10_change, sign=True),
            )  # fmt: skip
        for group in (one for one in pooled(known.sharpness) if one.count > 1):
            changes = percent(group.f50_change, sign=True), percent(group.f10_change, sign=True)
            table.add_row(group.name, "", "", changes[0], "", "", changes[1], style="dim")
        out.print(table)
    if known.detected:
        heading("Detectability of known structures", "d' from noise spectrum and sharpness; flatters learned denoisers")
        table = columns(*(name for row in rows_of("detected") for name in (f"{row.title} before", "after")))
        for seen in known.detected:
            table.add_row(seen.name, *(number(v) for v in (*seen.npw, *seen.npwe)))
        out.print(table)


def _left(one: "Recovered") -> str:
    """Share of contrast left with its standard error, where that is known."""
    if not isfinite(one.share_error):
        return percent(one.share)
    return f"{100 * one.share:.0f} ± {100 * one.share_error:.0f} %"


def show_worst(worst: "WorstSlice", unit: str) -> None:
    """Show which slice to look at first."""
    heading(
        "Look first at",
        f"slice {worst.slice + 1} of {len(worst.values)}, around row {worst.row}, column {worst.column}",
    )
    out.print(
        f"  {worst.what}: {number(worst.values[worst.slice])} {unit}, {_middle(worst.values)} in the median slice"
    )


def _middle(values: tuple[float, ...]) -> str:
    known = sorted(value for value in values if isfinite(value))
    return number(known[len(known) // 2]) if known else "-"
