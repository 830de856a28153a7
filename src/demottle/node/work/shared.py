"""One network for a protocol: fitted on its first series, kept, and used for the next ones as long as every check holds."""

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.errors import DemottleError
from demottle.node.configuration import FAST, Rule
from demottle.node.log import complain, tell

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.kind import Found
    from demottle.pipeline.request import Request
    from demottle.pipeline.result import Result
    from demottle.quality.gate import Gate

SHARED = "shared_model"
"""Key of a record: the network was fitted on another series of the same protocol."""


PRESET = "preset"
"""Key of a record: the preset of the rule."""
QUICK = "matched-neighbors"
"""What the preset "fast" takes in place of the default for CT volumes: the network that guides it, without the cubes after it."""


class SharedModels:
    """The networks kept in a folder, by rule and protocol."""

    def __init__(self, folder: Path) -> None:
        """Know where they lie."""
        self._folder = folder

    def run(self, image: "Image", request: "Request", rule: Rule) -> tuple["Result", "Gate | None"]:
        """Denoise an image as a rule asks, with the network of its protocol where there is one and it does.

        A network that was fitted on another series is used only where it gives no warning that the series lies outside of what it
        was fitted for, and the result passes the gate. Otherwise the series gets a network of its own, which is kept.

        Returns:
            The result, and the verdict of the gate (None where the rule has none, or there is none for such images).

        Raises:
            DemottleError: as `demottle.pipeline.run.run`.
        """
        from demottle.methods import method
        from demottle.pipeline.run import run

        begun = time.monotonic()
        request, found = _quickly(image, request) if rule.preset == FAST else (request, None)
        took = time.monotonic() - begun
        place = self._folder / f"{_key(image, request, rule)}.safetensors"
        if rule.share and request.model is None and place.is_file():
            taken = self._with_kept(image, request, rule, place, found, took)
            if taken is not None:
                return taken
        result = run(image, request, found=found)
        verdict = result.judged(rule.limits) if rule.limits is not None else None
        if rule.preset == FAST:
            result = replace(result, record={**_measured_in(result, took), PRESET: rule.preset})
        learned = method(result.denoiser.method).learns_from != "nothing"
        if rule.share and learned and request.model is None and (verdict is None or verdict.passed):
            self._keep(result, place)
        return result, verdict

    def _with_kept(
        self, image: "Image", request: "Request", rule: Rule, place: Path, found: "Found | None", took: float
    ) -> tuple["Result", "Gate | None"] | None:
        """The result of a kept network; None where it does not do."""
        from demottle.events import silent
        from demottle.methods import load
        from demottle.pipeline.run import fitted, kind_of, run

        try:
            model = load(place)
            asked = replace(request, method=None, settings=None, model=model, minutes=None, steps=None, keep_bias=False)
            kind = kind_of(image)
            begun = time.monotonic() - took
            found = found or kind.measure(image, asked, silent)
            took = time.monotonic() - begun
            if fitted(kind, found, asked, None).warnings:
                tell("a kept network is not for this series, which gets its own")
                return None
            result = run(image, asked, found=found)
        except DemottleError:
            complain("a kept network could not be used")
            return None
        verdict = result.judged(rule.limits) if rule.limits is not None else None
        if verdict is not None and not verdict.passed:
            tell("the result of a kept network fails the gate; the series gets its own")
            return None
        told = {SHARED: True, **({PRESET: FAST} if rule.preset == FAST else {})}
        return replace(result, record={**_measured_in(result, took), **told}), verdict

    def _keep(self, result: "Result", place: Path) -> None:
        new = place.with_suffix(f".{time.time_ns()}")
        try:
            result.denoiser.save(new)
            new.replace(place)
        except (DemottleError, OSError):  # it is an aid, no result
            new.unlink(missing_ok=True)
            complain("the network of a protocol could not be kept")


def _measured_in(result: "Result", seconds: float) -> dict[str, Any]:
    """The record of a result whose scan was measured before."""
    times = {**result.record["times"], "measure": round(result.record["times"]["measure"] + seconds, 2)}
    return {**result.record, "times": times}


def _quickly(image: "Image", request: "Request") -> "tuple[Request, Found | None]":
    """The request with `QUICK` where it names no method and the scan would get the default one; also what was measured for it."""
    from demottle.events import silent
    from demottle.pipeline.plan import DEFAULT, FEW
    from demottle.pipeline.run import kind_of

    if request.method or request.model or image.sequence or image.unit != "HU" or image.shape[0] <= FEW:
        return request, None
    kind = kind_of(image)
    found = kind.measure(image, request, silent)
    quick = kind.plan(found, request, silent).method == DEFAULT
    return (replace(request, method=QUICK) if quick else request), found


def _key(image: "Image", request: Any, rule: Rule) -> str:
    """What has to be alike: rule, request, scanner, kernel, and the voxels' size."""
    import pydicom

    header = pydicom.Dataset()
    payload = image.source.payload if image.source is not None else None
    slices = getattr(payload, "slices", ())
    if slices:
        header = pydicom.dcmread(slices[0].file.path, stop_before_pixels=True)
    names = (
        "Manufacturer",
        "ManufacturerModelName",
        "StationName",
        "ConvolutionKernel",
        "KVP",
        "ProtocolName",
        "SequenceName",
    )
    parts = [
        rule.name,
        sorted((name, str(value)) for name, value in vars(request).items()),
        [str(header.get(name) or "") for name in names],
        image.modality,
        [round(step, 3) for step in image.spacing[0 if not image.sequence else 1 :]],
        image.slice_thickness,
    ]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:24]
