"""The arguments and options of `demottle stream`: what they are called, how they are told of, what they take."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.stream.method import FEWEST, MEASURED

LIVE, HOW = "Live", "Method"

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="A file, a growing folder, - (stdin) or tcp:PORT.")]
Output = Annotated[str, typer.Option("--output", "-o", metavar="OUT", help="A file, a new folder/, or - for bytes.")]
Model = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A fitted method ('denoise --save-model').", rich_help_panel=HOW)
]
Method = Annotated[
    str | None, typer.Option(metavar="NAME", help="Method to fit first (live: filters only).", rich_help_panel=HOW)
]
Minutes = Annotated[
    float | None, typer.Option(min=0.01, metavar="M", help="Time to learn from a file.", rich_help_panel=HOW)
]
Steps = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Steps to learn, instead of minutes.", rich_help_panel=HOW)
]
Measure = Annotated[
    int | None,
    typer.Option(
        min=FEWEST,
        metavar="N",
        help=f"Frames to measure before a live filter starts ({MEASURED}).",
        rich_help_panel=HOW,
    ),
]
SaveModel = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File for the fitted network, for --model.", rich_help_panel=HOW)
]
Engine = Annotated[
    str, typer.Option(metavar="NAME", help="Engine: auto (the faster), torch or onnx.", rich_help_panel=HOW)
]
SaveOnnx = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the network as ONNX.", rich_help_panel=HOW)]
Rate = Annotated[
    float | None, typer.Option(metavar="HZ", help="Frames per second. Default: as they come.", rich_help_panel=LIVE)
]
Queue = Annotated[int, typer.Option(metavar="N", help="Most frames that may wait.", rich_help_panel=LIVE)]
Policy = Annotated[
    str | None,
    typer.Option(
        metavar="drop|slow", help="Policy when it falls behind. Default: slow for files.", rich_help_panel=LIVE
    ),
]
Raw = Annotated[
    str | None,
    typer.Option(metavar="GEOMETRY", help="Geometry of raw bytes: ROWSxCOLUMNSxTYPE.", rich_help_panel=LIVE),
]
Stall = Annotated[
    float,
    typer.Option(min=0.1, metavar="S", help="Seconds without a frame before it ends.", rich_help_panel=LIVE),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace an earlier file.")]
