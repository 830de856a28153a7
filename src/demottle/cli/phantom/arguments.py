"""The options of `demottle phantom`."""

from pathlib import Path
from typing import Annotated

import typer

RESULTS = "Results"
DRIFT = "Drift"

Series = Annotated[Path, typer.Argument(metavar="SERIES", help="A scan of a QA phantom: DICOM folder, or any format.")]
After = Annotated[
    Path | None, typer.Option(metavar="AFTER", help="What a denoiser made of it: measured at the same places.")
]
Kind = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="catphan-500, -503, -504, -600, -604, -700, acr-464, cct189 or water, where it is not recognized.",
    ),
]
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write all measures as CSV.", rich_help_panel=RESULTS)
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page.", rich_help_panel=RESULTS)]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", metavar="", help="Replace an earlier page or CSV.", rich_help_panel=RESULTS)
]
History = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Add the figures to this CSV, and say what drifted.", rich_help_panel=DRIFT),
]
Date = Annotated[
    str | None,
    typer.Option(metavar="YYYY-MM-DD", help="Day of the scan, where the file does not say.", rich_help_panel=DRIFT),
]
