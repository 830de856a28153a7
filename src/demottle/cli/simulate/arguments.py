"""The arguments and options of `demottle simulate`: what they are called, how they are told of, what they take."""

from pathlib import Path
from typing import Annotated

import typer

SHAPE, NOISE, DYNAMIC, MR, MODEL, QA = "Shape", "Noise", "Fluoroscopy", "MR", "Scanner model", "Catphan and ACR"
KINDS = (
    "body, water, low-contrast, rods, wire, catphan-500, -503, -504, -600, -604, -700, acr-464 (CT), brain (MR), dynamic "
    "(fluoroscopy)."
)


PhantomOutput = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the data set goes.")]
PhantomKind = Annotated[str, typer.Option(metavar="KIND", help=KINDS)]
PhantomSize = Annotated[int, typer.Option(min=32, metavar="N", help="Rows and columns.")]
PhantomSlices = Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of slices (24).")]
PhantomSpacing = Annotated[
    str | None,
    typer.Option(
        metavar="Z,Y,X", help="Voxel size in mm. Default: 3, and pixels that show all of it.", rich_help_panel=SHAPE
    ),
]
PhantomDiameter = Annotated[
    float | None,
    typer.Option(metavar="MM", help="Diameter of water (200) or low-contrast (150).", rich_help_panel=SHAPE),
]
PhantomContrast = Annotated[
    float | None, typer.Option(metavar="HU", help="Contrast of the low-contrast rods (35).", rich_help_panel=SHAPE)
]
PhantomBlur = Annotated[
    float | None,
    typer.Option(metavar="MM", help="Gaussian blur (rods, wire 0.5; Catphan, ACR 0.6; else 0).", rich_help_panel=SHAPE),
]
PhantomSigma = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="HU",
        help="Noise in the middle (body 40, water 20, else 10); brain: % of the maximum (5).",
        rich_help_panel=NOISE,
    ),
]
PhantomDose = Annotated[
    float | None, typer.Option(metavar="D", help="Share of the dose that gives --sigma (1).", rich_help_panel=NOISE)
]
PhantomCorrelation = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=0.7, metavar="R", help="Noise correlation of adjacent slices (0.25).", rich_help_panel=NOISE
    ),
]
PhantomKernel = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Kernel: soft (default), standard or sharp.", rich_help_panel=NOISE),
]
PhantomRepeats = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Scans with independent noise (1).", rich_help_panel=NOISE)
]
PhantomWeighting = Annotated[
    str | None, typer.Option(metavar="NAME", help="Tissue contrast: t1 (default) or t2.", rich_help_panel=MR)
]
PhantomAcquired = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Share of k-space acquired; the rest is zeros (1).", rich_help_panel=MR),
]
PhantomUneven = Annotated[
    float | None,
    typer.Option(metavar="U", help="Noise in the middle is 1 + U times that at the rim (0).", rich_help_panel=MR),
]
PhantomFrames = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Number of frames (60).", rich_help_panel=DYNAMIC)
]
PhantomRate = Annotated[
    float | None, typer.Option(metavar="HZ", help="Frames per second (15).", rich_help_panel=DYNAMIC)
]
PhantomRoll = Annotated[
    float | None, typer.Option(metavar="DEGREES", help="Turned clockwise by so much (0).", rich_help_panel=QA)
]
PhantomTilt = Annotated[
    str | None,
    typer.Option(metavar="X,Y", help="Degrees that its axis leans along columns, rows (0,0).", rich_help_panel=QA),
]
PhantomShift = Annotated[
    str | None, typer.Option(metavar="X,Y", help="Mm that it is shifted along columns, rows (0,0).", rich_help_panel=QA)
]
PhantomThickness = Annotated[
    float | None, typer.Option(metavar="MM", help="Slice thickness (their distance).", rich_help_panel=QA)
]
PhantomSeed = Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same scan.")]
PhantomOverwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")]

LowDoseDose = Annotated[float, typer.Option(metavar="D", help="Fraction of the scan's dose, above 0 and up to 1.")]
LowDoseOutput = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where the simulated scan goes.")]
LowDoseSeed = Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same noise.")]
LowDoseRepeats = Annotated[
    int, typer.Option(min=1, max=999, metavar="N", help="Scans with independent noise: OUT/repeat-01, ...")
]
LowDoseKernel = Annotated[
    str,
    typer.Option(metavar="NAME", help="Kernel: soft, standard, sharp; match: the scan's.", rich_help_panel=MODEL),
]
LowDoseCorrelation = Annotated[
    str | None,
    typer.Option(
        metavar="R|measured",
        help="Noise correlation of adjacent slices; default: from thickness and distance.",
        rich_help_panel=MODEL,
    ),
]
LowDoseElectronic = Annotated[
    float | None,
    typer.Option(
        metavar="PHOTONS", help="Electronic noise, photons rms; default: fitted, near 8.", rich_help_panel=MODEL
    ),
]
LowDoseBowTie = Annotated[
    float | None,
    typer.Option(
        metavar="B", help="Bow-tie filter, 0 (none) to 1 (full); default: fitted, near 0.5.", rich_help_panel=MODEL
    ),
]
LowDoseModulation = Annotated[
    float | None,
    typer.Option(metavar="M", help="Angular current modulation, 0 to 1; default: fitted.", rich_help_panel=MODEL),
]
LowDoseBeam = Annotated[str, typer.Option(metavar="NAME", help="Beam: parallel or fan.", rich_help_panel=MODEL)]
LowDoseProjector = Annotated[
    str, typer.Option(metavar="NAME", help="Projector: builtin, or astra where installed.", rich_help_panel=MODEL)
]
LowDoseAcceptTruncated = Annotated[
    bool,
    typer.Option(
        "--accept-truncated", metavar="", help="Accept a body cut off by the field of view.", rich_help_panel=MODEL
    ),
]
LowDoseFormat = Annotated[str | None, typer.Option(metavar="NAME", help="Format to write.")]
LowDoseOverwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what is there.")]
