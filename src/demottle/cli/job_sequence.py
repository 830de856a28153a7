"""One run of frames after reading: denoise, check, draw the page, write; what `job.denoise_scan` does for a volume."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.places import Places, staging
from demottle.cli.progress import Stages

if TYPE_CHECKING:
    from demottle.cli.job import Record, Wishes
    from demottle.denoise_sequence import SequenceResult
    from demottle.image import Image
    from demottle.methods import Denoiser


@dataclass(frozen=True)
class RunOutcome:
    """What came of one run; as `job.Outcome`, without a gate: its limits are for volumes."""

    scan: Path
    places: Places
    result: "SequenceResult"
    warnings: tuple[str, ...]
    source: Mapping[str, str]
    seconds: Mapping[str, float]

    def to_dict(self) -> "Record":
        """Plain values: the content of `run.json`."""
        places = {"output": self.places.output, "page": self.places.page, "model_file": self.places.model}
        return {
            **self.result.record,
            "input": str(self.scan),
            "source": self.source,
            **{name: None if path is None else str(path) for name, path in places.items()},
            "warnings": list(self.warnings),
            "times": {stage: round(spent, 2) for stage, spent in self.seconds.items()},
        }


def denoise_run(
    scan: Path, image: "Image", places: Places, wishes: "Wishes", model: "Denoiser | None", listener: Stages
) -> RunOutcome:
    """Denoise, check, draw the page and write a run that was read; either everything is in place at the end or nothing.

    Raises:
        DemottleError: for a run that cannot be used or results that cannot be written.
    """
    from demottle import io
    from demottle.denoise_sequence import denoise_sequence

    result = denoise_sequence(
        image,
        method=wishes.method,
        settings=wishes.settings or None,
        model=model,
        strength=wishes.strength,
        seed=wishes.seed,
        minutes=wishes.minutes,
        steps=wishes.steps,
        listener=listener,
    )
    warnings = (*io.warnings_of(image), *result.record["warnings"])
    source = {
        "format": image.source.format if image.source is not None else "",
        "series_description": io.description_of(image),
    }
    outcome = RunOutcome(scan, places, result, tuple(dict.fromkeys(warnings)), source, listener.seconds)
    _write(outcome, wishes, listener)
    return replace(outcome, seconds=listener.seconds)


def _write(outcome: RunOutcome, wishes: "Wishes", listener: Stages) -> None:
    from demottle import io
    from demottle.report.sequence import write_sequence_page

    result = outcome.result
    with staging(outcome.places) as names:
        if names.page is not None and names.record is not None:
            with listener.stage("report"):
                record = outcome.to_dict()
                names.record.write_text(json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")
                write_sequence_page(result.before, result.image, result.check, record, names.page, result.response)
        if names.model is not None:
            result.denoiser.save(names.model)
        with listener.stage("write"):  # last: everything else that can fail has not failed
            io.write(result.image, names.output, format=wishes.format, overwrite=wishes.overwrite, listener=listener)
