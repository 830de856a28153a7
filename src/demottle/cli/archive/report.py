"""`demottle archive report`: one page about what a run did with thousands of series."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.archive.run_arguments import ArchiveFolder
from demottle.cli.screen.console import say, show_json, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.errors import InputError, OutputError


@guarded
def report(
    archive: ArchiveFolder,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="PAGE", help="The page (HTML); a table goes beside it.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The run.")] = "denoise",
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace the page that is there.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show noise and CT numbers by scanner and protocol, what is odd, drift over months, and why series failed."""
    from demottle.archive.layout import Archive
    from demottle.archive.run.begin import known_run
    from demottle.archive.run.reporting import write_report
    from demottle.io.output import refuse_existing, refuse_inputs

    data = Archive(archive)
    told = data.told()
    run = known_run(data, name)
    if output.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{output} does not end in .html, as a page has to; choose such a name.")
    refuse_inputs([output], [Path(told.root)])
    if not overwrite:
        refuse_existing([output, output.with_suffix(".csv")])
    named = "" if name == "denoise" else f" --name {name}"
    command = f"demottle archive report {archive} -o {output}{named} --overwrite"
    table, count = write_report(data, run, output, command)
    if not count:
        raise InputError(f"Nothing of the run '{name}' has ended yet; the page is empty.")
    if as_json:
        show_json({"page": str(output), "table": str(table), "series": count})
        return
    say(f"{count} series: {shown(output)}, as a table: {shown(table)}")
