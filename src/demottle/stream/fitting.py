"""What a live run needs before its first frame and after its last: a fitted denoiser, and a file written."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle import __version__, io
from demottle.errors import InputError, OutputError
from demottle.events import Listener, silent
from demottle.image import Image, ProcessingStep, Voxels
from demottle.methods import Budget, Denoiser, method
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.pipeline.plan import Plan
from demottle.pipeline.sequence_risk import plan_run
from demottle.pipeline.settings import make_settings
from demottle.stream.live import LiveReport
from demottle.stream.peeking import peeked

_UNKNOWN_PACE = 1 / 15  # s between frames, of no matter to any filter


@dataclass(frozen=True, eq=False)
class Planned:
    """A method for a run that was measured, before it is fitted."""

    image: Image
    fingerprint: SequenceFingerprint
    plan: Plan

    @property
    def learns(self) -> bool:
        """True where fitting takes minutes."""
        return method(self.plan.method).learns_from != "nothing"

    def expected_seconds(self, budget: Budget) -> float | None:
        """How long learning will take on this machine, by trying some steps of it; None where the method cannot tell."""
        module = method(self.plan.method).load()
        if not hasattr(module, "learning_seconds"):
            return None
        seconds = float(
            module.learning_seconds(self.image, make_settings(self.plan.method, self.plan.settings), budget)
        )
        return seconds if budget.minutes is None else min(seconds, 60 * budget.minutes)

    def fit(self, budget: Budget | None = None, seed: int = 0, listener: Listener = silent) -> Denoiser:
        """Fit it."""
        settings, module = make_settings(self.plan.method, self.plan.settings), method(self.plan.method).load()
        fitted: Denoiser = module.fit(
            self.image, settings, self.fingerprint, seed=seed, budget=budget or Budget(), listener=listener
        )
        return fitted


def plan_for(image: Image, name: str | None, listener: Listener = silent) -> Planned:
    """Measure a whole run and choose a method; None: the one that is chosen for it.

    Raises:
        InputError: for a method that does not take sequences, or a run it cannot take.
    """
    fingerprint = measure_sequence(image, listener)
    return Planned(image, fingerprint, plan_run(image, fingerprint, name, live=True, listener=listener))


def fit_first(
    frames: Iterable[Voxels], name: str, count: int, patience: float | None = None, listener: Listener = silent
) -> tuple[Denoiser, Iterable[Voxels], int]:
    """Measure the first frames of a live source for a filter.

    Args:
        frames: the source.
        name: of a filter.
        count: frames to measure it on; fewer where the source ends or stalls before.
        patience: seconds without a frame, once the first has come, after which the source counts as stalled.
        listener: told of every frame.

    Returns:
        The filter, all frames, those included, and how many it was measured on.

    Raises:
        InputError: for a method that learns, which needs more than some frames, or too few frames.
    """
    if method(name).learns_from != "nothing":
        raise InputError(
            f"{name} has to learn before it can run live; fit it on a file, and give the model.", remedy="model"
        )
    first, every = peeked(frames, count, patience, listener)
    if not first:
        next(iter(every), None)  # what went wrong, where something did
        raise InputError("The source ended before its first frame.")
    image = Image(_of_one_size(first), (_UNKNOWN_PACE, 1.0, 1.0), modality="XA")
    return plan_for(image, name, listener).fit(listener=listener), every, len(first)


def _of_one_size(frames: list[Voxels]) -> Voxels:
    """Stack frames; a frame of another size ends the stack, and the live run says so in its place."""
    same = [frame.shape == frames[0].shape for frame in frames]
    return np.stack(frames[: same.index(False)] if False in same else frames)


def write_all(
    image: Image, frames: list[Voxels], report: LiveReport, denoiser: Denoiser, path: Path, overwrite: bool
) -> None:
    """Write the results of a file's frames as a file of its format, with what was done to it on record.

    Raises:
        OutputError: where frames are missing, or the file cannot be written.
    """
    if report.dropped or len(frames) != image.shape[0]:
        raise OutputError(
            f"{image.shape[0] - len(frames)} of {image.shape[0]} frames were dropped, so {path} would not be the whole run and "
            "was not written; let the source wait instead (policy slow), or write to a folder."
        )
    step = ProcessingStep(denoiser.method, __version__, dict(denoiser.settings), model_hash=denoiser.model_hash)
    io.write(image.with_voxels(np.stack(frames), step), path, overwrite=overwrite)
