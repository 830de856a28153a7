"""Tables of figures of sequences."""

from math import isfinite
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import out
from demottle.cli.screen.tables import CAREFUL, GOOD, before_after, change_of, facts, number, percent

if TYPE_CHECKING:
    from demottle.pipeline.result import SequenceResult
    from demottle.quality.sequence.response import Response


def show_sequence_check(result: "SequenceResult") -> None:
    """Show what can be measured on a run without a truth: noise, flicker, means, motion, time."""
    from demottle.methods.registry import method as look_up
    from demottle.quality.check.verdicts import edges_verdict
    from demottle.quality.sequence.check import SHIFT_LIMIT, TRAIL_LIMIT
    from demottle.quality.sequence.measures import headed, sequence_measure

    check = result.check
    series = check.modality == "MR"  # volumes, of which none is a picture of what moves

    def title(key: str, name: str = "") -> str:
        return headed(sequence_measure(key), "", check.modality, name)

    table = before_after()
    noise = check.noise
    share = -noise.removed_share
    style = GOOD if share < 0 else CAREFUL
    table.add_row(
        title("noise"),
        number(noise.before),
        number(noise.after),
        Text(percent(share, sign=True), style=style),
    )
    table.add_row(title("held_over"), number(check.held_before, 2), number(check.held_after, 2), "")
    before, after = check.flicker_before, check.flicker_after
    if not series:
        table.add_row(title("flicker_still"), number(before, 2), number(after, 2), change_of(before, after, 2))
    for shift in check.shifts:
        moved = CAREFUL if abs(shift.share) > SHIFT_LIMIT else GOOD
        change = Text(change_of(shift.before, shift.after), style=moved)
        table.add_row(title("mean", f"{shift.name} parts"), number(shift.before), number(shift.after), change)
    out.print(table)
    list_ = facts()
    if isfinite(check.trail):
        style = CAREFUL if check.trail > TRAIL_LIMIT else ""  # never green: small things escape it
        where, rest = ("where it changes", "elsewhere") if series else ("where it moves", "at rest")
        list_.add_row(where, Text(f"{check.trail:.2f} times as much removed as {rest}", style=style))
    if check.edges is not None:
        verdict = edges_verdict(check.edges)
        list_.add_row("edges", Text(verdict, style=GOOD if verdict == "kept" else CAREFUL))
    if result.response is not None:
        _add_response(list_, result.response)
    if not series:
        live = (
            f"the live form lags by {result.delay} frames"
            if look_up(result.plan.method).live
            else "it has no live form"
        )
        list_.add_row("speed", f"{result.ms_per_frame:.3g} ms per frame; {live}")
    out.print(list_)


def _add_response(list_: Table, response: "Response") -> None:
    """What the method does to what moves, in test scenes."""
    (_, still), (speed, fast) = response.widths[0], response.widths[-1]
    edge = f"{_pixels(still)} at rest, {_pixels(fast)} at {speed:g} px per frame"
    list_.add_row("edge width", Text(edge, style=CAREFUL if response.trails else ""))
    first, tenth = 100 * response.lag_first, 100 * response.lag_tenth
    if first < -0.5:
        list_.add_row(
            "lag", f"{-first:.0f} % of a step, which the detector withholds from its first frame, is given back"
        )
    else:
        list_.add_row("lag", f"{first:.0f} % of a step is missing in its first frame, {tenth:.0f} % in the tenth")


def _pixels(width: float) -> str:
    return f"{width:.1f} px" if isfinite(width) else "over 60 px"
