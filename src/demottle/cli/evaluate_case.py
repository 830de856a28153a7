"""One case of `demottle evaluate`: the files it is made of, read and measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.cli.progress import Stages
    from demottle.image import Image
    from demottle.physics.structures import GroundTruth
    from demottle.quality.evaluation import Evaluation
    from demottle.quality.limits import Limits


@dataclass(frozen=True)
class Given:
    """The files of one case; None where there is none."""

    output: Path | None
    scan: Path | None
    truth: Path | None = None
    second_input: Path | None = None
    second_output: Path | None = None
    structures: Path | None = None

    def refuse_incomplete(self) -> None:
        """Raise BadParameter where OUT or its input is missing, or half of a second pair."""
        if self.output is None:
            raise typer.BadParameter("is needed: the denoised scan", param_hint="OUT")
        if self.scan is None:
            raise typer.BadParameter("is needed: the scan that OUT was made from", param_hint="--input")
        if (self.second_input is None) != (self.second_output is None):
            missing = "--second-output" if self.second_output is None else "--second-input"
            raise typer.BadParameter("is needed too: a second scan counts with what was made of it", param_hint=missing)


@dataclass(frozen=True)
class Reading:
    """How files are read that do not say everything themselves."""

    spacing: tuple[float, float, float] | None = None
    modality: str | None = None
    accept_uneven: bool = False

    def read(self, path: Path) -> "Image":
        """Read one image, demottle's own output too."""
        from demottle import io

        return io.read(
            path, spacing=self.spacing, accept_uneven=self.accept_uneven, accept_own_output=True, modality=self.modality
        )


@dataclass(frozen=True, eq=False)
class Images:
    """What a page shows of a case."""

    before: "Image"
    after: "Image"
    truth: "Image | None"


def evaluate_case(
    given: Given, reading: Reading, limits: "Limits", margin: float | None, listener: "Stages"
) -> "tuple[Images, Evaluation]":
    """Read and measure one case.

    Raises:
        DemottleError: for files that cannot be read, do not belong together, or hold nothing to measure.
    """
    from demottle.quality.evaluation import evaluate

    assert given.output is not None and given.scan is not None
    with listener.stage("read"):
        structures = None if given.structures is None else read_structures(given.structures)
        before, after = reading.read(given.scan), reading.read(given.output)
        truth = None if given.truth is None else reading.read(given.truth)
        second = None
        if given.second_input is not None and given.second_output is not None:
            second = reading.read(given.second_input), reading.read(given.second_output)
    found = evaluate(before, after, truth, second, structures, limits, margin, listener)
    return Images(before, after, truth), found


def read_structures(path: Path) -> "GroundTruth":
    """Read the truth.json of a phantom.

    Raises:
        InputError: where it cannot be read, or is something else.
    """
    from demottle.physics.structures import GroundTruth

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"The structures {path} cannot be read; give the truth.json of a phantom.") from None
    return GroundTruth.from_json(text)
