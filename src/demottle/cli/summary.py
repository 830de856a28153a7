"""What `demottle denoise` says at the end."""

from pathlib import Path

from rich.table import Table

from demottle.cli.console import heading, out
from demottle.cli.job import Outcome
from demottle.cli.progress import clock, title_of


def show_outcome(outcome: Outcome) -> None:
    """Show figures, times and places of one scan."""
    heading("Done", f"method {outcome.result.plan.method}")
    facts = Table.grid(padding=(0, 3, 0, 2))
    facts.add_column(style="dim", min_width=12)
    facts.add_column(overflow="fold")
    facts.add_row("time", ", ".join(f"{title_of(s).lower()} {clock(t)}" for s, t in outcome.seconds.items()))
    places = outcome.places
    for name, path in (
        ("scan", places.output),
        ("page", places.page),
        ("record", places.record),
        ("model", places.model),
    ):
        if path is not None:
            facts.add_row(name, str(path))
    out.print(facts)


def show_batch(done: list[tuple[str, Outcome]], output: Path) -> None:
    """Show one line for each scan of a folder."""
