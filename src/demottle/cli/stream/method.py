"""What `demottle stream` denoises with: a saved model, a filter measured on the first frames, or a network fitted first."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from demottle.cli.screen.console import say
from demottle.cli.screen.progress import Stages, clock

if TYPE_CHECKING:
    from demottle.image import Image, Voxels
    from demottle.methods import Denoiser
    from demottle.stream.sources import Source

MEASURED = 24
"""Frames a filter is measured on where they come live."""
FEWEST = 4
"""Of them: from 4 the noise is within 5 % of what 24 say, lag only within a tenth."""


@dataclass(frozen=True)
class Wanted:
    """What the user asked for."""

    model: Path | None = None
    method: str | None = None
    minutes: float | None = None
    steps: int | None = None
    save_model: Path | None = None
    measure: int | None = None

    def refuse_contradictions(self) -> None:
        """Refuse what does not go together.

        Raises:
            typer.BadParameter: says why.
        """
        if self.model is not None and self.method is not None:
            raise typer.BadParameter("brings its own method, so leave out --method", param_hint="--model")
        learning = {
            "--minutes": self.minutes,
            "--steps": self.steps,
            "--save-model": self.save_model,
            "--measure": self.measure,
        }
        given = [name for name, value in learning.items() if value is not None]
        if self.model is not None and given:
            raise typer.BadParameter(f"learns nothing, so {given[0]} does not go with it", param_hint="--model")
        if self.minutes is not None and self.steps is not None:
            raise typer.BadParameter("says how long to learn already, so leave out --steps", param_hint="--minutes")
        if self.method is not None:
            from demottle.methods.registry import method as look_up

            # An unknown name is known now, not after reading.
            if not look_up(self.method).live:
                raise typer.BadParameter(
                    f"{self.method} needs the whole series before its first frame; use 'demottle denoise'",
                    param_hint="--method",
                )


@dataclass(frozen=True, eq=False)
class Ready:
    """A denoiser, all frames, and how many of the first have come already."""

    denoiser: "Denoiser"
    frames: "Iterable[Voxels]"
    at_hand: int = 0


def made_ready(opened: "Source", wanted: Wanted, stall: float, listener: Stages) -> Ready:
    """Load or fit what is asked for."""
    from demottle import methods
    from demottle.stream.fitting import fit_first

    if wanted.model is not None:
        return Ready(methods.load(wanted.model), opened.frames, opened.at_hand)
    if opened.image is not None:
        if wanted.measure is not None:
            raise typer.BadParameter("is for frames that come live; a file is measured whole", param_hint="--measure")
        return Ready(_fitted(opened.image, wanted, listener), opened.frames)
    assert wanted.method is not None
    count = wanted.measure or MEASURED
    say(
        f"Waiting for the first {count} frames, to measure their noise; then all of them are denoised. --measure N waits for "
        f"fewer, --model FILE (of 'denoise --method {wanted.method} --save-model') for none. It ends where no frame comes for "
        f"{stall:g} seconds (--stall) after the first."
    )
    denoiser, frames, measured = fit_first(opened.frames, wanted.method, count, stall, listener)
    return Ready(denoiser, frames, max(measured, opened.at_hand))


def _fitted(image: "Image", wanted: Wanted, listener: Stages) -> "Denoiser":
    """Fit on a file, and say before how long that takes."""
    from demottle.methods import Budget
    from demottle.stream.fitting import plan_for

    planned = plan_for(image, wanted.method, listener)
    budget, name = Budget(wanted.steps, wanted.minutes), planned.plan.method
    if not planned.learns:
        if wanted.steps is not None or wanted.minutes is not None:
            say(f"{name} learns nothing, so the limits on learning (steps, minutes) have no effect.")
    else:
        seconds = planned.expected_seconds(budget)
        about = "" if seconds is None else f" (about {clock(seconds)} on this machine)"
        kept = "" if wanted.save_model is not None else "--save-model FILE keeps it for later runs, and "
        say(
            f"No model was given, so {name} learns from this run before its first frame{about}. {kept}"
            "--model FILE uses a kept one and learns nothing; --steps and --minutes shorten learning."
        )
    return planned.fit(budget, listener=listener)
