"""The network of a group: fitted on the group's first series, and used for the others as long as it fits them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.archive.layout import Archive
from demottle.archive.run.order import Job, Order
from demottle.errors import DemottleError

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
    from demottle.pipeline.request import Request
    from demottle.pipeline.run import run

    place = network_of(order, job)
    request = Request(job.method or None, job.settings or None, strength=job.strength, seed=order.seed)
    why = ""
    if place is not None and not job.fits:
        taken, why = _with_network(order, image, request, place)
        if taken is not None:
            return taken
    result = run(image, request)
    verdict = result.judged(order.limits)
    if job.fits and place is not None and (verdict is None or verdict.passed):
        _keep(result, place)
    return Treated(result, verdict, False, why)


def network_of(order: Order, job: Job) -> Path | None:
    """The file of the network that a series shares, whether it is there or not; None where it shares none."""
    archive = Archive(order.archive)
    if job.model:
        return archive.folder / job.model
    return archive.fitted / f"{job.group}.safetensors" if job.group else None


def _with_network(order: Order, image: "Image", request: "Request", place: Path) -> tuple[Treated | None, str]:
    """The result of a network that is there; None where it does not fit, and why."""
    from demottle.events import silent
    from demottle.methods import load
    from demottle.pipeline.run import fitted, kind_of, run

    try:
        asked = replace(request, method=None, settings=None, model=load(place))
        kind = kind_of(image)
        found = kind.measure(image, asked, silent)
        if warnings := fitted(kind, found, asked, None).warnings:
            return None, warnings[0]
        result = run(image, asked, found=found)
    except DemottleError as error:
        return None, str(error)
    verdict = result.judged(order.limits)
    if verdict is not None and not verdict.passed and not order.force:
        return None, f"its result fails the gate: {verdict.reasons}"
    return Treated(result, verdict, True), ""


def _keep(result: "Result", place: Path) -> None:
    """Keep a network for the other series of its group; of a filter there is nothing to keep."""
    from demottle.io.output import staged
    from demottle.methods import method

    if method(result.denoiser.method).learns_from == "nothing":
        return
    with staged(place, overwrite=True) as new:
        result.denoiser.save(new)
