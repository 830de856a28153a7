"""What `demottle denoise` says at the end."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from demottle.cli.console import heading, out
from demottle.cli.job import Outcome
from demottle.cli.progress import clock, title_of
from demottle.cli.tables import CAREFUL, GOOD, facts, number, percent, show_check


def show_outcome(outcome: Outcome) -> None:
    """Show figures, times and places of one scan."""
    heading("Done", f"{outcome.result.plan.method}, {clock(sum(outcome.seconds.values()))}")
    show_check(outcome.result.check)
    out.print()
    places = outcome.places
    table = facts()
    table.add_row("time", ", ".join(f"{title_of(s).lower()} {clock(t)}" for s, t in outcome.seconds.items()))
    for name, path in (
        ("scan", places.output),
        ("page", places.page),
        ("record", places.record),
        ("model", places.model),
    ):
        if path is not None:
            table.add_row(name, Text(str(path), style=f"link {path.absolute().as_uri()}"))
    out.print(table)
    out.print()


def show_batch(done: list[tuple[str, Outcome]], output: Path) -> None:
    """Show one line for each scan of a folder that is finished."""
    if not done:
        return
    heading("Done", f"{len(done)} scans in {output}")
    table = Table(box=None, padding=(0, 3, 0, 2), header_style="dim", pad_edge=False)
    table.add_column("  scan", overflow="fold")
    for name in ("noise before", "after", "change", "time", "warnings"):
        table.add_column(name, justify="right")
    for name, outcome in done:
        noise, count = outcome.result.check.noise, len(outcome.warnings)
        table.add_row(
            f"  {name}",
            f"{number(noise.before)} {outcome.unit}",
            f"{number(noise.after)} {outcome.unit}",
            percent(-noise.removed_share, sign=True),
            clock(sum(outcome.seconds.values())),
            Text(str(count or "none"), style=CAREFUL if count else GOOD),
        )
    out.print(table)
