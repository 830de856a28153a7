"""The arguments and options of `demottle train`: what they are called, how they are told of, what they take."""

from pathlib import Path
from typing import Annotated

import typer

DATA, TRAINING, WATCHING = "Data", "Training", "Watching"

Method = Annotated[str, typer.Argument(metavar="METHOD", help="Method that learns from sets: see 'demottle methods'.")]
Low = Annotated[
    Path | None,
    typer.Option("--low", metavar="FOLDER", help="Low-dose scans; not for dose-diffusion.", rich_help_panel=DATA),
]
Full = Annotated[
    Path | None,
    typer.Option(
        "--full", "--full-dose", metavar="FOLDER", help="Full-dose scans of other patients.", rich_help_panel=DATA
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Parquet table of scans, in place of --low and --full.", rich_help_panel=DATA),
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the model goes.")]
Preset = Annotated[
    str | None, typer.Option(metavar="NAME", help="Preset: full, or small without a GPU.", rich_help_panel=TRAINING)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting; repeatable.", rich_help_panel=TRAINING),
]
Start = Annotated[
    Path | None,
    typer.Option("--from", metavar="MODEL", help="Model to begin with, for fine-tuning.", rich_help_panel=TRAINING),
]
Steps = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Steps to train. Default: the preset's.", rich_help_panel=TRAINING),
]
Minutes = Annotated[
    float | None, typer.Option(min=0.01, metavar="M", help="Time limit in minutes.", rich_help_panel=TRAINING)
]
Seed = Annotated[
    int, typer.Option(min=0, metavar="N", help="Seed; the same one gives the same model.", rich_help_panel=TRAINING)
]
Resume = Annotated[
    bool, typer.Option("--resume", metavar="", help="Continue a stopped training.", rich_help_panel=TRAINING)
]
ValidationShare = Annotated[
    float,
    typer.Option(min=0.01, max=0.9, metavar="S", help="Share of patients for validation.", rich_help_panel=DATA),
]
EarlierName = Annotated[float | None, typer.Option("--exam-share", min=0.01, max=0.9, hidden=True)]
AllowMixed = Annotated[
    bool, typer.Option("--allow-mixed", metavar="", help="Accept several kernels.", rich_help_panel=DATA)
]
Cache = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder for cached slices.", rich_help_panel=DATA)]
CacheLimit = Annotated[
    float, typer.Option(min=0.01, metavar="GB", help="Disk space for the cache, at most.", rich_help_panel=DATA)
]
Pictures = Annotated[
    int, typer.Option(min=0, metavar="N", help="Sample pictures every N steps; 0: none.", rich_help_panel=WATCHING)
]
Tensorboard = Annotated[
    bool, typer.Option("--tensorboard", metavar="", help="Write TensorBoard files.", rich_help_panel=WATCHING)
]
SaveEvery = Annotated[
    int, typer.Option(min=1, metavar="N", help="Steps between checkpoints.", rich_help_panel=WATCHING)
]
Overwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace an earlier model.")]
