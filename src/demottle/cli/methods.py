"""`demottle methods`: what can be asked for with `--method`."""

from typing import Annotated

import typer
from rich.table import Table

from demottle.cli.console import heading, out, show_json
from demottle.cli.guard import guarded
from demottle.cli.options import Debug, Json
from demottle.errors import InputError


@guarded
def methods(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Tell more about this method.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List the methods, or tell more about one."""
    from demottle.methods.registry import METHODS

    if name is not None and name not in METHODS:
        raise InputError(f"There is no method '{name}'; choose one of: {', '.join(METHODS)}.")
    chosen = [METHODS[name]] if name else list(METHODS.values())
    fields = ("name", "title", "learns_from", "summary", "paper")
    if as_json:
        show_json({info.name: {field: getattr(info, field) for field in fields} for info in chosen})
    elif name:
        info = chosen[0]
        heading(info.name, info.title)
        out.print(f"\n{info.summary}\n", markup=False)
        out.print(f"Learns from  {info.learns_from}", markup=False)
        out.print(f"Paper        {info.paper or 'none'}", markup=False)
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        for column in ("method", "what it is", "learns from"):
            table.add_column(column, style="bold" if column == "method" else "")
        for info in chosen:
            table.add_row(info.name, info.title, str(info.learns_from))
        out.print(table)
        out.print("\nMore about one: demottle methods NAME", style="dim")
