"""How much is said and where: --quiet, --verbose and --log-file, which every verb takes."""

import logging
import os
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.main
from rich.logging import RichHandler
from typer.core import TyperCommand

from demottle.cli.screen import console

PANEL = "What is said"
SAID_FIRST = "demottle.cli.said_first"
"""In the context's meta: what the verb says before it begins, once it is known how it speaks."""


class Verb(TyperCommand):
    """A command with the options of how it speaks; which are dealt with before it runs and do not reach it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make the command, and give it these options after its own."""
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *_options()]

    def invoke(self, ctx: Any) -> Any:
        """Run it; first say what is to be said first."""
        if said := ctx.meta.get(SAID_FIRST):
            console.say(said, style="dim")
        return super().invoke(ctx)


def _be_quiet(wanted: bool) -> None:
    if wanted:
        console.be_quiet()


def _be_verbose(wanted: bool) -> None:
    if wanted:
        handler = RichHandler(console=console.err, show_path=False)
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", handlers=[handler], force=True)


def _also_to(path: Path | None) -> None:
    if path is None:
        return
    if path.is_dir() or not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written; name another file.")
    console.also_to(path)


def _speak(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            metavar="",
            callback=_be_quiet,
            help="Say warnings and errors alone.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            metavar="",
            callback=_be_verbose,
            help="Say what libraries beneath say, too.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=_also_to,
            help="Add all that is said to FILE, with the time.",
            rich_help_panel=PANEL,
        ),
    ] = None,
) -> None:
    """Hold the options, as Typer makes them of a function."""


def _options() -> list[Any]:
    holder = typer.Typer(add_completion=False)
    holder.command()(_speak)
    made: list[Any] = list(typer.main.get_command(holder).params)
    for option in made:
        option.expose_value, option.is_eager = False, True
    return made
