"""The program `demottle`: its verbs and `--version`."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import typer.rich_utils

from demottle import __version__
from demottle.cli.archive.command import archive
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
from demottle.cli.screen.console import COLORS, speak_as_usual, write_what_cannot_be_encoded
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.speaking import SAID_FIRST, Verb
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
_SCANS, _JUDGED, _LEARNED, _HOSPITAL, _MACHINE = (
    "Scans",
    "What is a result worth?",
    "Learning from many scans",
    "In a hospital",
    "This program",
)


def _verb(verb: Callable[..., None], panel: str, *examples: str) -> None:
    """Add a verb, with examples below its help; each is a paragraph of its own."""
    shown = "\n\n".join(("Examples:", *examples)) if examples else None
    app.command(cls=Verb, rich_help_panel=panel, epilog=shown)(verb)


_verb(
    denoise,
    _SCANS,
    "demottle denoise CHEST -o CHEST-clean",
    "demottle denoise run.dcm -o run-clean.dcm --method nvca",
    "demottle denoise ARCHIVE -o CLEAN --skip-existing",
    "demottle denoise CHEST -o CHEST-clean --noise -45% --keep-mtf 0.9",
)
_verb(inspect, _SCANS, "demottle inspect CHEST", "demottle inspect run.dcm --json")
_verb(
    stream,
    _SCANS,
    "demottle stream run.dcm -o live --method nvca",
    "demottle stream tcp:5000 -o live --model run.safetensors",
)
_verb(report, _JUDGED, "demottle report CHEST-clean-report -o page.html")
_verb(
    evaluate,
    _JUDGED,
    "demottle evaluate CHEST-clean --input CHEST --gate",
    "demottle evaluate out/result --input phantom/scan --truth phantom/truth --html page.html",
)
_verb(phantom, _JUDGED, "demottle phantom CATPHAN --html qa.html --history qa.csv")
app.add_typer(study, rich_help_panel=_JUDGED)
_verb(benchmark, _JUDGED, "demottle benchmark --suite ct-volume --quick")
_verb(train, _LEARNED, "demottle train pdml --low LOW --full FULL -o liver.safetensors")
app.add_typer(models, rich_help_panel=_LEARNED)
app.add_typer(simulate, rich_help_panel=_LEARNED)
_verb(serve, _HOSPITAL, "demottle serve node.toml")
app.add_typer(node, rich_help_panel=_HOSPITAL)
app.add_typer(archive, rich_help_panel=_HOSPITAL)
_verb(methods, _MACHINE, "demottle methods", "demottle methods nl-bayes")
_verb(doctor, _MACHINE)


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
    context.meta[SAID_FIRST] = use_file(context, config)


if COLORS is None:  # the user wants none: help and bad options are shown by typer
    typer.rich_utils.COLOR_SYSTEM = None


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> None:
    """Run the program; Ctrl-C is answered at once, and being told to end (SIGTERM) cleans up like it."""
    signal.signal(signal.SIGTERM, _stop)
    answer_at_once()
    app()
