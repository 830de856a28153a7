"""`demottle.toml`: options by verb, so that they need not be typed; what is typed wins."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from demottle.errors import InputError, nearest

NAME = "demottle.toml"
LIMITS = "limits"
"""A table of the gate's limits, for the verbs that have them."""


def options_in(path: Path, program: Any) -> dict[str, Any]:
    """Return the options of a file as click's default map: by verb, and by the names of the verbs' arguments.

    Args:
        path: a TOML file with a table for each verb (`[denoise]`, `[simulate.phantom]`), its options by their long names without
            dashes in front (`method = "nl-bayes"`, `set = ["passes=2"]`); and `[limits]`, of the gate.
        program: has the verbs.

    Raises:
        InputError: the file cannot be read, is not TOML, or names what is not there.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read; name a TOML file with options.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error
    limits = values.pop(LIMITS, None)
    found = _of_group(values, program, path, "")
    if limits is None:
        return found
    if not isinstance(limits, Mapping):
        raise InputError(f"{LIMITS} in {path} has to be a table: [{LIMITS}], and below it names and numbers.")
    for name, verb in program.commands.items():
        if any(option.name == LIMITS for option in verb.params):
            found.setdefault(name, {}).setdefault(LIMITS, str(path))
    return found


def _of_group(values: Mapping[str, Any], group: Any, path: Path, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, table in values.items():
        verb = group.commands.get(name)
        if verb is None:
            hint = nearest(name, group.commands) or f" There are: {', '.join(sorted(group.commands))}."
            raise InputError(f"[{where}{name}] in {path} names no verb of demottle.{hint}")
        if not isinstance(table, Mapping):
            raise InputError(f"{where}{name} in {path} has to be a table: [{where}{name}], and below it the options.")
        inner = f"{where}{name}."
        found[name] = (
            _of_group(table, verb, path, inner) if hasattr(verb, "commands") else _of(table, verb, path, inner)
        )
    return found


def _of(table: Mapping[str, Any], verb: Any, path: Path, where: str) -> dict[str, Any]:
    options = {one.removeprefix("--"): option for option in verb.params for one in option.opts if one.startswith("--")}
    found = {}
    for name, value in table.items():
        if name not in options or name == "help":
            hint = nearest(name, options) or f" There are: {', '.join(sorted(options))}."
            raise InputError(f"{name} in [{where.rstrip('.')}] of {path} is not an option of that verb.{hint}")
        several = bool(getattr(options[name], "multiple", False))
        found[str(options[name].name)] = _plain(value, several, name, where, path)
    return found


def _plain(value: Any, several: bool, name: str, where: str, path: Path) -> Any:
    """A value as it would be typed; a list where the option may be given several times."""
    if several:
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if isinstance(value, list | Mapping):
        raise InputError(f"{name} in [{where.rstrip('.')}] of {path} takes one value, not several.")
    return value if isinstance(value, bool | int | float) else str(value)


def use_file(context: typer.Context, path: Path | None) -> str:
    """Take the options of a file as defaults; None: of `demottle.toml` in this folder, where there is one.

    Returns:
        What to say of it; empty where no file is used.

    Raises:
        InputError: as `options_in`.
    """
    chosen = Path(NAME) if path is None and Path(NAME).is_file() else path
    if chosen is None:
        return ""
    context.default_map = options_in(chosen, context.command)
    return f"Options from {chosen}." if context.default_map.get(str(context.invoked_subcommand)) else ""
