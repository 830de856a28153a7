"""The arguments and options of `demottle denoise`: what they are called, how they are told of, what they take."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.screen import options

METHOD = "Method"
PAGE = "The page"
PROMISE = "A promise (CT)"


Output = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where the denoised scan goes.")]
Method = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Method: see 'demottle methods'. Default: the scan decides.", rich_help_panel=METHOD
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Use a saved network; learn nothing.", rich_help_panel=METHOD),
]
SaveModel = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Keep the fitted network.", rich_help_panel=METHOD)
]
Strength = Annotated[
    float,
    typer.Option(
        min=0, max=1, metavar="S", help="Strength: 1 removes all noise found, 0 none.", rich_help_panel=METHOD
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How much noise stays, by what is measured: gentle, standard or strong.",
        rich_help_panel=METHOD,
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(min=0.01, metavar="M", help="Time to learn. Default: the scan decides.", rich_help_panel=METHOD),
]
Steps = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Steps to learn, instead of minutes.", rich_help_panel=METHOD)
]
KeepBias = Annotated[
    bool,
    typer.Option("--keep-bias", metavar="", help="MR: leave in the bias that noise adds.", rich_help_panel=METHOD),
]
Texture = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="Noise to leave, in the scan's own texture: 0 to 1, or auto for the least that keeps it.",
        rich_help_panel=METHOD,
    ),
]
KeepMtf = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="Sharpness to keep: share of f50 of faint and clear edges, such as 0.9. The strength is found for it.",
        rich_help_panel=PROMISE,
    ),
]
KeepHu = Annotated[
    float | None,
    typer.Option(metavar="HU", help="CT numbers to keep: how far any tissue's mean may move.", rich_help_panel=PROMISE),
]
Noise = Annotated[
    str | None,
    typer.Option(metavar="-P%", help="Change of the noise in flat soft tissue, such as -45%.", rich_help_panel=PROMISE),
]
Seed = Annotated[
    int, typer.Option(min=0, metavar="N", help="The same seed gives the same result.", rich_help_panel=METHOD)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the method; repeatable.", rich_help_panel=METHOD),
]
Uncertainty = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the standard error of every voxel (CT in HU): up to twice the time."),
]
Spread = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write how far a model's passes differ at every voxel (dose-diffusion)."),
]
AcceptOwnOutput = Annotated[
    bool,
    typer.Option(
        "--accept-own-output",
        metavar="",
        help="Accept a scan that demottle has denoised already.",
        rich_help_panel=options.READING,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Format of OUT. Default: that of SCAN.", rich_help_panel=options.READING),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", metavar="", help="Replace earlier results.", rich_help_panel=options.READING)
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        metavar="",
        help="Leave out what an earlier run has finished, of a folder of scans.",
        rich_help_panel=options.READING,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where the page goes. Default: OUT-report.", rich_help_panel=PAGE),
]
NoReport = Annotated[
    bool, typer.Option("--no-report", metavar="", help="Write neither page nor run.json.", rich_help_panel=PAGE)
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=1,
        metavar="N",
        help="How many scans of a folder at a time, each in a process of its own with its share of the cores.",
        rich_help_panel=options.READING,
    ),
]
