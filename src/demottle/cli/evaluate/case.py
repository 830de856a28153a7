"""One case of `demottle evaluate`: the files it is made of, read and measured."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from demottle.cli.evaluate.patterns import filled, found, holds, meant
from demottle.errors import InputError
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.cli.screen.progress import Stages
    from demottle.image import Image
    from demottle.io import Opened
    from demottle.physics.phantoms.structures import GroundTruth
    from demottle.quality.evaluation import Evaluation
    from demottle.quality.limits import Limits


@dataclass(frozen=True)
class Given:
    """The files of one case; None where there is none. {repeat} in a name stands for all repeats of one scan."""

    output: Path | None
    scan: Path | None
    truth: Path | None = None
    second_input: Path | None = None
    second_output: Path | None = None
    structures: Path | None = None
    absent_input: Path | None = None
    absent_output: Path | None = None

    def files(self) -> "list[Path]":
        """All of them that are given; what stands for several repeats is found on the disk."""
        return [file for path in vars(self).values() if path is not None for file in meant(path)]

    def refuse_incomplete(self) -> None:
        """Raise BadParameter where OUT or its input is missing, half of a pair, or what repeats need."""
        if self.output is None:
            raise typer.BadParameter("is needed: the denoised scan", param_hint="OUT")
        if self.scan is None:
            raise typer.BadParameter("is needed: the scan that OUT was made from", param_hint="--input")
        _refuse_half(self.second_input, self.second_output, "second", "a second scan")
        _refuse_half(self.absent_input, self.absent_output, "absent", "a scan without its objects")
        if self.structures is None and (self.absent_input is not None or holds(self.output, "repeat")):
            raise typer.BadParameter(
                "is needed: repeats and scans without objects only serve known structures",
                param_hint="--structures",
            )

    def repeats(self) -> "list[Given]":
        """One entry for each repeat; itself where its names hold no {repeat}.

        Raises:
            InputError: where nothing is so called, or OUT and its input are not named alike.
        """
        pairs = _pairs(self.scan, self.output, "OUT", "--input")
        return [
            replace(self, scan=scan, output=output, truth=filled(self.truth, names)) for scan, output, names in pairs
        ]

    def absent(self) -> list[tuple[Path, Path]]:
        """Scans without objects, and what was made of them; errors as `repeats`."""
        if self.absent_input is None or self.absent_output is None:
            return []
        pairs = _pairs(self.absent_input, self.absent_output, "--absent-output", "--absent-input")
        return [(scan, output) for scan, output, _ in pairs]


def _refuse_half(scan: Path | None, output: Path | None, name: str, what: str) -> None:
    if (scan is None) != (output is None):
        missing = f"--{name}-output" if output is None else f"--{name}-input"
        raise typer.BadParameter(
            f"is needed too: {what} counts only together with the result made from it", param_hint=missing
        )


def _pairs(scan: Path | None, output: Path | None, name: str, other: str) -> list[tuple[Path, Path, dict[str, str]]]:
    """Scans with what was made of them, by repeat."""
    assert scan is not None and output is not None
    if not holds(output, "repeat") and not holds(scan, "repeat"):
        return [(scan, output, {})]
    if not (holds(output, "repeat") and holds(scan, "repeat")):
        raise InputError(f"{{repeat}} has to stand in both {name} and {other}, or in neither.")
    pairs = [(filled(scan, names) or scan, path, names) for path, names in found(str(output))]
    if not pairs:
        raise InputError(f"Nothing is called {output}; is it quoted, and relative to this folder?")
    return pairs


@dataclass(frozen=True)
class Reading:
    """How files are read that do not say everything themselves."""

    spacing: tuple[float, float, float] | None = None
    modality: str | None = None
    accept_uneven: bool = False
    unit: str | None = None
    series: str | None = None
    volume: int | None = None

    def read(self, path: Path) -> "Image":
        """Read one image, demottle's own output too; of several volumes the one that was chosen."""
        return self._read(self._opened(path, None))

    def read_input(self, path: Path) -> "Image":
        """Read a scan that something was made of; of several series and volumes in it the one that was chosen."""
        return self._read(self._opened_input(path))

    def over_time(self, path: Path) -> bool:
        """True where what is chosen of a DICOM scan are MR volumes over time; looks at no pixel."""
        volumes = self._opened_input(path).volumes
        number = self.volume or 1
        return number <= len(volumes) and volumes[number - 1].over_time

    def _read(self, opened: "Opened") -> "Image":
        return opened.read(self.volume if len(opened.volumes) > 1 else None)

    def _opened_input(self, path: Path) -> "Opened":
        from demottle.io.formats import format_of

        return self._opened(path, self.series if path.is_dir() or format_of(path) in (None, "dicom") else None)

    def _opened(self, path: Path, series: str | None) -> "Opened":
        from demottle import io

        return io.open_scan(
            path,
            series=series,
            spacing=self.spacing,
            accept_uneven=self.accept_uneven,
            accept_own_output=True,
            modality=self.modality,
            unit=self.unit,
        )

    def pairs(self, paths: "list[tuple[Path, Path]]") -> "Iterator[tuple[Image, Image]]":
        """Read scans and what was made of them, each pair when it is its turn."""
        return ((self.read_input(scan), self.read(output)) for scan, output in paths)


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

    first, *others = given.repeats()
    absent = given.absent()
    assert first.output is not None and first.scan is not None
    with listener.stage(Stage.READ):
        structures = None if given.structures is None else read_structures(given.structures)
        before, after = reading.read_input(first.scan), reading.read(first.output)
        truth = None if first.truth is None else reading.read(first.truth)
        second = None
        if given.second_input is not None and given.second_output is not None:
            second = reading.read_input(given.second_input), reading.read(given.second_output)
    more = reading.pairs([(one.scan, one.output) for one in others if one.scan and one.output])
    without = reading.pairs(absent) if absent else ()
    measured = evaluate(before, after, truth, second, structures, limits, margin, listener, more, without)
    return Images(before, after, truth), measured


def read_structures(path: Path) -> "GroundTruth":
    """Read the truth.json of a phantom.

    Raises:
        InputError: where it cannot be read, or is something else.
    """
    from demottle.physics.phantoms.structures import GroundTruth

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"The structures {path} cannot be read; give the truth.json of a phantom.") from None
    return GroundTruth.from_json(text)
