"""What a live run needs before its first frame and after its last: a fitted denoiser, and a file written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle import io
from demottle.errors import DemottleError, InputError, OutputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.methods import Budget, Denoiser, method
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.pipeline.kind import Found, Kind
from demottle.pipeline.plan import Plan
from demottle.pipeline.ranges import run_warnings
from demottle.pipeline.request import Request
from demottle.pipeline.run import Fitted, fitted, kind_of, planned, step_of
from demottle.pipeline.settings import make_settings
from demottle.stream.live import LiveReport
from demottle.stream.peeking import peeked

_UNKNOWN_PACE = 1 / 15  # s between frames, of no matter to any filter
_LOOKED_AT = 24  # frames of a live source that a given model is held against


@dataclass(frozen=True, eq=False)
class Planned:
    """A run that was measured, and what is planned for it; `plan` is None where a model was given."""

    kind: Kind
    found: Found
    request: Request
    plan: Plan | None

    @property
    def learns(self) -> bool:
        """True where fitting takes minutes."""
        return self.plan is not None and method(self.plan.method).learns_from != "nothing"

    def expected_seconds(self) -> float | None:
        """How long learning will take on this machine, by trying some steps of it; None where the method cannot tell."""
        if self.plan is None:
            return None
        module, budget = method(self.plan.method).load(), Budget(self.request.steps, self.request.minutes)
        if not hasattr(module, "learning_seconds"):
            return None
        settings = make_settings(self.plan.method, self.plan.settings)
        seconds = float(module.learning_seconds(self.found.seen, settings, budget))
        return seconds if budget.minutes is None else min(seconds, 60 * budget.minutes)

    def fit(self, listener: Listener = silent) -> Fitted:
        """Fit it, or load the model."""
        return fitted(self.kind, self.found, self.request, self.plan, listener)

    def written_as(self, frames: list[Voxels], denoiser: Denoiser) -> Image:
        """The run with its denoised frames, as `demottle denoise` would have made it."""
        after = self.found.image.with_voxels(np.stack(frames), step_of(self.kind, self.found, self.request, denoiser))
        return self.kind.finished(self.found, after, denoiser, self.request)[0]


def plan_for(image: Image, request: Request, listener: Listener = silent) -> Planned:
    """Measure a whole run and choose a method, where none is asked for and no model given.

    Raises:
        InputError: for a method that does not take sequences, or a run it cannot take.
    """
    kind = kind_of(image)
    found = kind.measure(image, request, listener)
    return Planned(kind, found, request, planned(kind, found, request, listener))


def fit_first(
    frames: Iterable[Voxels], request: Request, count: int, patience: float | None = None, listener: Listener = silent
) -> tuple[Fitted, Iterable[Voxels], int]:
    """Measure the first frames of a live source for a filter.

    Args:
        frames: the source.
        request: names the filter.
        count: frames to measure it on; fewer where the source ends or stalls before.
        patience: seconds without a frame, once the first has come, after which the source counts as stalled.
        listener: told of every frame.

    Returns:
        The filter, all frames, those included, and how many it was measured on.

    Raises:
        InputError: for a method that learns, which needs more than some frames, or too few frames.
    """
    if request.method is None or method(request.method).learns_from != "nothing":
        raise InputError(
            f"{request.method} has to learn before it can run live; fit it on a file, and give the model.",
            remedy="model",
        )
    first, every = peeked(frames, count, patience, listener)
    if not first:
        next(iter(every), None)  # what went wrong, where something did
        raise InputError("The source ended before its first frame.")
    return plan_for(_run_of(first), request, listener).fit(listener), every, len(first)


class Watched:
    """Frames of a live source that are handed on at once, the first of them kept to hold a model against."""

    def __init__(self, frames: Iterable[Voxels]) -> None:
        """Watch a source."""
        self._frames, self._kept = frames, list[Voxels]()

    def __iter__(self) -> Iterator[Voxels]:
        """Hand on every frame."""
        for frame in self._frames:
            if len(self._kept) < _LOOKED_AT:
                self._kept.append(frame)
            yield frame

    def warnings(self, denoiser: Denoiser) -> list[str]:
        """Say where the frames lie outside of what the model knows, as `demottle denoise` does of a file; after the run."""
        if len(self._kept) < 2:
            return []
        try:
            return run_warnings(denoiser, measure_sequence(_run_of(self._kept)))
        except DemottleError as error:  # the frames are denoised already, so this is no more than a warning
            return [str(error)]


def _run_of(frames: list[Voxels]) -> Image:
    """Stack frames; a frame of another size ends the stack, and the live run says so in its place."""
    same = [frame.shape == frames[0].shape for frame in frames]
    stack = np.stack(frames[: same.index(False)] if False in same else frames)
    return Image(stack, (_UNKNOWN_PACE, 1.0, 1.0), modality="XA")


def write_all(
    run: Planned, frames: list[Voxels], report: LiveReport, denoiser: Denoiser, path: Path, overwrite: bool
) -> None:
    """Write the results of a file's frames as a file of its format, with what was done to it on record.

    Raises:
        OutputError: where frames are missing, or the file cannot be written.
    """
    total = run.found.image.shape[0]
    if report.dropped or len(frames) != total:
        raise OutputError(
            f"{total - len(frames)} of {total} frames were dropped, so {path} would not be the whole run and "
            "was not written; let the source wait instead (policy slow), or write to a folder."
        )
    io.write(run.written_as(frames, denoiser), path, overwrite=overwrite)
