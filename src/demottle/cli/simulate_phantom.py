"""`demottle simulate phantom`: an analytic phantom, its exact truth, and scans of it with independent noise."""

import re
from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.console import out
from demottle.cli.dataset import published_together, refuse_existing
from demottle.cli.guard import guarded
from demottle.cli.options import Debug, parse_spacing
from demottle.cli.progress import watch

BELONGS = re.compile(r"scan|truth|absent|repeat-\d+|truth\.json|truth\.nii\.gz|flow\.npy|layers\.npy")
KINDS = "body, water, low-contrast, rods, wire: CT."
SHAPE, NOISE = "Shape", "Noise"


@guarded
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the data set goes.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help=KINDS)] = "body",
    size: Annotated[int, typer.Option(min=32, metavar="N", help="Rows and columns.")] = 256,
    slices: Annotated[int, typer.Option(min=1, metavar="N", help="Number of slices.")] = 24,
    spacing: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="In mm; else 3 and what shows all of it.", rich_help_panel=SHAPE)
    ] = None,
    diameter: Annotated[
        float | None, typer.Option(metavar="MM", help="Of water (200), low-contrast (150).", rich_help_panel=SHAPE)
    ] = None,
    contrast: Annotated[
        float | None, typer.Option(metavar="HU", help="Of the low-contrast rods (35).", rich_help_panel=SHAPE)
    ] = None,
    blur: Annotated[
        float | None, typer.Option(metavar="MM", help="Gaussian blur (rods, wire 0.5; else 0).", rich_help_panel=SHAPE)
    ] = None,
    sigma: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="HU", help="In the middle (body 40, water 20, else 10).", rich_help_panel=NOISE),
    ] = None,
    dose: Annotated[
        float, typer.Option(metavar="D", help="Share of the dose that gives --sigma.", rich_help_panel=NOISE)
    ] = 1.0,
    correlation: Annotated[
        float,
        typer.Option(min=0.0, max=0.7, metavar="R", help="Of the noise of adjacent slices.", rich_help_panel=NOISE),
    ] = 0.25,
    kernel: Annotated[
        str, typer.Option(metavar="NAME", help="soft, standard or sharp: its texture.", rich_help_panel=NOISE)
    ] = "soft",
    repeats: Annotated[
        int, typer.Option(min=1, metavar="N", help="Scans with independent noise.", rich_help_panel=NOISE)
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same scan.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")] = False,
    debug: Debug = False,
) -> None:
    """Write an analytic phantom: its noise-free truth, what is where in it, and low-dose scans of it."""
    if not overwrite:
        refuse_existing(output, BELONGS)
    step = parse_spacing(spacing)
    from demottle.cli.phantom_files import Noise, write_ct
    from demottle.physics.catalog import build, kind_named
    from demottle.physics.repeats import kernel_named, sigma_at

    level = sigma_at(kind_named(kind).sigma if sigma is None else sigma, dose)
    noise = Noise(level, correlation, kernel_named(kernel), seed, repeats)
    with watch() as listener, published_together(output, BELONGS, overwrite) as folder:
        scene = build(kind, slices, size, step, seed, diameter, contrast, blur, listener)
        names = write_ct(folder, kind, scene, noise, listener)
    out.print("\n".join(str(output / name) for name in names), markup=False, soft_wrap=True)
