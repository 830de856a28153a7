"""One scan from reading to writing: what `demottle denoise` does, for one scan or for each of many."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.console import say_warnings
from demottle.cli.gate import forced_warning, refusal
from demottle.cli.job_sequence import RunOutcome, denoise_run
from demottle.cli.options import hints_for
from demottle.cli.outcome import Done, Record, Wishes, source_of, write_results
from demottle.cli.places import Places, staging
from demottle.cli.progress import Stages

if TYPE_CHECKING:
    from demottle.denoise import Result
    from demottle.methods import Denoiser
    from demottle.quality.gate import Gate


@dataclass(frozen=True)
class Outcome(Done):
    """What came of one scan, with the verdict of the gate."""

    result: "Result"
    gate: "Gate"

    def to_dict(self) -> Record:
        """Plain values: the content of `run.json`."""
        return {**super().to_dict(), "gate": self.gate.to_dict()}


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
    from demottle.quality.gate import GateError
    from demottle.report import write_page

    places.clear_leftovers()
    if not wishes.overwrite:
        places.refuse_existing()
    places.refuse_unwritable()
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
    result = denoise(image, **wishes.of_denoising(model), keep_bias=wishes.keep_bias, listener=listener)
    known = (*io.warnings_of(image), *hints_for(image), *result.record["warnings"])
    try:
        gate = _held(result, places, wishes, fitted=model is None)
    except GateError:
        say_warnings(known)  # they may say why it failed: a model on a scan that it was not trained for
        raise
    once = tuple(dict.fromkeys((*forced_warning(gate), *known)))
    outcome = Outcome(scan, places, result, once, source_of(image), listener.seconds, gate)

    def draw(record: Record, page: Path) -> None:
        write_page(result.before, result.image, result.check, record, page)

    write_results(outcome, wishes, listener, draw)
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
