"""`demottle evaluate`: how good is an output, without a truth and, where there is one, against it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demottle.cli.console import heading, say_warnings, show_json
from demottle.cli.guard import guarded
from demottle.cli.options import AcceptUneven, Debug, Json, Modality, Spacing, parse_spacing
from demottle.cli.progress import watch
from demottle.cli.tables import show_check, show_comparison

if TYPE_CHECKING:
    from demottle.image import Image, Mask


BODY_HU = -500


@guarded
def evaluate(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="A denoised scan.")],
    scan: Annotated[Path, typer.Option("--input", metavar="SCAN", help="The scan it was made from.")],
    truth: Annotated[Path | None, typer.Option(metavar="TRUTH", help="The noise-free scan, if known.")] = None,
    spacing: Spacing = None,
    modality: Modality = None,
    accept_uneven: AcceptUneven = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare a denoised scan with its input, and with the truth where it is known."""
    from demottle import io
    from demottle.quality.check import check
    from demottle.quality.truth import against_truth

    def read(path: Path) -> "Image":
        return io.read(
            path, spacing=parse_spacing(spacing), accept_uneven=accept_uneven, accept_own_output=True, modality=modality
        )

    with watch() as listener:
        with listener.stage("read"):
            before, after = read(scan), read(output)
            clean = None if truth is None else read(truth)
        found = check(before, after, listener=listener)
        compared = None if clean is None else against_truth(before, after, clean, _body(clean))
    if as_json:
        show_json({"check": found.to_dict(), "truth": None if compared is None else compared.to_dict()})
        return
    say_warnings(found.warnings)
    heading("Without a truth")
    show_check(found)
    if compared is not None:
        where = f"in the body (above {BODY_HU} HU)" if before.unit == "HU" else "everywhere"
        show_comparison(compared, before.unit, where)


def _body(truth: "Image") -> "Mask | None":
    """Where errors count: air, most of an image, would water them down."""
    return truth.voxels > BODY_HU if truth.unit == "HU" else None
