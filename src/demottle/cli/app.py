"""The program `demottle`: its verbs and `--version`."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import typer.rich_utils

from demottle import __version__
from demottle.cli.benchmark.command import benchmark
from demottle.cli.denoise.command import denoise
from demottle.cli.doctor import doctor
from demottle.cli.evaluate.command import evaluate
from demottle.cli.inspect.command import inspect
from demottle.cli.methods import methods
from demottle.cli.models.command import models
from demottle.cli.node.command import node
from demottle.cli.node.serve import serve
from demottle.cli.phantom.command import phantom
from demottle.cli.report import report
from demottle.cli.screen.configuration import NAME, use_file
from demottle.cli.screen.console import COLORS, say, speak_as_usual, write_what_cannot_be_encoded
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.speaking import Verb
from demottle.cli.screen.stopping import answer_at_once
from demottle.cli.simulate.command import simulate
from demottle.cli.stream.command import stream
from demottle.cli.study.command import study
from demottle.cli.train.command import train

app = typer.Typer(
    name="demottle",
    help="Removes quantum mottle from low-dose CT, fluoroscopy and MR without clean images: a noisy scan in, a clean one out, "
    "learned from the scan itself. Research software, not a medical device.",
    epilog="Start with: demottle denoise SCAN -o OUT",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command(cls=Verb)(denoise)
app.command(cls=Verb)(inspect)
app.command(cls=Verb)(evaluate)
app.command(cls=Verb)(phantom)
app.command(cls=Verb)(report)
app.command(cls=Verb)(stream)
app.command(cls=Verb)(methods)
app.command(cls=Verb)(doctor)
app.command(cls=Verb)(serve)
app.command(cls=Verb)(benchmark)
app.command(cls=Verb)(train)
app.add_typer(models)
app.add_typer(simulate)
app.add_typer(study)
app.add_typer(node)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"demottle {__version__}")
        raise typer.Exit


@app.callback()
@guarded
def _program(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help=f"Options by verb (TOML). Default: {NAME} in this folder, where there is one.",
        ),
    ] = None,
) -> None:
    write_what_cannot_be_encoded()
    speak_as_usual()
    said = use_file(context, config)
    if said:
        say(said, style="dim")


if COLORS is None:  # the user wants none: help and bad options are shown by typer
    typer.rich_utils.COLOR_SYSTEM = None


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> None:
    """Run the program; Ctrl-C is answered at once, and being told to end (SIGTERM) cleans up like it."""
    signal.signal(signal.SIGTERM, _stop)
    answer_at_once()
    app()
