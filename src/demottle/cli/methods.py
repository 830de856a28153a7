"""`demottle methods`: what can be asked for with `--method`."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from demottle.cli.screen.console import heading, out, say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json, MethodFile, use_method_file
from demottle.cli.screen.tables import facts

if TYPE_CHECKING:
    from demottle.methods.card import MethodInfo


@guarded
def methods(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Describe this method.")] = None,
    settings: Annotated[
        bool, typer.Option("--settings", metavar="", help="Show what --set can change (takes longer).")
    ] = False,
    method_file: MethodFile = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List the methods, or describe one."""
    from demottle.methods.registry import METHODS, method

    use_method_file(method_file)
    if settings and name is None:
        raise typer.BadParameter("needs the NAME of a method", param_hint="--settings")
    chosen = [method(name)] if name else list(METHODS.values())
    if as_json:
        show_json({info.name: _as_mapping(info, settings) for info in chosen})
    elif name:
        _show_one(chosen[0], settings)
    else:
        _show_all(chosen)
        say_warnings(METHODS.troubles)


def _as_mapping(info: "MethodInfo", settings: bool) -> dict[str, Any]:
    fields = ("name", "title", "learns_from", "summary", "paper")
    told: dict[str, Any] = {field: getattr(info, field) for field in fields}
    told |= {"needs": info.needs, "installed": info.is_installed}
    return {**told, "settings": _settings(info)} if settings else told


def _show_one(info: "MethodInfo", settings: bool) -> None:
    heading(info.name)
    out.print(f"{info.title}\n\n{info.summary}\n", markup=False)
    table = facts()
    table.add_row("learns from", Text(info.learns_from))
    table.add_row("paper", Text(info.paper))
    if info.origin:
        table.add_row("from", Text(info.origin))
    if info.needs:
        table.add_row("needs", Text(f"{info.needs} (installed)" if info.is_installed else _missing(info)))
    out.print(table)
    if settings:
        heading("Settings", "change with --set NAME=VALUE")
        table = facts()
        for name, value in _settings(info).items():
            table.add_row(name, Text(json.dumps(value)))
        out.print(table)


def _show_all(infos: "list[MethodInfo]") -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for column in ("method", "what it is", "learns from"):
        table.add_column(column, style="bold" if column == "method" else "", no_wrap=column == "method")
    for info in infos:
        title = Text(info.title)
        if not info.is_installed:
            title.append(f" ({_missing(info)})", style="dim")
        table.add_row(info.name, title, Text(info.learns_from))
    out.print(table)
    out.print("\nMore about one: demottle methods NAME", style="dim")


def _missing(info: "MethodInfo") -> str:
    return f"not installed: pip install {info.needs}"


def _settings(info: "MethodInfo") -> dict[str, Any]:
    from demottle.pipeline.settings import settings_of  # imports the method, and with it torch where it learns

    return settings_of(info.name)
