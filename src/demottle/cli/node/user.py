"""`demottle node user`: who may log in to the dashboard of a node."""

import sys
from typing import Annotated

import typer

from demottle.cli.node.check import Config
from demottle.cli.screen.console import say
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug
from demottle.errors import InputError


@guarded
def user(
    config: Config,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the person logs in as.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help="technologist, physicist or admin.")] = "technologist",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the user; its sessions end.")] = False,
    debug: Debug = False,
) -> None:
    """Add a user of the dashboard, or give one another role and password, which is asked for."""
    from demottle.node.toml_file import read_configuration
    from demottle.node.web.users import Role, remove_user, save_user

    told = read_configuration(config)
    if remove:
        remove_user(told.folder, name)
        say(f"{name} may no longer log in.")
        return
    if role not in list(Role):
        raise InputError(f"--role is {role!r}; it can be {', '.join(Role)}.")
    save_user(told.folder, name, Role(role), _asked())
    say(f"{name} may log in as {role}.")


def _asked() -> str:
    """The password: typed twice, or one line of standard input where it is not a terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise InputError("The two are not the same; nothing was changed.")
    return first
