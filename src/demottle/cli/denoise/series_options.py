"""The options of `demottle denoise` for the files that belong to an MR series."""

from pathlib import Path
from typing import Annotated

import typer

PANEL = "MR series"

Phase = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Phase image; part-phase beside part-mag is found.", rich_help_panel=PANEL),
]
NoiseVolumes = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="The last N hold noise alone. Default: found.", rich_help_panel=PANEL),
]
NoiseScan = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Volumes of noise alone, magnitude.", rich_help_panel=PANEL),
]
NoiseMap = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The noise of each voxel (sigma), in the scan's unit.", rich_help_panel=PANEL),
]
Gfactor = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The g-factor of each voxel; the level is measured.", rich_help_panel=PANEL),
]
Sigma = Annotated[
    float | None,
    typer.Option(metavar="S", help="The noise of real and imaginary part; times --gfactor.", rich_help_panel=PANEL),
]
SavePhase = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the denoised phase.", rich_help_panel=PANEL),
]
SaveNoiseMap = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the noise of each voxel.", rich_help_panel=PANEL),
]
SaveComponents = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write how many components each voxel kept.", rich_help_panel=PANEL),
]
