"""What a live run needs before its first frame and after its last: a fitted denoiser, and a file written."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from demottle import __version__, io
from demottle.denoise import make_settings
from demottle.errors import InputError, OutputError
from demottle.events import Listener, silent
from demottle.image import Image, ProcessingStep, Voxels
from demottle.methods import Denoiser, method
from demottle.noise.sequence import measure_sequence
from demottle.plan_sequence import make_sequence_plan
from demottle.stream.live import LiveReport
from demottle.stream.sources import peeked

_UNKNOWN_PACE = 1 / 15  # s between frames, of no matter to any filter


def fit_to_file(image: Image, name: str | None, listener: Listener = silent) -> Denoiser:
    """Fit a method on a whole run; None: the one that is chosen for it.

    Raises:
        InputError: for a method that does not take sequences, or a run it cannot take.
    """
    fingerprint = measure_sequence(image, listener)
    plan = make_sequence_plan(fingerprint, name)
    settings = make_settings(plan.method, plan.settings)
    fitted: Denoiser = method(plan.method).load().fit(image, settings, fingerprint, listener=listener)
    return fitted


def fit_first(
    frames: Iterable[Voxels], name: str, count: int, listener: Listener = silent
) -> tuple[Denoiser, Iterable[Voxels]]:
    """Measure the first frames of a live source for a filter; returns it, and all frames, those included.

    Raises:
        InputError: for a method that learns, which needs more than some frames, or too few frames.
    """
    if method(name).learns_from != "nothing":
        raise InputError(
            f"{name} has to learn before it can run live; fit it on a file, and give the model.", remedy="model"
        )
    first, every = peeked(frames, count)
    if not first:
        raise InputError("The source ended before its first frame.")
    return fit_to_file(Image(np.stack(first), (_UNKNOWN_PACE, 1.0, 1.0), modality="XA"), name, listener), every


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
