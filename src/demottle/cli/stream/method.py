"""What `demottle stream` denoises with: a saved model, a filter measured on the first frames, or a network fitted first."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from demottle.cli.screen.console import say
from demottle.cli.screen.progress import Stages, clock

if TYPE_CHECKING:
    from demottle.image import Voxels
    from demottle.methods import Denoiser
    from demottle.pipeline.request import Request
    from demottle.pipeline.run import Fitted
    from demottle.stream.fitting import Planned, Watched
    from demottle.stream.sources import Source

MEASURED = 24
"""How many frames of a live source a filter is measured on."""
FEWEST = 4
"""Fewest of them: from 4 on the noise is within 5 % of what 24 say, lag only within a tenth."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A denoiser, all frames, and how many of the first have come already.

    `run`: the whole run, where a file holds it; `watched`: a live source that a model was given for; `warnings`: of the model.
    """

    denoiser: "Denoiser"
    frames: "Iterable[Voxels]"
    at_hand: int = 0
    run: "Planned | None" = None
    watched: "Watched | None" = None
    warnings: tuple[str, ...] = ()


def made_ready(
    opened: "Source", request: "Request", measure: int | None, kept: bool, stall: float, listener: Stages
) -> Ready:
    """Load or fit what is asked for.

    Args:
        opened: the source.
        request: method or model, and the limits on learning.
        measure: frames a live filter is measured on; None: 24.
        kept: the fitted model will be saved.
        stall: seconds without a frame after which a source has stalled.
        listener: told of progress.
    """
    from demottle.stream.fitting import Watched, fit_first, plan_for

    if opened.image is not None:
        if measure is not None:
            raise typer.BadParameter("is for live sources; a file is measured whole", param_hint="--measure")
        run = plan_for(opened.image, request, listener)
        found = _fitted(run, kept, listener)
        return Ready(found.denoiser, opened.frames, run=run, warnings=found.warnings)
    if request.model is not None:
        watched = Watched(opened.frames)
        return Ready(_loaded(request), watched, opened.at_hand, watched=watched)
    count = measure or MEASURED
    say(
        f"Waiting for the first {count} frames, to measure their noise; then all of them are denoised. --measure N waits for "
        f"fewer, --model FILE (of 'denoise --method {request.method} --save-model') for none. It ends if no frame comes for "
        f"{stall:g} seconds (--stall) after the first."
    )
    found, frames, measured = fit_first(opened.frames, request, count, stall, listener)
    return Ready(found.denoiser, frames, max(measured, opened.at_hand))


def with_loaded_model(request: "Request") -> "Request":
    """Read the model file, where there is one, before anything else takes time."""
    if request.model is None:
        return request
    return replace(request, model=_loaded(request))


def _loaded(request: "Request") -> "Denoiser":
    from demottle import methods

    model = request.model
    assert model is not None
    return model if isinstance(model, methods.Denoiser) else methods.load(model)


def _fitted(run: "Planned", kept: bool, listener: Stages) -> "Fitted":
    """Fit on a file, and say before how long that takes."""
    request = run.request
    if run.plan is None:
        return run.fit(listener)
    name = run.plan.method
    if not run.learns:
        if request.steps is not None or request.minutes is not None:
            say(f"{name} learns nothing, so the limits on learning (steps, minutes) have no effect.")
    else:
        seconds = run.expected_seconds()
        about = "" if seconds is None else f" (about {clock(seconds)} on this machine)"
        keeps = "" if kept else "--save-model FILE keeps it for later runs, and "
        say(
            f"No model was given, so {name} learns from this run before its first frame{about}. {keeps}"
            "--model FILE uses a kept one and learns nothing; --steps and --minutes shorten learning."
        )
    return run.fit(listener)
