"""`demottle node`: what belongs to the node beside running it. Each command has a file of its own."""

import typer

from demottle.cli.node.check import check
from demottle.cli.node.user import user
from demottle.cli.screen.speaking import Verb

node = typer.Typer(name="node", help="Prepare a node between scanner and archive.", no_args_is_help=True)
node.command(cls=Verb)(check)
node.command(cls=Verb)(user)


@node.callback()
def _node() -> None:
    """Keep `node` a group however many commands it has."""
