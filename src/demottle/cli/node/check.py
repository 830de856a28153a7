"""`demottle node check`: the configuration is in order, and which rule each series of a folder meets, before going live."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demottle.cli.screen.console import out, say, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json
from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.node.trial import Tried

Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration of the node (TOML).")]


@guarded
def check(
    config: Config,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Folder with DICOM series to hold the rules against.")
    ] = None,
    caller: Annotated[
        str | None, typer.Option(metavar="TITLE", help="AE title that sends them. Default: the first sender.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Check a configuration, and say which rule each series in FOLDER meets. Nothing is sent, nothing is denoised."""
    from demottle.node.toml_file import read_configuration
    from demottle.node.trial import try_rules

    told = read_configuration(config)
    found = [] if folder is None else try_rules(told, folder, caller or told.senders[0].title)
    if as_json:
        show_json({"configuration": str(config), "series": [_plain(one) for one in found]})
        return
    say(
        f"{config}: in order, with {counted(len(told.senders), 'sender')}, {counted(len(told.rules), 'rule')} and "
        f"{counted(len(told.destinations), 'destination')}."
    )
    for one in found:
        out.print(f"{one.facts['modality'] or '?'}, {counted(one.files, 'file')} ({one.example})", markup=False)
        out.print(f"  {one.said}", markup=False)


def _plain(one: "Tried") -> dict[str, Any]:
    return {"uid": one.uid, "files": one.files, "facts": one.facts, "rule": one.rule, "said": one.said}
