"""The options of `demottle evaluate` that no other verb has."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.gate import PANEL

KNOWN = "Reference data"
RESULTS = "Results"

Output = Annotated[Path | None, typer.Argument(metavar="OUT", help="A denoised scan.", show_default=False)]
Scan = Annotated[Path | None, typer.Option("--input", metavar="SCAN", help="The scan it was made from.")]
Truth = Annotated[Path | None, typer.Option(metavar="TRUTH", help="The noise-free scan.", rich_help_panel=KNOWN)]
SecondInput = Annotated[
    Path | None, typer.Option(metavar="SCAN2", help="The same object scanned again.", rich_help_panel=KNOWN)
]
SecondOutput = Annotated[
    Path | None, typer.Option(metavar="OUT2", help="Result made from SCAN2.", rich_help_panel=KNOWN)
]
Structures = Annotated[
    Path | None, typer.Option(metavar="FILE", help="truth.json of a phantom.", rich_help_panel=KNOWN)
]
AbsentInput = Annotated[
    Path | None, typer.Option(metavar="SCAN0", help="The phantom without its objects.", rich_help_panel=KNOWN)
]
AbsentOutput = Annotated[
    Path | None, typer.Option(metavar="OUT0", help="Result made from SCAN0.", rich_help_panel=KNOWN)
]
Margin = Annotated[float | None, typer.Option(metavar="HU", help="Equivalence margin for CT numbers. Default: 2 HU.")]
Batch = Annotated[
    str | None,
    typer.Option(metavar="CSV|PATTERN", help="Many cases: a table, or 'OUT/{case}/{method}'."),
]
AskGate = Annotated[
    bool,
    typer.Option("--gate", metavar="", help="Check against limits; exit 3 if one fails.", rich_help_panel=PANEL),
]
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write all measures as CSV.", rich_help_panel=RESULTS)
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page.", rich_help_panel=RESULTS)]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", metavar="", help="Replace earlier results.", rich_help_panel=RESULTS)
]
