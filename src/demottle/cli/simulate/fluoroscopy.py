"""`demottle simulate fluoroscopy`: a noisy run of X-ray frames whose truth is known."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from demottle.cli.screen.console import out
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Series
from demottle.cli.screen.progress import Stages, watch
from demottle.events import Stage
from demottle.io.output import publishing_in, refuse_inputs, refuse_taken

if TYPE_CHECKING:
    from demottle.physics.fluoroscopy.dynamic import Dynamic

BELONGS = re.compile(r"run\.dcm|truth\.nii\.gz|flow\.npy|parts\.npy|truth\.json")
SCENE, DOSE, CAMERA = "Scene", "Dose and detector", "Camera"


@guarded
def fluoroscopy(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the data set goes.")],
    motion: Annotated[
        str, typer.Option(metavar="NAME", help="Motion: natural, static, slow, fast or panning.", rich_help_panel=SCENE)
    ] = "natural",
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="SCAN", help="CT scan to project.", rich_help_panel=SCENE),
    ] = None,
    size: Annotated[int, typer.Option(min=32, metavar="N", help="Rows and columns.", rich_help_panel=SCENE)] = 512,
    frames: Annotated[int, typer.Option(min=1, metavar="N", help="Number of frames.", rich_help_panel=SCENE)] = 60,
    rate: Annotated[float, typer.Option(metavar="HZ", help="Frames per second.", rich_help_panel=SCENE)] = 15.0,
    quanta: Annotated[
        float, typer.Option(metavar="Q", help="Quanta per pixel and frame; 6 to 136 is usual.", rich_help_panel=DOSE)
    ] = 24.0,
    scatter: Annotated[
        float, typer.Option(metavar="S", help="Scatter per primary quantum.", rich_help_panel=DOSE)
    ] = 0.3,
    blur: Annotated[
        float, typer.Option(metavar="PIXELS", help="Scintillator blur (Gaussian sigma).", rich_help_panel=DOSE)
    ] = 0.6,
    lag: Annotated[float, typer.Option(metavar="L", help="Detector lag, as a share.", rich_help_panel=DOSE)] = 0.0,
    electronic: Annotated[
        float, typer.Option(metavar="Q", help="Electronic noise, quanta rms.", rich_help_panel=DOSE)
    ] = 3.0,
    recursion: Annotated[
        float, typer.Option(metavar="W", help="Weight of the camera's own filter; 1: none.", rich_help_panel=CAMERA)
    ] = 1.0,
    display: Annotated[
        str, typer.Option(metavar="NAME", help="Gray scale: linear, log or gamma.", rich_help_panel=CAMERA)
    ] = "linear",
    bits: Annotated[int, typer.Option(metavar="N", help="Bits stored, 8 to 16.", rich_help_panel=CAMERA)] = 12,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same run.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")] = False,
    series: Series = None,
    debug: Debug = False,
) -> None:
    """Simulate a noisy run of a moving phantom or of a CT scan, with its truth and its motion; the run is marked SIMULATED."""
    refuse_inputs([output], [from_], added=True)
    if not overwrite:
        refuse_taken(output, BELONGS)
    from demottle.cli.simulate.fluoroscopy_files import write_run
    from demottle.physics.fluoroscopy.acquisition import Exposure, acquire

    exposure = Exposure(quanta, scatter, blur, lag, electronic, recursion, cast("Any", display), bits)
    with watch() as listener, publishing_in(output, BELONGS, overwrite=overwrite) as folder:
        scene = _scene(from_, series, frames, size, rate, seed, motion, listener)
        run = acquire(scene.image, exposure, seed, listener)
        origin: dict[str, object] = {"preset": motion, "seed": seed, "from_scan": from_ is not None}
        with listener.stage(Stage.WRITE):
            names = write_run(folder, scene, run, origin)
    out.print("\n".join(str(output / name) for name in names), markup=False, soft_wrap=True)


def _scene(
    scan: Path | None, series: str | None, frames: int, size: int, rate: float, seed: int, motion: str, listener: Stages
) -> "Dynamic":
    from demottle import io
    from demottle.physics.fluoroscopy.ct import project_scan
    from demottle.physics.fluoroscopy.dynamic import FIELD_OF_VIEW, WATER, dynamic_phantom

    preset = cast("Any", motion)
    if scan is None:
        return dynamic_phantom(frames, size, rate, seed=seed, listener=listener, motion=preset)
    patient = project_scan(io.read(scan, series=series, listener=listener), WATER)
    pixel = min(FIELD_OF_VIEW, patient.extent) / size
    return dynamic_phantom(frames, size, rate, pixel, seed, listener, preset, patient)
