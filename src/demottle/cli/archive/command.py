"""`demottle archive`: a whole archive at once. Each command has a file of its own."""

import typer

from demottle.cli.archive.index import index
from demottle.cli.archive.plan import plan
from demottle.cli.archive.report import report
from demottle.cli.archive.run import run
from demottle.cli.screen.speaking import Verb

archive = typer.Typer(name="archive", help="Denoise, measure or simulate a whole archive.", no_args_is_help=True)
archive.command(cls=Verb)(index)
archive.command(cls=Verb)(plan)
archive.command(cls=Verb)(run)
archive.command(cls=Verb)(report)


@archive.callback()
def _archive() -> None:
    """Keep `archive` a group however many commands it has."""
