"""One scan from reading to writing: what `demottle denoise` does, for one scan or for each of many."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.gate import forced_warning, refusal
from demottle.cli.job_sequence import RunOutcome, denoise_run
from demottle.cli.options import hints_for
from demottle.cli.places import Places, staging
from demottle.cli.progress import Stages

if TYPE_CHECKING:
    from demottle.denoise import Result
    from demottle.methods import Denoiser
    from demottle.quality.gate import Gate
    from demottle.quality.limits import Limits

Record = dict[str, Any]


@dataclass(frozen=True)
class Wishes:
    """What the user asked for, the same for every scan of a run."""

    method: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    strength: float = 1.0
    seed: int = 0
    minutes: float | None = None
    steps: int | None = None
    format: str | None = None
    overwrite: bool = False
    series: str | None = None
    spacing: tuple[float, float, float] | None = None
    accept_uneven: bool = False
    accept_own_output: bool = False
    modality: str | None = None
    limits: "Limits | None" = None
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of one scan."""

    scan: Path
    places: Places
    unit: str
    result: "Result"
    gate: "Gate"
    warnings: tuple[str, ...]
    source: Mapping[str, str]
    seconds: Mapping[str, float]

    def to_dict(self) -> Record:
        """Plain values: the content of `run.json`."""
        places = {"output": self.places.output, "page": self.places.page, "model_file": self.places.model}
        return {
            **self.result.record,
            "input": str(self.scan),
            "source": self.source,
            **{name: None if path is None else str(path) for name, path in places.items()},
            "gate": self.gate.to_dict(),
            "warnings": list(self.warnings),
            "times": {stage: round(spent, 2) for stage, spent in self.seconds.items()},
        }


def denoise_scan(
    scan: Path, places: Places, wishes: Wishes, model: "Denoiser | None", listener: Stages
) -> Outcome | RunOutcome:
    """Read, denoise, check, draw the page and write; either everything is in place at the end or nothing.

    Raises:
        GateError: for a result beyond the limits, unless forced; nothing is written but the model, where it was to be saved.
        DemottleError: for a scan that cannot be used or results that cannot be written.
    """
    from demottle import io
    from demottle.denoise import denoise

    if not wishes.overwrite:
        places.refuse_existing()
    with listener.stage("read"):
        image = io.read(
            scan,
            series=wishes.series,
            spacing=wishes.spacing,
            accept_uneven=wishes.accept_uneven,
            accept_own_output=wishes.accept_own_output,
            modality=wishes.modality,
            listener=listener,
        )
    if image.sequence:
        return denoise_run(scan, image, places, wishes, model, listener)
    result = denoise(
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
    gate = _held(result, places, wishes, fitted=model is None)
    warnings = (*forced_warning(gate), *io.warnings_of(image), *hints_for(image), *result.record["warnings"])
    source = {
        "format": image.source.format if image.source is not None else "",
        "series_description": io.description_of(image),
    }
    outcome = Outcome(scan, places, image.unit, result, gate, tuple(dict.fromkeys(warnings)), source, listener.seconds)
    _write(outcome, wishes, listener)
    return replace(outcome, seconds=listener.seconds)


def _held(result: "Result", places: Places, wishes: Wishes, fitted: bool) -> "Gate":
    """Hold a result against the limits before it is written; a model that was to be saved is, since learning took long.

    Raises:
        GateError: where it fails, unless forced.
    """
    from demottle.methods import method
    from demottle.quality.gate import gate

    verdict = gate(result.check, wishes.limits)
    if verdict.passed or wishes.force:
        return verdict
    if places.model is not None:
        with staging(Places(places.output, model=places.model)) as names:
            assert names.model is not None
            result.denoiser.save(names.model)
    learned = fitted and method(result.denoiser.method).learns_from != "nothing"
    raise refusal(verdict, places.model, learned)


def _write(outcome: Outcome, wishes: Wishes, listener: Stages) -> None:
    from demottle import io
    from demottle.report import write_page

    result = outcome.result
    with staging(outcome.places) as names:
        if names.page is not None and names.record is not None:
            with listener.stage("report"):
                record = outcome.to_dict()
                names.record.write_text(json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")
                write_page(result.before, result.image, result.check, record, names.page)
        if names.model is not None:
            result.denoiser.save(names.model)
        with listener.stage("write"):  # last: everything else that can fail has not failed
            io.write(result.image, names.output, format=wishes.format, overwrite=wishes.overwrite, listener=listener)
