"""The whole path for one sequence: measure, plan, fit or load, apply, check, with what was done on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods import Denoiser
from demottle.methods import method as look_up
from demottle.methods.model_ranges import unknown_range
from demottle.noise.mr.magnitude import is_magnitude
from demottle.noise.mr.stabilization import with_bias_of_map
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.noise.sequence.lag import INDEPENDENT, lag_to_undo
from demottle.pipeline.denoising import Asked, applied, fit_or_load, record_of, timed, without_sign
from demottle.pipeline.plan import Plan
from demottle.pipeline.plan_sequence import DEFAULT_SEQUENCE, NORDIC, Candidate, Risk, filter_plan
from demottle.pipeline.sequence_risk import measure_risks, plan_run
from demottle.pipeline.settings import make_settings
from demottle.quality.sequence.check import SequenceCheck, check_sequence
from demottle.quality.sequence.response import Response, response_at
from demottle.quality.to_plain import plain


@dataclass(frozen=True, eq=False)
class SequenceResult:
    """A denoised sequence with everything known about how it came about; attributes as in `demottle.pipeline.denoise.Result`.

    Attributes:
        ms_per_frame: time that applying the method took.
        delay: frames by which the live form of the method lags behind.
        compared: the denoised image with the bias of magnitudes put back that was taken out on purpose: what may be compared with
            `before`, and what the check of the means was made with.
        response: what the method does to what moves, on test scenes with the run's own noise; None for MR, whose volumes are
            not pictures of something that moves.
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
    response: Response | None
    compared: Image


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
    """Remove the noise of one sequence; arguments and errors as `demottle.pipeline.denoise.denoise`."""
    asked = Asked(method, settings, model, strength, seed, minutes, steps)
    asked.refuse_contradictions()
    times: dict[str, float] = {}
    with timed(times, "measure"):
        fingerprint = measure_sequence(image, listener)
    with timed(times, "learn"):
        denoiser, plan = fit_or_load(
            asked,
            image,
            fingerprint,
            lambda: plan_run(image, fingerprint, method, settings, listener=listener),
            listener,
        )
        if method is None and model is None and plan.method == DEFAULT_SEQUENCE:
            denoiser, plan = better_of(denoiser, plan, image, fingerprint, listener)
        warnings = [] if model is None else _range_warnings(denoiser, fingerprint)
    with timed(times, "apply"):
        after = applied(asked, denoiser, image, {"noise_level": round(fingerprint.noise_level, 4)}, listener)
        if is_magnitude(image):
            after = without_sign(after)
    with timed(times, "check"):
        compared = with_bias_of_map(after) if denoiser.method == NORDIC else after
        checked = check_sequence(image, after, listener, None if compared is after else compared)
        response = None
        if fingerprint.modality != "MR":
            response = response_at(denoiser, image, fingerprint.curve, lag=lag_to_undo(fingerprint))
    speed, delay = 1000 * times["apply"] / image.shape[0], int(getattr(denoiser, "delay", 0))
    warnings = [*fingerprint.warnings, *warnings, *asked.without_effect(denoiser), *checked.warnings]
    record = {
        **record_of(asked, denoiser, plan, fingerprint.to_dict(), checked.to_dict(), warnings, times),
        "response": plain(response),
        "delay_frames": delay,
        "ms_per_frame": round(speed, 2),
    }
    return SequenceResult(after, image, fingerprint, plan, checked, denoiser, record, speed, delay, response, compared)


def better_of(
    learned: Denoiser, plan: Plan, image: Image, fingerprint: SequenceFingerprint, listener: Listener = silent
) -> tuple[Denoiser, Plan]:
    """Return what was learned, or what is nearer to the truth than it: learning can fail, and need not be the best.

    What makes thin moving wires harder to see than another filter does gives way as well.

    Raises:
        UnsuitableError: where it has to give way, and no other filter brings the run nearer to the truth.
    """
    mine = Candidate(plan.method, plan.settings, learned=True)
    measured = measure_risks(image, fingerprint, learned=(mine, learned), listener=listener)
    own = next((risk for risk in measured if risk.candidate is mine), None)
    risks = [risk for risk in measured if risk.candidate is not mine]
    if own is None or not risks or risks[0].loses:
        return learned, plan
    if not own.loses and own.error <= min(risks[0].error, own.untouched):
        return learned, plan
    if not own.loses and risks[0].error >= own.untouched:
        return learned, plan
    why = own.loses[:1].upper() + own.loses[1:] or (
        f"What {plan.method} learned leaves an estimated error of {own.error:.3g}, more than {_more_than(risks[0])} does."
    )
    known = (*plan.reasons, why)
    chosen = filter_plan(risks, plan.settings, known, learning=False)
    module, settings = look_up(chosen.method).load(), make_settings(chosen.method, chosen.settings)
    begin = getattr(module, "untaught", module.fit)  # what learned in vain is taken as it was
    fitted: Denoiser = begin(image, settings, fingerprint)
    return fitted, chosen


def _more_than(risk: Risk) -> str:
    return "the network before it learned" if risk.candidate.method == DEFAULT_SEQUENCE else "a filter"


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
    found = unknown_range(denoiser.method, denoiser.fitted, "run")
    undone, lag = undone_lag(denoiser), lag_to_undo(fingerprint)
    if abs(undone - lag) > INDEPENDENT and denoiser.settings.get("correct_lag", True):
        found.append(
            f"The model undoes a lag of {100 * undone:.0f} %, but this run's is {100 * lag:.0f} %; expect "
            f"{'shadows with the opposite sign' if undone > lag else 'some of the frame before'} where something moves."
        )
    level = denoiser.fitted.get("noise_level")
    if level and np.isfinite(level) and not 0.7 <= fingerprint.noise_level / level <= 1.4:
        found.append(
            f"The noise level is {fingerprint.noise_level:.3g}, but the model was fitted at {level:.3g}; "
            "expect noise left or detail lost, or fit a model on this run."
        )
    return found


def undone_lag(denoiser: Denoiser) -> float:
    """The lag that a fitted method for sequences undoes, 0 to 1."""
    fitted = denoiser.fitted
    return float(fitted.get("frame_noise", fitted).get("lag", 0.0))
