"""`demottle study`: a blinded reader study, from the scans to the tests. Each command has a file of its own."""

import typer

from demottle.cli.screen.speaking import Verb
from demottle.cli.study.analyse import analyse
from demottle.cli.study.create import create
from demottle.cli.study.serve import serve

study = typer.Typer(name="study", help="Run a blinded reader study.", no_args_is_help=True)
study.command(cls=Verb)(create)
study.command(cls=Verb)(serve)
study.command(cls=Verb)(analyse)
study.command(name="analyze", hidden=True, cls=Verb)(analyse)


@study.callback()
def _study() -> None:
    """Keep `study` a group however many commands it has."""
