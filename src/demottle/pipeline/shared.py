"""One network for a protocol: fitted on one image, kept as a file, and used for others as long as every check holds.

The one rule for a node and for an archive. Where the files lie, and what is said of it, is theirs.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.errors import DemottleError
from demottle.events import silent

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.kind import Found
    from demottle.pipeline.request import Request
    from demottle.pipeline.result import Result
    from demottle.quality.gate import Gate

QUICK = "matched-neighbors"
"""What takes the place of the default for CT volumes where it has to be fast: the network that guides it, without the cubes."""
_STEP = 1.2
"""Pixels under one mark differ by less: fields of view change from patient to patient, and a network holds from 0.8 to 1.25."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of an image before it is denoised.

    Attributes:
        request: what is asked for.
        found: what was measured; None: nothing yet.
        seconds: that this took.
    """

    request: "Request"
    found: "Found | None" = None
    seconds: float = 0.0


def mark_of(asked: Any, texts: Sequence[str], numbers: Sequence[float | None], pixel: float | None) -> str:
    """24 hexadecimal digits, the same for images that may share a network.

    Args:
        asked: what is asked for; of plain values, or such as have the same text where they are the same.
        texts: what a header says of scanner, kernel and protocol.
        numbers: tube voltage in kV, thickness and distance of slices in mm: the same to a tenth; None where it is not stated.
        pixel: size in mm, about the same; None where it is not stated.
    """
    rounded = [None if value is None else round(value, 1) for value in numbers]
    step = round(log(pixel) / log(_STEP)) if pixel else None
    parts = json.dumps([asked, list(texts), rounded, step], default=str)
    return hashlib.sha256(parts.encode()).hexdigest()[:24]


def with_network(
    image: "Image",
    known: Measured,
    place: Path,
    judge: "Callable[[Result], Gate | None]",
    even_failing: bool = False,
) -> "tuple[Result, Gate | None] | str":
    """Denoise an image with a network that was fitted on another one.

    Args:
        image: what to denoise.
        known: what is asked for, and what was measured already.
        place: file of the network.
        judge: holds a result against the gate; None where there is none for it.
        even_failing: take a result that fails the gate.

    Returns:
        The result and its verdict; or, as a sentence, why the network is not for this image: it cannot be read, was fitted on
        other noise, spectrum or slices, or the result fails the gate.
    """
    from demottle.methods import load
    from demottle.pipeline.run import fitted, kind_of, run

    try:
        model = load(place)
        asked = replace(
            known.request, method=None, settings=None, minutes=None, steps=None, keep_bias=False, model=model
        )
        kind, begun = kind_of(image), time.monotonic()
        found = known.found or kind.measure(image, asked, silent)
        took = time.monotonic() - begun
        if warnings := fitted(kind, found, asked, None).warnings:
            return warnings[0]
        result = run(image, asked, found=found)
    except DemottleError as error:
        return str(error)
    verdict = judge(result)
    if verdict is not None and not verdict.passed and not even_failing:
        return f"its result fails the gate: {verdict.reasons}"
    return measured_in(result, known.seconds + took), verdict


def keep(result: "Result", verdict: "Gate | None", place: Path) -> None:
    """Keep the network of a result for others, whole or not at all; nothing where it learned nothing or fails the gate.

    Raises:
        OutputError: the file cannot be written.
    """
    from demottle.io.output import staged
    from demottle.methods import method

    if method(result.denoiser.method).learns_from == "nothing" or (verdict is not None and not verdict.passed):
        return
    with staged(place, overwrite=True) as new:
        result.denoiser.save(new)


def measured_in(result: "Result", seconds: float) -> "Result":
    """The result of an image that was measured before; its record then says how long that took."""
    times = {**result.record["times"], "measure": round(result.record["times"]["measure"] + seconds, 2)}
    return replace(result, record={**result.record, "times": times})


def quickly(image: "Image", request: "Request") -> Measured:
    """The request with `QUICK` where it names no method and the image would get the default for CT volumes."""
    from demottle.pipeline.plan import DEFAULT, FEW
    from demottle.pipeline.run import kind_of

    if request.method or request.model or image.sequence or image.unit != "HU" or image.shape[0] <= FEW:
        return Measured(request)
    begun, kind = time.monotonic(), kind_of(image)
    found = kind.measure(image, request, silent)
    quick = kind.plan(found, request, silent).method == DEFAULT
    wanted = replace(request, method=QUICK) if quick else request
    return Measured(wanted, found, time.monotonic() - begun)
