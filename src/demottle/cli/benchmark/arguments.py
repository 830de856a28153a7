"""The arguments and options of `demottle benchmark`: what they are called, how they are told of, what they take."""

from pathlib import Path
from typing import Annotated

import typer

SUITE_HELP = (
    "Suite. Methods: ct-volume, ct-real, ct-anatomies, single-slice, ct-unpaired, ct-doses, ct-ascon, ldct, "
    "fluoroscopy, mr, nordic; "
    "decisions: fluoroscopy-plan, fluoroscopy-wires, gate, uncertainty, contract, lies, noise-measures, low-dose-noise; "
    "the machine: speed, node."
)
"""In full, as to import the suites takes a second; a test holds it to them."""
RUNNING = "How it runs"


Suite = Annotated[
    str,
    typer.Option(metavar="NAME", help=SUITE_HELP),
]
Quick = Annotated[bool, typer.Option("--quick", metavar="", help="Small images, one seed: minutes.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Results and page. Default: benchmark-results/SUITE."),
]
Method = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help="Method to run; NAME:SETTING=VALUE for other settings; repeatable.",
    ),
]
Rival = Annotated[str | None, typer.Option(metavar="NAME", help="Method that the others are compared with.")]
Case = Annotated[
    list[str] | None,
    typer.Option("--case", metavar="PATTERN", help="Kinds of cases to run, such as 'archive*'; repeatable."),
]
Seeds = Annotated[int | None, typer.Option(metavar="N", min=1, help="Number of cases of each kind.")]
Minutes = Annotated[
    float | None, typer.Option(metavar="M", help="Minutes to learn, for every method. Default: 0.75, with --quick 0.2.")
]
Real = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Real CT scans: for ct-volume any of little noise, else the public ones."),
]
Data = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Pairs of low-dose and full-dose CT scans, for ldct.")
]
Split = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Patients of --data to learn from and to judge (JSON).")
]
Cohort = Annotated[
    bool, typer.Option("--cohort", metavar="", help="Larger cohort of ct-unpaired, with parts of the public scans.")
]
Page = Annotated[bool, typer.Option("--report", metavar="", help="Run nothing; show the results so far.")]
Retry = Annotated[bool, typer.Option("--retry", metavar="", help="Retry what failed.")]
Jobs = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, help="Cells at a time; timings are most reliable with 1.", rich_help_panel=RUNNING
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Threads of each cell. Default: all cores.", rich_help_panel=RUNNING),
]
Wall = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="Seconds after which to stop; run again to continue.", rich_help_panel=RUNNING
    ),
]
Cache = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Simulated cases. Default: OUT/cases.", rich_help_panel=RUNNING)
]
