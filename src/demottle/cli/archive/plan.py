"""`demottle archive plan`: which series is treated how, and how long all of it takes, before anything runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from demottle.cli.archive.words import hours_of, size_of
from demottle.cli.screen.console import heading, out, say, show_json, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.cli.screen.progress import watch
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.archive.plan.planning import Planned

_LISTED = 12


@guarded
def plan(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Folder with the data set of the archive.")],
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rules (TOML), as a node has them. Default: denoise everything.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Method for all series. Default: each scan decides.")
    ] = None,
    strength: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="S", help="Share of the noise that is taken out.")
    ] = None,
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="Series of each group that are measured; 0: none.")
    ] = 3,
    trial: Annotated[
        bool, typer.Option("--trial", metavar="", help="Time the methods on this machine, for better estimates.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes that measure. Default: one for each core.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what would be done with each series, which share a network, and how many hours and gigabytes that takes.

    Nothing is denoised. Series of one protocol on one scanner share a network, unless one that was measured has other noise.
    """
    from demottle.archive.layout import Archive
    from demottle.archive.plan.planning import plan as make
    from demottle.archive.plan.rules import read_rules, usual_rules

    if rules is not None and (method is not None or strength is not None):
        other = "--method" if method is not None else "--strength"
        raise typer.BadParameter(f"excludes {other}; write what is wanted into the rules", param_hint="--rules")
    known = usual_rules(method, strength) if rules is None else read_rules(rules)
    with watch() as listener:
        made = make(Archive(archive), known, sample=sample, trial=trial, workers=workers, listener=listener)
    if as_json:
        show_json(_plain(made))
        return
    _show(made, archive)


def _plain(made: "Planned") -> dict[str, Any]:
    names = ("rule", "method", "series", "networks", "slices", "seconds", "bytes")
    return {
        "series": made.series,
        "seconds": round(made.seconds, 1),
        "bytes": made.bytes,
        "cores": made.cores,
        "measured": made.measured,
        "not_measured": made.failed,
        "kinds": [{name: getattr(one, name) for name in names} for one in made.totals],
        "left": [{"reason": why, "series": count} for why, count in made.left],
    }


def _show(made: "Planned", archive: Path) -> None:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for name in ("rule", "method"):
        table.add_column(name)
    for name in ("series", "networks", "slices", "one core", "results"):
        table.add_column(name, justify="right")
    for one in made.totals:
        counts = f"{one.series:,}", f"{one.networks:,}", f"{one.slices:,}"
        table.add_row(shown(one.rule), shown(one.method), *counts, hours_of(one.seconds), size_of(one.bytes))
    cores = f"{hours_of(made.seconds / made.cores)} on the {counted(made.cores, 'core')} of this machine"
    heading(f"{made.series:,} series to denoise, {size_of(made.bytes)}", f"about {cores}")
    if made.totals:
        out.print(table)
    left = sum(count for _, count in made.left)
    if left:
        out.print(f"{left:,} series left alone:")
        for why, count in made.left[:_LISTED]:
            out.print(f"  {count:,}: {shown(why)}", markup=False)
        if len(made.left) > _LISTED:
            out.print(f"  and {len(made.left) - _LISTED} more reasons", style="dim")
    failed = f"; {made.failed} could not be measured" if made.failed else ""
    say(f"{made.measured} series measured{failed}. What is planned for each stands in {archive / 'plan.parquet'}.")
