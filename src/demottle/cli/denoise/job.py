"""One scan from reading to writing: what `demottle denoise` does, for one scan or for each of many."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.denoise.aside import refuse_foreign
from demottle.cli.denoise.job_volumes import VolumesOutcome, denoise_volumes
from demottle.cli.denoise.outcome import Outcome, Wishes, write_results
from demottle.cli.denoise.series_files import refuse_series_files
from demottle.cli.denoise.treated import treated
from demottle.cli.gate import gate_warning, refusal
from demottle.cli.places import Places
from demottle.cli.screen.console import say, say_error, say_warnings
from demottle.cli.screen.guard import sentence_of
from demottle.cli.screen.progress import Stages
from demottle.errors import DemottleError, PromiseError
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.quality.gate import GateError


def denoise_scan(scan: Path, places: Places, wishes: Wishes, listener: Stages) -> Outcome | VolumesOutcome:
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
    with listener.stage(Stage.READ):
        opened = io.open_scan(scan, **wishes.reading.of_opening())
        several = wishes.reading.volume is None and len(opened.volumes) > 1
        image = None if several else opened.read(wishes.reading.volume, listener)
    if image is None:
        refuse_series_files(None, wishes.files)
        several_done = denoise_volumes(scan, opened, places, wishes, listener)
        tell_of_earlier(places)
        return several_done
    listener.denoises(image.voxels.size)
    try:
        outcome = treated(scan, image, places, wishes, listener)
    except PromiseError as error:
        if places.model is None or error.denoiser is None:
            raise
        raise _with_model_kept(error, places.model) from error
    if outcome.refused and outcome.gate is not None:
        # they may say why it failed: a model on a scan that it was not trained for
        say_warnings(warning for warning in outcome.warnings if warning not in gate_warning(outcome.gate, refused=True))
        raise _put_aside(outcome, wishes, listener)
    write_results(outcome, wishes, listener)
    tell_of_earlier(places)
    return replace(outcome, seconds=listener.seconds)


def _with_model_kept(error: PromiseError, path: Path) -> PromiseError:
    """Save the model of a promise that cannot be kept, where one was to be saved: it took the time."""
    from demottle.io.output import staged

    with staged(path, overwrite=True) as model:
        error.denoiser.save(model)
    return PromiseError(f"{error} The fitted model is kept in {path}: with --model nothing is learned again.")


def _put_aside(outcome: Outcome, wishes: Wishes, listener: Stages) -> "GateError":
    """Keep a result that fails beside the place it was made for, and its model where asked; return what to say of it."""
    from demottle.io.output import staged
    from demottle.io.refused import marked_refused
    from demottle.methods import method

    assert outcome.gate is not None
    places, result = outcome.places, outcome.result
    if places.model is not None:
        with staged(places.model, overwrite=True) as model:
            result.denoiser.save(model)
    kept = places.aside
    if kept is not None:
        marked: Any = replace(result, image=marked_refused(result.image, outcome.gate.reasons))
        try:
            write_results(replace(outcome, places=kept, result=marked), replace(wishes, overwrite=True), listener)
        except (DemottleError, OSError) as error:  # a full disk: that the result fails has to be said all the same
            say_error(sentence_of(error))
            kept = None
    learned = wishes.request.model is None and method(result.denoiser.method).learns_from != "nothing"
    return refusal(outcome.gate, kept, places.model, learned)


def tell_of_earlier(places: Places) -> None:
    """An earlier result of the same name that failed stays where it is: it is the user's to remove."""
    if places.aside is not None and places.aside.output.exists():
        say(f"An earlier result that failed the gate is still in {places.aside.output}.")
