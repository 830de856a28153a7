"""`demottle archive`: a whole archive at once. Each command has a file of its own."""

import typer

archive = typer.Typer(name="archive", help="Denoise, measure or simulate a whole archive.", no_args_is_help=True)


@archive.callback()
def _archive() -> None:
    """Keep `archive` a group however many commands it has."""
