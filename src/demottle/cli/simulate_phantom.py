"""`demottle simulate phantom`: an analytic phantom, its truth, and scans of it."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.console import out
from demottle.cli.guard import guarded
from demottle.cli.options import Debug
from demottle.cli.progress import watch
from demottle.errors import OutputError


FIELD_OF_VIEW_MM = 380.0  # that of an abdomen
SLICE_MM = 3.0


@guarded
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where scan/ and truth/ go.")],
    slices: Annotated[int, typer.Option(min=1, metavar="N", help="Number of slices.")] = 24,
    size: Annotated[int, typer.Option(min=32, metavar="N", help="Rows and columns.")] = 256,
    sigma: Annotated[float, typer.Option(min=0.0, metavar="HU", help="Noise in the middle of the body, in HU.")] = 40.0,
    correlation: Annotated[
        float, typer.Option(min=0.0, max=0.7, metavar="R", help="Correlation of the noise of adjacent slices.")
    ] = 0.25,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same scan.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")] = False,
    debug: Debug = False,
) -> None:
    """Write a low-dose CT scan of an analytic body phantom and its truth, as DICOM series."""
    from demottle import io
    from demottle.physics.phantom import build_phantom, low_dose_scan

    for name in ("scan", "truth"):
        if (output / name).exists() and not overwrite:
            raise OutputError(f"{output / name} exists already; choose another folder or add --overwrite.")
    pixel = FIELD_OF_VIEW_MM / size
    with watch() as listener:
        truth = build_phantom(slices, size, (SLICE_MM, pixel, pixel), seed, listener).image
        scan = low_dose_scan(truth, sigma, correlation, seed, listener=listener)
        for name, made, description in (("truth", truth, "Phantom, noise-free"), ("scan", scan, "Phantom, low dose")):
            image = replace(made, source=io.described(description))
            io.write(image, output / name, format="dicom", overwrite=overwrite, listener=listener)
    out.print(f"Scan   {output / 'scan'}\nTruth  {output / 'truth'}", markup=False, soft_wrap=True)
