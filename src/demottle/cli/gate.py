"""The gate on the command line: its options, and what a result that fails is answered with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.cli.screen.console import heading, out
from demottle.cli.screen.tables import CAREFUL, GOOD

if TYPE_CHECKING:
    from rich.text import Text

    from demottle.cli.places import Places
    from demottle.quality.gate import Gate, GateError
    from demottle.quality.limits import Limits

PANEL = "The gate"

LimitsFile = Annotated[
    Path | None,
    typer.Option(
        "--limits", metavar="FILE", help="Limits of the gate, in place of its own (TOML).", rich_help_panel=PANEL
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", metavar="", help="Write the result even if it fails the gate.", rich_help_panel=PANEL),
]


def limits_of(path: Path | None) -> "Limits":
    """Read the limits of a file, or take the defaults."""
    from demottle.quality.limits import Limits, read_limits

    return Limits() if path is None else read_limits(path)


def refusal(verdict: "Gate", aside: "Places | None", model: Path | None, learned: bool) -> "GateError":
    """Return what a result that fails is answered with.

    Args:
        verdict: verdict of the gate.
        aside: where the result was put; None: it could not be kept.
        model: where the fitted network was kept; None: nowhere.
        learned: a network was fitted in this run, and would be lost.
    """
    from demottle.quality.gate import GateError

    where = "nothing was written"
    if aside is not None:
        page = "" if aside.page is None else f", its page in {aside.page}"
        where = f"it is kept aside in {aside.output}{page}"
    kept = ""
    if model is not None:
        kept = f" The fitted model is kept in {model}: with --model and --force it gives this result without learning again."
    elif learned:
        kept = " For a single scan --save-model FILE keeps the network, so that it need not be learned again."
    return GateError(
        f"The result fails the gate: {verdict.reasons}; {where}. To accept it, run this again with --force, or with other limits "
        f"(--limits FILE).{kept}"
    )


def gate_warning(verdict: "Gate", refused: bool = False) -> tuple[str, ...]:
    """What has to be said with a result that fails and was written all the same, or put aside."""
    kept = " and was put aside" if refused else ""
    return () if verdict.passed else (f"This result fails the gate{kept}: {verdict.reasons}.",)


def gate_line(verdict: "Gate") -> "Text":
    """The verdict in one line."""
    from rich.text import Text

    from demottle.quality.verdict import PASSED

    return Text(f"{verdict.state}: {verdict.summary}", style=GOOD if verdict.state == PASSED else CAREFUL)


def show_gate(verdict: "Gate") -> None:
    """Show every limit with what was found."""
    from rich.table import Table
    from rich.text import Text

    from demottle.quality.verdict import FAILED, NOT_ASKED, NOT_SHOWN, PASSED, UNKNOWN
    from demottle.report.words import found_and_limit

    heading("Gate", f"{verdict.state}: {verdict.summary}")
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("", overflow="fold")
    for name in ("found", "limit", "verdict"):
        table.add_column(name, justify="right", no_wrap=True)
    styles = {PASSED: GOOD, NOT_SHOWN: CAREFUL, FAILED: f"bold {CAREFUL}"}
    for one in verdict.verdicts:
        found, limit = found_and_limit(one.value, one.limit, one.unit)
        table.add_row(
            Text(f"{one.what} ({one.why})" if one.status == NOT_ASKED and one.why else one.what),
            one.why if one.status == UNKNOWN else found,
            limit,
            Text(one.status, style=styles.get(one.status, "dim")),
        )
    out.print(table)
