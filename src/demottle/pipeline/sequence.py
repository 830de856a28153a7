"""Runs of frames and MR volumes over time: how they are measured, planned for, finished and checked."""

from collections.abc import Mapping
from typing import Any

from demottle.errors import UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods import Denoiser
from demottle.methods import method as look_up
from demottle.noise.mr.magnitude import is_magnitude
from demottle.noise.mr.stabilization import with_bias_of_map
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.noise.sequence.lag import lag_to_undo
from demottle.pipeline.kind import Found
from demottle.pipeline.magnitudes import without_sign
from demottle.pipeline.plan import Plan
from demottle.pipeline.plan_sequence import DEFAULT_SEQUENCE, NORDIC, Candidate, Risk, filter_plan
from demottle.pipeline.ranges import run_warnings
from demottle.pipeline.request import Request
from demottle.pipeline.result import Result, SequenceResult
from demottle.pipeline.sequence_risk import measure_risks, plan_run
from demottle.pipeline.settings import make_settings
from demottle.pipeline.uncertainty import refuse_unsuitable
from demottle.quality.sequence.check import check_sequence
from demottle.quality.sequence.response import Response, response_at
from demottle.quality.to_plain import plain


class Sequences:
    """The kind for runs of frames."""

    def measure(self, image: Image, request: Request, listener: Listener) -> Found:
        """Measure the noise."""
        if request.texture is not None:
            raise UnsuitableError("The image is a run of frames; texture is for volumes of slices.")
        if request.uncertainty:
            refuse_unsuitable(image)
        fingerprint = measure_sequence(image, listener)
        return Found(image, image, fingerprint, fingerprint)

    def plan(self, found: Found, request: Request, listener: Listener) -> Plan:
        """Choose a method, on the run itself where filters come into question."""
        return plan_run(
            found.image, found.fingerprint, request.method, request.settings, live=request.live, listener=listener
        )

    def settled(
        self, found: Found, denoiser: Denoiser, plan: Plan, request: Request, listener: Listener
    ) -> tuple[Denoiser, Plan]:
        """Take a filter in place of what was learned, where it is nearer to the truth."""
        if request.method is not None or plan.method != DEFAULT_SEQUENCE:
            return denoiser, plan
        return better_of(denoiser, plan, found.image, found.fingerprint, live=request.live, listener=listener)

    def range_warnings(self, found: Found, denoiser: Denoiser) -> list[str]:
        """Say where the run lies outside of what a model knows."""
        return run_warnings(denoiser, found.fingerprint)

    def noise(self, found: Found) -> Mapping[str, Any]:
        """Its level."""
        return {"noise_level": round(found.fingerprint.noise_level, 4)}

    def finished(self, found: Found, after: Image, denoiser: Denoiser, request: Request) -> tuple[Image, None]:
        """Take the sign from magnitudes."""
        return without_sign(after) if is_magnitude(found.image) else after, None

    def warnings(self, found: Found) -> list[str]:
        """What is odd about the run."""
        return list(found.fingerprint.warnings)

    def check(
        self, found: Found, after: Image, denoiser: Denoiser, listener: Listener
    ) -> tuple[Any, tuple[Image, Response | None]]:
        """Measure what came out, and of X-ray frames what the method does to things that move."""
        compared = with_bias_of_map(after) if denoiser.method == NORDIC else after
        checked = check_sequence(found.image, after, listener, None if compared is after else compared)
        response = None
        if found.fingerprint.modality != "MR":
            response = response_at(denoiser, found.image, found.fingerprint.curve, lag=lag_to_undo(found.fingerprint))
        return checked, (compared, response)

    def result(
        self, made: Result, touched: None, more: tuple[Image, Response | None], seconds: float
    ) -> SequenceResult:
        """Add pace, delay and response."""
        compared, response = more
        speed, delay = 1000 * seconds / made.before.shape[0], int(getattr(made.denoiser, "delay", 0))
        made.record.update({"response": plain(response), "delay_frames": delay, "ms_per_frame": round(speed, 2)})
        return SequenceResult(**vars(made), ms_per_frame=speed, delay=delay, response=response, compared=compared)


def better_of(
    learned: Denoiser,
    plan: Plan,
    image: Image,
    fingerprint: SequenceFingerprint,
    *,
    live: bool = False,
    listener: Listener = silent,
) -> tuple[Denoiser, Plan]:
    """Return what was learned, or what is nearer to the truth than it: learning can fail, and need not be the best.

    What makes thin moving wires harder to see than another filter does gives way as well.

    Raises:
        UnsuitableError: where it has to give way, and no other filter brings the run nearer to the truth.
    """
    mine = Candidate(plan.method, plan.settings, learned=True)
    measured = measure_risks(image, fingerprint, learned=(mine, learned), live=live, listener=listener)
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
