"""The networks that a node keeps, one for a rule and protocol (`demottle.pipeline.shared`)."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.errors import DemottleError
from demottle.node.configuration import FAST, Rule
from demottle.node.log import complain, tell
from demottle.pipeline.shared import Measured, keep, mark_of, measured_in, quickly, with_network

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.pipeline.request import Request
    from demottle.pipeline.result import Result
    from demottle.quality.gate import Gate

SHARED = "shared_model"
"""Key of a record: the network was fitted on another series of the same protocol."""
PRESET = "preset"
"""Key of a record: the preset of the rule."""
_SAID = ("Manufacturer", "ManufacturerModelName", "StationName", "ConvolutionKernel", "ProtocolName", "SequenceName")


class SharedModels:
    """The networks kept in a folder."""

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
        from demottle.pipeline.run import run

        known = quickly(image, request) if rule.preset == FAST else Measured(request)
        preset = {PRESET: FAST} if rule.preset == FAST else {}
        shares = rule.share and request.model is None
        place = self._folder / f"{_key(image, known.request, rule)}.safetensors"
        if shares and place.is_file():
            taken = with_network(image, known, place, partial(_judged, rule))
            if not isinstance(taken, str):
                result, verdict = taken
                return replace(result, record={**result.record, SHARED: True, **preset}), verdict
            tell("a kept network does not do for this series, which gets its own")  # why may quote a header
        result = measured_in(run(image, known.request, found=known.found), known.seconds)
        result = replace(result, record={**result.record, **preset})
        verdict = _judged(rule, result)
        if shares:
            _keep(result, verdict, place)
        return result, verdict


def _judged(rule: Rule, result: "Result") -> "Gate | None":
    return None if rule.limits is None else result.judged(rule.limits)


def _keep(result: "Result", verdict: "Gate | None", place: Path) -> None:
    try:
        keep(result, verdict, place)
    except (DemottleError, OSError):  # it is an aid, no result
        complain("the network of a protocol could not be kept")


def _key(image: "Image", request: Any, rule: Rule) -> str:
    """What has to be alike: rule, request, scanner, kernel, protocol, and about the voxels' size."""
    import pydicom

    header = pydicom.Dataset()
    payload = image.source.payload if image.source is not None else None
    slices = getattr(payload, "slices", ())
    if slices:
        header = pydicom.dcmread(slices[0].file.path, stop_before_pixels=True)
    asked = [rule.name, sorted((name, str(value)) for name, value in vars(request).items())]
    texts = [image.modality, *(str(header.get(name) or "") for name in _SAID)]
    numbers = [_number(header.get("KVP")), image.slice_thickness, None if image.sequence else image.spacing[0]]
    return mark_of(asked, texts, numbers, image.spacing[1])


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
