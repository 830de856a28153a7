"""One scan from reading to writing: what `demottle denoise` does, for one scan or for each of many."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.denoise.aside import refuse_foreign
from demottle.cli.denoise.job_sequence import RunOutcome, treated_run
from demottle.cli.denoise.outcome import Done, Draw, Record, Wishes, source_of, write_results
from demottle.cli.denoise.series_files import refuse_series_files, sidecar_writers
from demottle.cli.gate import gate_warning, refusal
from demottle.cli.places import Places, staging
from demottle.cli.screen.console import say, say_error, say_warnings
from demottle.cli.screen.guard import sentence_of
from demottle.cli.screen.options import hints_for
from demottle.cli.screen.progress import Stages
from demottle.errors import DemottleError, UnsuitableError

if TYPE_CHECKING:
    from demottle.cli.denoise.job_volumes import VolumesOutcome
    from demottle.image import Image
    from demottle.methods import Denoiser
    from demottle.pipeline.denoise import Result
    from demottle.quality.gate import Gate, GateError


@dataclass(frozen=True)
class Outcome(Done):
    """What came of one scan, with the verdict of the gate."""

    result: "Result"
    gate: "Gate"
    refused: bool = False

    def to_dict(self) -> Record:
        """Plain values: the content of `run.json`."""
        return {**super().to_dict(), "gate": self.gate.to_dict(), "refused": self.refused}


def denoise_scan(
    scan: Path, places: Places, wishes: Wishes, model: "Denoiser | None", listener: Stages
) -> "Outcome | RunOutcome | VolumesOutcome":
    """Read, denoise, check, draw the page and write; either everything is in place at the end or nothing.

    Raises:
        GateError: for a result beyond the limits, unless forced; it was put aside, and the model where it was to be saved.
        DemottleError: for a scan that cannot be used or results that cannot be written.
    """
    from demottle import io

    places.clear_leftovers()
    if not wishes.overwrite:
        places.refuse_existing()
        refuse_foreign(places, scan)
    places.refuse_unwritable()
    with listener.stage("read"):
        opened = io.open_scan(scan, **wishes.of_reading())
        several = wishes.volume is None and len(opened.volumes) > 1
        image = None if several else opened.read(wishes.volume, listener)
    if image is None:
        refuse_series_files(None, wishes.files)
        from demottle.cli.denoise.job_volumes import denoise_volumes  # here, because it builds on this file

        return denoise_volumes(scan, opened, places, wishes, model, listener)
    outcome, draw = treated(scan, image, places, wishes, model, listener)
    if outcome.refused and outcome.gate is not None:
        # they may say why it failed: a model on a scan that it was not trained for
        say_warnings(warning for warning in outcome.warnings if warning not in gate_warning(outcome.gate, refused=True))
        raise _put_aside(outcome, wishes, listener, draw, fitted=model is None)
    write_results(outcome, wishes, listener, draw)
    tell_of_earlier(places)
    return replace(outcome, seconds=listener.seconds)


def treated(
    scan: Path, image: "Image", places: Places, wishes: Wishes, model: "Denoiser | None", listener: Stages
) -> tuple[Outcome | RunOutcome, Draw]:
    """Denoise and check what was read, and hold it against the limits; nothing is written yet. Returns how to draw its page."""
    from demottle import io
    from demottle.pipeline.denoise import denoise
    from demottle.quality.gate import gate
    from demottle.report import write_page

    lost = io.check_output(image, places.output, wishes.format)  # before the work
    if image.sequence:
        if wishes.texture is not None:
            raise UnsuitableError(f"{scan} is a run of frames; texture is for volumes of slices.")
        run, draw_run = treated_run(scan, image, places, wishes, model, listener)
        return replace(run, warnings=tuple(dict.fromkeys((*lost, *run.warnings)))), draw_run
    refuse_series_files(image, wishes.files)
    result = denoise(
        image, **wishes.of_denoising(model), keep_bias=wishes.keep_bias, texture=wishes.texture, listener=listener
    )
    verdict = gate(result.check, wishes.limits)
    refused = not (verdict.passed or wishes.force)
    known = (*io.warnings_of(image), *lost, *hints_for(image), *result.record["warnings"])
    once = tuple(dict.fromkeys((*gate_warning(verdict, refused), *known)))

    def draw(record: Record, page: Path) -> None:
        write_page(result.before, result.image, result.check, record, page, texture=result.texture)

    writers = sidecar_writers(scan, result)
    return Outcome(
        scan, places, result, once, source_of(image), listener.seconds, verdict, refused, writers=writers
    ), draw


def _put_aside(
    outcome: Outcome | RunOutcome, wishes: Wishes, listener: Stages, draw: Draw, fitted: bool
) -> "GateError":
    """Keep a result that fails beside the place it was made for, and its model where asked; return what to say of it."""
    from demottle.io.refused import marked_refused
    from demottle.methods import method

    assert outcome.gate is not None
    places, result = outcome.places, outcome.result
    if places.model is not None:
        with staging(Places(places.output, model=places.model)) as names:
            assert names.model is not None
            result.denoiser.save(names.model)
    kept = places.aside
    if kept is not None:
        marked: Any = replace(result, image=marked_refused(result.image, outcome.gate.reasons))
        try:
            write_results(replace(outcome, places=kept, result=marked), replace(wishes, overwrite=True), listener, draw)
        except (DemottleError, OSError) as error:  # a full disk: that the result fails has to be said all the same
            say_error(sentence_of(error))
            kept = None
    learned = fitted and method(result.denoiser.method).learns_from != "nothing"
    return refusal(outcome.gate, kept, places.model, learned)


def tell_of_earlier(places: Places) -> None:
    """An earlier result of the same name that failed stays where it is: it is the user's to remove."""
    if places.aside is not None and places.aside.output.exists():
        say(f"An earlier result that failed the gate is still in {places.aside.output}.")
