"""The options of `demottle denoise` for the files that belong to an MR series."""

from pathlib import Path
from typing import Annotated

import typer

PANEL = "MR series"

Phase = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Phase image. Default: part-phase next to part-mag.", rich_help_panel=PANEL),
]
NoiseVolumes = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Noise-only volumes at the end. Default: detected.", rich_help_panel=PANEL),
]
NoiseScan = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Noise-only volumes (magnitude).", rich_help_panel=PANEL),
]
NoiseMap = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Noise map: sigma of each voxel, in the scan's unit.", rich_help_panel=PANEL),
]
Gfactor = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="g-factor map; the noise level is measured.", rich_help_panel=PANEL),
]
Sigma = Annotated[
    float | None,
    typer.Option(metavar="S", help="Noise of real and imaginary part, before --gfactor.", rich_help_panel=PANEL),
]
SavePhase = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the denoised phase.", rich_help_panel=PANEL),
]
SaveNoiseMap = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the noise map.", rich_help_panel=PANEL),
]
SaveComponents = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write how many components each voxel kept.", rich_help_panel=PANEL),
]
