"""`demottle serve`: run a node between scanner and archive until it is told to end."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.screen.console import say
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug


@guarded
def serve(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration of the node (TOML).")],
    debug: Debug = False,
) -> None:
    """Run a node: receive series over DICOM, denoise them by rules, and send the results on. Ctrl-C ends it.

    What is not finished then, or when the machine fails, is gone on with after the next start.
    """
    from demottle.node.log import begin_log
    from demottle.node.service import serve as run
    from demottle.node.toml_file import read_configuration

    told = read_configuration(config)
    begin_log()
    try:
        run(told, config.resolve())
    except KeyboardInterrupt:
        say("Stopped. What is not finished goes on after the next start.")
