"""Options of `demottle archive run`."""

from pathlib import Path
from typing import Annotated

import typer

_MACHINES = "Where it runs"
_WHAT = "What is done"
_SENT = "Results that are sent"

ArchiveFolder = Annotated[
    Path,
    typer.Argument(
        metavar="ARCHIVE", help="Folder of the archive's data set (demottle archive index).", show_default=False
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="OUT", help="Folder for the results: the tree of the archive again. Pages go to OUT-report.",
        show_default=False,
    ),
]  # fmt: skip
Verb = Annotated[
    str, typer.Option("--verb", metavar="VERB", help="denoise, inspect, evaluate or simulate.", rich_help_panel=_WHAT)
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="Name of the run. Default: the verb.", rich_help_panel=_WHAT, show_default=False
    ),
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", metavar="", help="Try the series again that failed.", rich_help_panel=_WHAT)
]
Dose = Annotated[
    float | None,
    typer.Option(
        "--dose", metavar="SHARE", min=0.01, max=1.0, help="Share of the dose that is simulated. Default: 0.25.",
        rich_help_panel=_WHAT, show_default=False,
    ),
]  # fmt: skip
AcceptTruncated = Annotated[
    bool,
    typer.Option(
        "--accept-truncated", metavar="", help="Simulate also where the field of view cuts the body off.",
        rich_help_panel=_WHAT,
    ),
]  # fmt: skip
Of = Annotated[
    str | None,
    typer.Option(
        "--of", metavar="NAME", help="Run whose results are evaluated. Default: denoise.", rich_help_panel=_WHAT,
        show_default=False,
    ),
]  # fmt: skip
NoPage = Annotated[
    bool, typer.Option("--no-page", metavar="", help="Write no page for each series.", rich_help_panel=_WHAT)
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", help="Makes results repeatable. Default: 0.", rich_help_panel=_WHAT, show_default=False
    ),
]

Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        max=1024,
        help="Series at a time on this machine, each in a process.",
        rich_help_panel=_MACHINES,
    ),
]
Ray = Annotated[
    bool, typer.Option("--ray", metavar="", help="Let Ray run the workers of this machine.", rich_help_panel=_MACHINES)
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="ADDRESS", help="Join the Ray cluster there: HOST:6379, or auto.", rich_help_panel=_MACHINES,
        show_default=False,
    ),
]  # fmt: skip
Cpus = Annotated[
    float | None,
    typer.Option(
        "--cpus", metavar="N", min=0.1, max=1024, help="Cores for each series. Default: the machine's, shared by --jobs; Ray: 1.",
        rich_help_panel=_MACHINES, show_default=False,
    ),
]  # fmt: skip
Gpus = Annotated[
    float,
    typer.Option(
        "--gpus",
        metavar="N",
        min=0.0,
        max=64,
        help="GPUs for each series, with Ray: 0.25 lets four share one.",
        rich_help_panel=_MACHINES,
    ),
]
Memory = Annotated[
    float,
    typer.Option(
        "--memory",
        metavar="GIB",
        min=0.0,
        max=4096,
        help="Memory to set aside for each series, with Ray.",
        rich_help_panel=_MACHINES,
    ),
]
To = Annotated[
    Path | None,
    typer.Option(
        "--to", metavar="FILE", help="Send results to the destination in a node's configuration (TOML).", rich_help_panel=_SENT,
        show_default=False,
    ),
]  # fmt: skip
DestinationName = Annotated[
    str | None,
    typer.Option(
        "--destination",
        metavar="NAME",
        help="Which one, where the file has several.",
        rich_help_panel=_SENT,
        show_default=False,
    ),
]
