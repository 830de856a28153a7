"""What the user asked for, what came of it, and how that gets to its places: alike for volumes and for runs of frames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.denoise.series_files import SeriesFiles
from demottle.cli.places import Places, staging
from demottle.cli.screen.console import as_json
from demottle.cli.screen.progress import Stages

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.methods import Denoiser
    from demottle.pipeline.denoise import Result
    from demottle.pipeline.denoise_sequence import SequenceResult
    from demottle.quality.limits import Limits

Record = dict[str, Any]
Draw = Callable[[Record, Path], None]
"""Draws the page of a result from its record."""


@dataclass(frozen=True)
class Wishes:
    """What the user asked for, the same for every scan of a run."""

    method: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    strength: float = 1.0
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    keep_bias: bool = False
    texture: float | str | None = None
    format: str | None = None
    overwrite: bool = False
    series: str | None = None
    volume: int | None = None
    spacing: tuple[float, float, float] | None = None
    accept_uneven: bool = False
    accept_own_output: bool = False
    modality: str | None = None
    unit: str | None = None
    limits: "Limits | None" = None
    force: bool = False
    files: SeriesFiles = field(default_factory=SeriesFiles)

    def of_denoising(self, model: "Denoiser | None") -> dict[str, Any]:
        """The arguments of `denoise` and `denoise_sequence`."""
        names = ("method", "strength", "seed", "minutes", "steps")
        return {**{name: getattr(self, name) for name in names}, "settings": self.settings or None, "model": model}

    def of_reading(self) -> dict[str, Any]:
        """The arguments of `demottle.io.open_scan`."""
        names = ("series", "spacing", "accept_uneven", "accept_own_output", "modality", "unit")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Done:
    """What came of one scan; `writers` write the extras of its places."""

    scan: Path
    places: Places
    result: "Result | SequenceResult"
    warnings: tuple[str, ...]
    source: Mapping[str, str | int]
    seconds: Mapping[str, float]
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


def write_results(
    done: Done,
    wishes: Wishes,
    listener: Stages,
    draw: Draw,
) -> None:
    """Put page, record, model and scan in their places; either everything is there at the end or nothing.

    Args:
        done: what came of the scan.
        wishes: format, and whether to replace.
        listener: told of progress.
        draw: draws the page, from the record.
    """
    from demottle import io

    result = done.result
    with staging(done.places) as names:
        if names.page is not None and names.record is not None:
            with listener.stage("report"):
                draw(done.to_dict(), names.page)
            record = replace(done, seconds=listener.seconds).to_dict()  # all but the writing, which comes last
            names.record.write_text(as_json(record) + "\n", encoding="utf-8")
        if names.model is not None:
            result.denoiser.save(names.model)
        for name, path in names.extras.items():
            done.writers[name](path)
        with listener.stage("write"):  # last: everything else that can fail has not failed
            io.write(result.image, names.output, format=wishes.format, overwrite=wishes.overwrite, listener=listener)
