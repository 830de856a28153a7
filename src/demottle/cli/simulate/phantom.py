"""`demottle simulate phantom`: an analytic phantom, its exact truth, and scans of it with independent noise."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.dataset import published_together, refuse_existing
from demottle.cli.screen.console import out, say
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, parse_spacing
from demottle.cli.screen.progress import watch
from demottle.errors import InputError

BELONGS = re.compile(r"absent|(scan|truth|repeat-\d+)(\.nii\.gz)?|truth\.json|flow\.npy|parts\.npy")
KINDS = "body, water, low-contrast, rods, wire (CT), brain (MR), dynamic (fluoroscopy)."
SHAPE, NOISE, DYNAMIC, MR = "Shape", "Noise", "Fluoroscopy", "MR"
SLICES, CORRELATION = 24, 0.25
FRAMES, RATE = 60, 15.0


@guarded
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the data set goes.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help=KINDS)] = "body",
    size: Annotated[int, typer.Option(min=32, metavar="N", help="Rows and columns.")] = 256,
    slices: Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of slices (24).")] = None,
    spacing: Annotated[
        str | None,
        typer.Option(
            metavar="Z,Y,X", help="Voxel size in mm; default: 3, and what shows the whole.", rich_help_panel=SHAPE
        ),
    ] = None,
    diameter: Annotated[
        float | None,
        typer.Option(metavar="MM", help="Diameter of water (200) or low-contrast (150).", rich_help_panel=SHAPE),
    ] = None,
    contrast: Annotated[
        float | None, typer.Option(metavar="HU", help="Contrast of the low-contrast rods (35).", rich_help_panel=SHAPE)
    ] = None,
    blur: Annotated[
        float | None, typer.Option(metavar="MM", help="Gaussian blur (rods, wire 0.5; else 0).", rich_help_panel=SHAPE)
    ] = None,
    sigma: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="HU",
            help="Noise in the middle (body 40, water 20, else 10); brain: % of the maximum (5).",
            rich_help_panel=NOISE,
        ),
    ] = None,
    dose: Annotated[
        float | None, typer.Option(metavar="D", help="Share of the dose that gives --sigma (1).", rich_help_panel=NOISE)
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=0.7, metavar="R", help="Noise correlation of adjacent slices (0.25).", rich_help_panel=NOISE
        ),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Kernel: soft (default), standard or sharp.", rich_help_panel=NOISE),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Scans with independent noise (1).", rich_help_panel=NOISE)
    ] = None,
    weighting: Annotated[
        str | None, typer.Option(metavar="NAME", help="Tissue contrast: t1 (default) or t2.", rich_help_panel=MR)
    ] = None,
    acquired: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of k-space acquired; the rest is zeros (1).", rich_help_panel=MR),
    ] = None,
    uneven: Annotated[
        float | None,
        typer.Option(metavar="U", help="Noise in the middle is 1 + U times that at the rim (0).", rich_help_panel=MR),
    ] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Number of frames (60).", rich_help_panel=DYNAMIC)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="HZ", help="Frames per second (15).", rich_help_panel=DYNAMIC)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same scan.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")] = False,
    debug: Debug = False,
) -> None:
    """Write an analytic phantom: its noise-free truth, what is where in it, and low-dose scans of it."""
    if not overwrite:
        refuse_existing(output, BELONGS)
    shape = {"slices": slices, "spacing": spacing, "diameter": diameter, "contrast": contrast, "blur": blur}
    noise = {"sigma": sigma, "dose": dose, "correlation": correlation, "kernel": kernel, "repeats": repeats}
    film = {"frames": frames, "rate": rate}
    magnitude = {"weighting": weighting, "acquired": acquired, "uneven": uneven}
    from demottle.cli.simulate.phantom_files import MrNoise, Noise, write_ct, write_dynamic, write_mr

    if kind == "dynamic":
        _refuse(shape | noise | magnitude, "is for CT or MR phantoms; the dynamic one is written without noise")
        from demottle.physics.fluoroscopy.dynamic import dynamic_phantom

        with watch() as listener, published_together(output, BELONGS, overwrite) as folder:
            made = dynamic_phantom(frames or FRAMES, size, RATE if rate is None else rate, seed=seed, listener=listener)
            names = write_dynamic(folder, made, seed)
        say(
            "The frames are NIfTI, not DICOM, and free of noise; 'demottle simulate fluoroscopy' takes noisy runs as DICOM."
        )
        _list(output, names)
        return
    _refuse(film, "is for --kind dynamic")
    from demottle.physics.ct.ct_noise import check_share
    from demottle.physics.phantoms.catalog import build, kind_named
    from demottle.physics.phantoms.repeats import kernel_named

    chosen = kind_named(kind)
    level, count, step = chosen.sigma if sigma is None else sigma, repeats or 1, parse_spacing(spacing)
    if chosen.modality == "MR":
        _refuse({name: noise[name] for name in ("dose", "correlation", "kernel")}, "is for CT phantoms")
        wanted = MrNoise(level, 1.0 if acquired is None else acquired, uneven or 0.0, seed, count)
        with watch() as listener, published_together(output, BELONGS, overwrite) as folder:
            scene = build(kind, slices or SLICES, size, step, seed, diameter, contrast, blur, weighting, listener)
            names = write_mr(folder, kind, scene, wanted, listener)
        say("The volumes are NIfTI, which does not say that they are MR: give --modality MR with them.")
        _list(output, names)
        return
    _refuse(magnitude, "is for --kind brain")
    share = 1.0 if dose is None else dose
    check_share(share)
    rho = CORRELATION if correlation is None else correlation
    quantum = Noise(level, share, rho, kernel_named(kernel or "soft"), seed, count)
    with watch() as listener, published_together(output, BELONGS, overwrite) as folder:
        scene = build(kind, slices or SLICES, size, step, seed, diameter, contrast, blur, listener=listener)
        names = write_ct(folder, kind, scene, quantum, listener)
    _list(output, names)


def _list(output: Path, names: list[str]) -> None:
    out.print("\n".join(str(output / name) for name in names), markup=False, soft_wrap=True)


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Raise InputError for the first option that was given although it means nothing here."""
    for option, value in given.items():
        if value is not None:
            raise InputError(f"--{option} {why}: leave it out.")
