"""The network of a group: fitted on the group's first series, and used for the others as long as it fits them.

The rule by which it is used and kept is `demottle.pipeline.shared`'s.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.archive.layout import Archive
from demottle.archive.run.order import Job, Order
from demottle.node.configuration import FAST
from demottle.pipeline.shared import Measured, keep, measured_in, quickly, with_network

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.request import Request
    from demottle.pipeline.result import Result
    from demottle.quality.gate import Gate


@dataclass(frozen=True, eq=False)
class Treated:
    """One volume that was denoised.

    Attributes:
        result: what came of it.
        verdict: of the gate; None where there are no limits for it.
        shared: the network was fitted on another series, or given.
        why: why the network of the group was not used; empty where it was, or there is none.
    """

    result: "Result"
    verdict: "Gate | None"
    shared: bool = False
    why: str = ""


def treated(order: Order, job: Job, image: "Image") -> Treated:
    """Denoise a volume with the network that was given or that of its group, else with one of its own.

    Raises:
        DemottleError: as `demottle.pipeline.run.run`.
    """
    from demottle.pipeline.run import run

    place, request = network_of(order, job), request_of(order, job)
    known = quickly(image, request) if job.more.get("preset") == FAST else Measured(request)
    why = ""
    if place is not None and not job.fits:
        taken = with_network(image, known, place, lambda result: result.judged(order.limits), order.force)
        if not isinstance(taken, str):
            return Treated(*taken, shared=True)
        why = taken
    result = measured_in(run(image, known.request, found=known.found), known.seconds)
    verdict = result.judged(order.limits)
    if job.fits and place is not None:
        keep(result, verdict, place)
    return Treated(result, verdict, False, why)


def request_of(order: Order, job: Job) -> "Request":
    """What the plan asks for a series; where its rule names no seed, that of the run holds."""
    from demottle.pipeline.preset import with_preset
    from demottle.pipeline.request import Request

    more = {"seed": order.seed, **job.more}
    preset = more.pop("preset", FAST)
    request = Request(job.method or None, job.settings or None, strength=job.strength, **more)
    return request if preset == FAST else with_preset(request, preset)


def network_of(order: Order, job: Job) -> Path | None:
    """The file of the network that a series shares, whether it is there or not; None where it shares none."""
    archive = Archive(order.archive)
    if job.model:
        return archive.folder / job.model
    return archive.fitted / f"{job.group}.safetensors" if job.group else None
