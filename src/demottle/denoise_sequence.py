"""The whole path for one sequence: measure, plan, fit or load, apply, check, with what was done on record."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle import __version__
from demottle.denoise import blend, check_settings, make_settings
from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, ProcessingStep
from demottle.methods import Budget, Denoiser, load
from demottle.methods import method as look_up
from demottle.noise.lag import INDEPENDENT, lag_to_undo
from demottle.noise.sequence import SequenceFingerprint, measure_sequence
from demottle.plan import Plan
from demottle.plan_sequence import make_sequence_plan
from demottle.quality.plain import plain
from demottle.quality.sequence_check import SequenceCheck, check_sequence
from demottle.quality.sequence_response import Response, response_at


@dataclass(frozen=True, eq=False)
class SequenceResult:
    """A denoised sequence with everything known about how it came about; attributes as in `demottle.denoise.Result`.

    Attributes:
        ms_per_frame: time that applying the method took.
        delay: frames by which the live form of the method lags behind.
        response: what the method does to what moves, on test scenes with the run's own noise.
    """

    image: Image
    before: Image
    fingerprint: SequenceFingerprint
    plan: Plan
    check: SequenceCheck
    denoiser: Denoiser
    record: dict[str, Any]
    ms_per_frame: float
    delay: int
    response: Response


def denoise_sequence(
    image: Image,
    *,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    model: str | Path | Denoiser | None = None,
    strength: float = 1.0,
    seed: int = 0,
    minutes: float | None = None,
    steps: int | None = None,
    listener: Listener = silent,
) -> SequenceResult:
    """Remove the noise of one sequence; arguments and errors as `demottle.denoise.denoise`."""
    if not 0 <= strength <= 1:
        raise InputError(f"The strength is {strength}; it has to lie between 0 (nothing) and 1 (all noise).")
    if model is not None and (method is not None or settings):
        raise InputError("A model brings its own method and settings; give either a model or a method, not both.")
    times: dict[str, float] = {}
    started = time.monotonic()
    fingerprint = measure_sequence(image, listener)
    times["measure"] = time.monotonic() - started
    warnings = list(fingerprint.warnings)
    started = time.monotonic()
    if model is None:
        plan = make_sequence_plan(fingerprint, method, settings)
        if settings:
            check_settings(plan.method, settings)
        module = look_up(plan.method).load()
        made = make_settings(plan.method, plan.settings)
        denoiser: Denoiser = module.fit(
            image, made, fingerprint, seed=seed, budget=Budget(steps, minutes), listener=listener
        )
    else:
        denoiser = model if isinstance(model, Denoiser) else load(model)
        plan = Plan(denoiser.method, dict(denoiser.settings), ("A fitted model was given and is applied as it is.",))
        warnings += _range_warnings(denoiser, fingerprint)
    times["learn"] = time.monotonic() - started
    if look_up(denoiser.method).learns_from == "nothing" and (steps is not None or minutes is not None):
        warnings.append(f"{denoiser.method} learns nothing, so the limits on learning (steps, minutes) had no effect.")
    started = time.monotonic()
    out = blend(image.voxels, denoiser(image, listener).voxels, strength)
    times["apply"] = time.monotonic() - started
    step = ProcessingStep(
        method=denoiser.method,
        version=__version__,
        settings={**denoiser.settings, "strength": strength},
        seed=seed,
        model_hash=denoiser.model_hash,
        noise={"noise_level": round(fingerprint.noise_level, 4)},
    )
    after = image.with_voxels(out, step)
    started = time.monotonic()
    checked = check_sequence(image, after, listener)
    response = response_at(denoiser, image, fingerprint.curve, lag=lag_to_undo(fingerprint))
    times["check"] = time.monotonic() - started
    speed, delay = 1000 * times["apply"] / image.shape[0], int(getattr(denoiser, "delay", 0))
    record = {
        "program": "demottle",
        "version": __version__,
        "method": denoiser.method,
        "settings": dict(step.settings),
        "strength": strength,
        "seed": seed,
        "model_hash": step.model_hash,
        "plan_reasons": list(plan.reasons),
        "fitted": dict(denoiser.fitted),
        "fingerprint": fingerprint.to_dict(),
        "check": checked.to_dict(),
        "response": plain(response),
        "delay_frames": delay,
        "ms_per_frame": round(speed, 2),
        "warnings": [*warnings, *checked.warnings],
        "times": {stage: round(seconds, 2) for stage, seconds in times.items()},
    }
    return SequenceResult(after, image, fingerprint, plan, checked, denoiser, record, speed, delay, response)


def _range_warnings(denoiser: Denoiser, fingerprint: SequenceFingerprint) -> list[str]:
    """Say in sentences where a run lies outside of what a model was fitted on.

    Raises:
        InputError: a model for volumes, or for another unit: its numbers would mean nothing.
    """
    if not look_up(denoiser.method).takes(sequence=True):
        raise InputError(
            f"The model is of {denoiser.method}, which is for volumes of slices, but this is a run of frames."
        )
    if denoiser.fitted.get("unit", fingerprint.unit) != fingerprint.unit:
        raise InputError(
            f"The model was fitted on unit {denoiser.fitted['unit']}, but the run has unit {fingerprint.unit}."
        )
    found = []
    undone, lag = undone_lag(denoiser), lag_to_undo(fingerprint)
    if abs(undone - lag) > INDEPENDENT and denoiser.settings.get("correct_lag", True):
        found.append(
            f"The model undoes a lag of {100 * undone:.0f} %, but this run's is {100 * lag:.0f} %; expect "
            f"{'shadows with the opposite sign' if undone > lag else 'some of the frame before'} where something moves."
        )
    level = denoiser.fitted.get("noise_level")
    if level and not 0.7 <= fingerprint.noise_level / level <= 1.4:
        found.append(
            f"The noise level is {fingerprint.noise_level:.3g}, but the model was fitted at {level:.3g}; "
            "expect noise left or detail lost, or fit a model on this run."
        )
    return found


def undone_lag(denoiser: Denoiser) -> float:
    """The lag that a fitted method for sequences undoes, 0 to 1."""
    fitted = denoiser.fitted
    return float(fitted.get("frame_noise", fitted).get("lag", 0.0))
