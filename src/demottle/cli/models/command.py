"""`demottle models`: what is in a model file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from demottle.cli.models.facts import show_fitted, told
from demottle.cli.screen.console import heading, out, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.cli.screen.speaking import Verb
from demottle.cli.screen.tables import facts

models = typer.Typer(name="models", help="Inspect model files.", no_args_is_help=True)


@models.command(cls=Verb)
@guarded
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model file.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what FILE was fitted on, how, and which scans it is for."""
    from demottle.methods.models import read_header

    header = read_header(file)
    if as_json:
        show_json(header)
        return
    heading(told(str(header["method"])), f"written by demottle {told(str(header.get('version', '?')))}")
    show_fitted(header["fitted"], out)
    heading("Settings")
    table = facts()
    for name, value in header["settings"].items():
        table.add_row(Text(told(name)), Text(told(value)))
    out.print(table)


@models.callback()
def _models() -> None:
    """Keep `models` a group however many commands it has."""
