"""`demottle simulate`: noisy scans whose truth is known, to try demottle on."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.console import out, say
from demottle.cli.guard import guarded
from demottle.cli.options import Debug
from demottle.errors import OutputError

simulate = typer.Typer(name="simulate", help="Simulate noisy scans whose truth is known.", no_args_is_help=True)


@simulate.callback()
def _simulate() -> None:
    pass


@simulate.command()
@guarded
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where scan/ and truth/ go.")],
    slices: Annotated[int, typer.Option(min=1, help="Number of slices.")] = 24,
    size: Annotated[int, typer.Option(min=32, help="Rows and columns.")] = 256,
    sigma: Annotated[float, typer.Option(min=0.0, help="Noise in the middle of the body, in HU.")] = 40.0,
    correlation: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Correlation of the noise of adjacent slices.")
    ] = 0.25,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scan.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    debug: Debug = False,
) -> None:
    """Write a low-dose CT scan of an analytic body phantom and its truth, as DICOM series."""
    from demottle import io
    from demottle.physics.phantom import body_phantom, low_dose_scan

    for name in ("scan", "truth"):
        if (output / name).exists() and not overwrite:
            raise OutputError(f"{output / name} exists already; choose another folder or add --overwrite.")
    say(f"Simulating {slices} slices of {size} x {size} ...", style="dim")
    field_of_view = 380.0  # mm, that of a body scan
    pixel = field_of_view / size
    truth = body_phantom(slices=slices, size=size, spacing=(3.0, pixel, pixel), seed=seed)
    scan = low_dose_scan(truth, sigma=sigma, rho=correlation, seed=seed)
    for name, image in (("truth", truth), ("scan", scan)):
        io.write(image, output / name, format="dicom", overwrite=overwrite)
    out.print(f"Scan   {output / 'scan'}\nTruth  {output / 'truth'}", markup=False, soft_wrap=True)
