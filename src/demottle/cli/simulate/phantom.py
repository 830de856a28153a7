"""`demottle simulate phantom`: an analytic phantom, its exact truth, and scans of it with independent noise."""

import re
from collections.abc import Mapping
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from demottle.cli.screen.console import out, say
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, parse_spacing
from demottle.cli.screen.progress import watch
from demottle.cli.simulate import arguments
from demottle.errors import InputError
from demottle.io.output import publishing_in, refuse_taken

if TYPE_CHECKING:
    from demottle.physics.phantoms.scenes import Lie

BELONGS = re.compile(r"absent|(scan|truth|repeat-\d+)(\.nii\.gz)?|truth\.json|flow\.npy|parts\.npy")
CORRELATION = 0.25
FRAMES, RATE = 60, 15.0


@guarded
def phantom(
    output: arguments.PhantomOutput,
    kind: arguments.PhantomKind = "body",
    size: arguments.PhantomSize = 256,
    slices: arguments.PhantomSlices = None,
    spacing: arguments.PhantomSpacing = None,
    diameter: arguments.PhantomDiameter = None,
    contrast: arguments.PhantomContrast = None,
    blur: arguments.PhantomBlur = None,
    sigma: arguments.PhantomSigma = None,
    dose: arguments.PhantomDose = None,
    correlation: arguments.PhantomCorrelation = None,
    kernel: arguments.PhantomKernel = None,
    repeats: arguments.PhantomRepeats = None,
    weighting: arguments.PhantomWeighting = None,
    acquired: arguments.PhantomAcquired = None,
    uneven: arguments.PhantomUneven = None,
    frames: arguments.PhantomFrames = None,
    rate: arguments.PhantomRate = None,
    roll: arguments.PhantomRoll = None,
    tilt: arguments.PhantomTilt = None,
    shift: arguments.PhantomShift = None,
    thickness: arguments.PhantomThickness = None,
    seed: arguments.PhantomSeed = 0,
    overwrite: arguments.PhantomOverwrite = False,
    debug: Debug = False,
) -> None:
    """Write an analytic phantom: its noise-free truth, its structures, and low-dose scans of it."""
    if not overwrite:
        refuse_taken(output, BELONGS)
    shape = {"slices": slices, "spacing": spacing, "diameter": diameter, "contrast": contrast, "blur": blur}
    noise = {"sigma": sigma, "dose": dose, "correlation": correlation, "kernel": kernel, "repeats": repeats}
    magnitude = {"weighting": weighting, "acquired": acquired, "uneven": uneven}
    lying = {"roll": roll, "tilt": tilt, "shift": shift, "thickness": thickness}
    if kind == "dynamic":
        return _dynamic(output, frames, size, rate, seed, overwrite, shape | noise | magnitude | lying)
    _refuse({"frames": frames, "rate": rate}, "is for --kind dynamic")
    from demottle.cli.simulate.phantom_files import MrNoise, Noise, write_ct, write_mr
    from demottle.physics.ct.ct_noise import check_share
    from demottle.physics.phantoms.catalog import build, kind_named
    from demottle.physics.phantoms.repeats import kernel_named

    chosen = kind_named(kind)
    level, count, step = chosen.sigma if sigma is None else sigma, repeats or 1, parse_spacing(spacing)
    if chosen.modality == "MR":
        _refuse(lying | {name: noise[name] for name in ("dose", "correlation", "kernel")}, "is for CT phantoms")
        wanted = MrNoise(level, 1.0 if acquired is None else acquired, uneven or 0.0, seed, count)
        with watch() as listener, publishing_in(output, BELONGS, overwrite=overwrite) as folder:
            scene = build(kind, slices, size, step, seed, diameter, contrast, blur, weighting, listener)
            names = write_mr(folder, kind, scene, wanted, listener)
        say("The volumes are NIfTI, which does not say that they are MR: give --modality MR with them.")
        return _list(output, names)
    _refuse(magnitude, "is for --kind brain")
    share, rho = (usual if given is None else given for given, usual in ((dose, 1.0), (correlation, CORRELATION)))
    quantum = Noise(level, check_share(share), rho, kernel_named(kernel or "soft"), seed, count)
    with watch() as listener, publishing_in(output, BELONGS, overwrite=overwrite) as folder:
        lie = _lie(roll, tilt, shift, thickness)
        scene = build(kind, slices, size, step, seed, diameter, contrast, blur, None, listener, lie)
        names = write_ct(folder, kind, scene, quantum, listener)
    _list(output, names)


def _dynamic(
    output: Path,
    frames: int | None,
    size: int,
    rate: float | None,
    seed: int,
    overwrite: bool,
    given: Mapping[str, object],
) -> None:
    """Write the dynamic phantom; `given` are the options of the others, which it does not take."""
    _refuse(given, "is for CT or MR phantoms; the dynamic one is written without noise")
    from demottle.cli.simulate.phantom_files import write_dynamic
    from demottle.physics.fluoroscopy.dynamic import dynamic_phantom

    with watch() as listener, publishing_in(output, BELONGS, overwrite=overwrite) as folder:
        made = dynamic_phantom(frames or FRAMES, size, RATE if rate is None else rate, seed=seed, listener=listener)
        names = write_dynamic(folder, made, seed)
    say(
        "The frames are NIfTI, not DICOM, and free of noise; 'demottle simulate fluoroscopy' takes noisy runs as DICOM."
    )
    _list(output, names)


def _lie(roll: float | None, tilt: str | None, shift: str | None, thickness: float | None) -> "Lie | None":
    """How a QA phantom lies; None where nothing is said of it."""
    from demottle.physics.phantoms.scenes import Lie

    if (roll, tilt, shift, thickness) == (None, None, None, None):
        return None

    if thickness is not None and not 0 < thickness < inf:
        raise typer.BadParameter(f"{thickness:g} cannot be a thickness; give mm", param_hint="--thickness")
    return Lie(roll or 0.0, _pair(tilt, "--tilt"), _pair(shift, "--shift"), thickness)


def _pair(text: str | None, option: str) -> tuple[float, float]:
    """Read "X,Y"."""
    try:
        x, y = (float(part) for part in (text or "0,0").split(","))
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not two numbers like 2,-1", param_hint=option) from None
    if not (isfinite(x) and isfinite(y)):
        raise typer.BadParameter(f"'{text}' is not two numbers like 2,-1", param_hint=option)
    return x, y


def _list(output: Path, names: list[str]) -> None:
    out.print("\n".join(str(output / name) for name in names), markup=False, soft_wrap=True)


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Raise InputError for the first option that was given although it means nothing here."""
    for option, value in given.items():
        if value is not None:
            raise InputError(f"--{option} {why}: leave it out.")
