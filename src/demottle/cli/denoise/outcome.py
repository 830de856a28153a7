"""What the user asked for, what came of it, and how that gets to its places: alike for volumes and for runs of frames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.denoise.series_files import SeriesFiles
from demottle.cli.places import Places
from demottle.cli.screen.console import as_json
from demottle.cli.screen.progress import Stages
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.request import Request
    from demottle.pipeline.result import Result
    from demottle.quality.gate import Gate
    from demottle.quality.limits import Limits

Record = dict[str, Any]
Draw = Callable[[Record, Path], None]
"""Draws the page of a result from its record."""


@dataclass(frozen=True)
class Reading:
    """How the scan is read: the arguments of `demottle.io.open_scan`, and which volume of several."""

    series: str | None = None
    spacing: tuple[float, float, float] | None = None
    accept_uneven: bool = False
    accept_own_output: bool = False
    modality: str | None = None
    unit: str | None = None
    volume: int | None = None

    def of_opening(self) -> dict[str, Any]:
        """The arguments of `open_scan`."""
        return {name: value for name, value in vars(self).items() if name != "volume"}


@dataclass(frozen=True)
class Wishes:
    """What the user asked for, the same for every scan of a run: of denoising, reading, writing, the gate."""

    request: "Request"
    reading: Reading = field(default_factory=Reading)
    format: str | None = None
    overwrite: bool = False
    limits: "Limits | None" = None
    force: bool = False
    files: SeriesFiles = field(default_factory=SeriesFiles)


@dataclass(frozen=True)
class Outcome:
    """What came of one scan.

    Attributes:
        scan, places: where it came from, and where it goes.
        result: what is written.
        warnings: each once, the gate's first.
        source: what is told of where the image came from.
        seconds: by stage.
        draw: draws the page from a record.
        gate: the verdict; None: there are no limits for such images.
        refused: it is beyond a limit and was not forced.
        writers: write the extras of its places.
    """

    scan: Path
    places: Places
    result: "Result"
    warnings: tuple[str, ...]
    source: Mapping[str, str | int]
    seconds: Mapping[Stage, float]
    draw: Draw
    gate: "Gate | None" = None
    refused: bool = False
    writers: Mapping[str, Callable[[Path], None]] = field(default_factory=dict, kw_only=True)

    def to_dict(self) -> Record:
        """Plain values: the content of `run.json`."""
        places = {"output": self.places.output, "page": self.places.page, "model_file": self.places.model}
        return {
            **self.result.record,
            "input": str(self.scan),
            "source": self.source,
            **{name: None if path is None else str(path) for name, path in places.items()},
            **({"files": {name: str(path) for name, path in self.places.extras.items()}} if self.places.extras else {}),
            "warnings": list(self.warnings),
            "times": {stage: round(spent, 2) for stage, spent in self.seconds.items()},
            **({} if self.gate is None else {"gate": self.gate.to_dict(), "refused": self.refused}),
        }


def source_of(image: "Image") -> dict[str, str | int]:
    """What is told of where an image came from; no names and no places."""
    from demottle import io

    number, label = io.volume_of(image)
    return {
        "format": image.source.format if image.source is not None else "",
        "series_description": io.description_of(image),
        **({"volume": number, "volume_label": label} if label else {}),
    }


def write_results(outcome: Outcome, wishes: Wishes, listener: Stages) -> None:
    """Put page, record, model and scan in their places; either everything is there at the end or nothing.

    Args:
        outcome: what came of the scan.
        wishes: format, and whether to replace.
        listener: told of progress.
    """
    from demottle import io

    result = outcome.result
    with outcome.places.publishing(wishes.overwrite) as names:
        if names.page is not None and names.record is not None:
            with listener.stage(Stage.REPORT):
                outcome.draw(outcome.to_dict(), names.page)
            record = replace(outcome, seconds=listener.seconds).to_dict()  # all but the writing, which comes last
            names.record.write_text(as_json(record) + "\n", encoding="utf-8")
        if names.model is not None:
            result.denoiser.save(names.model)
        for name, path in names.extras.items():
            outcome.writers[name](path)
        with listener.stage(Stage.WRITE):  # last: everything else that can fail has not failed
            output = outcome.places.output
            io.write(result.image, output, format=wishes.format, listener=listener, place=names.output)
