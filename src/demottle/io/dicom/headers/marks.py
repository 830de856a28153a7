"""The marks by which demottle knows its own DICOM output, and the history it keeps there."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from demottle.image import ProcessingStep

SCHEME = "99DEMOTTLE"
"""Coding scheme designator of demottle's private codes."""

SIMULATION = "simulate-"
"""How the method of a step begins that simulated an image: such an image is a scan to work on, not a result."""

CREATOR = "DEMOTTLE 1"
_GROUP = 0x0099
_HISTORY = 0x01

REFUSED = "refused_by_gate"
"""Setting of a step whose result failed the gate and was put aside: it says why."""

ROUND = "round"
"""Setting of a step whose series was done again: the how manieth time, from 2. UIDs and SeriesNumber follow from it."""

MAP_OF_SPOTS = "map-of-spots"
"""Method of a step that made a map beside a result."""

UNCHANGED = "unchanged"
"""Method of a step that did nothing: a volume that was written with others of its series."""

SIMULATED_CODE = "SIMULATED"
"""Value of demottle's private derivation code for simulated images."""

MARK_TAGS: list[BaseTag] = [
    Tag("DerivationCodeSequence"),
    Tag(_GROUP, 0x0010),
    Tag(_GROUP, 0x1000 | _HISTORY),
]


def is_own_output(dataset: Dataset) -> bool:
    """True for an object demottle wrote as a result; what it only simulated is none."""
    codes = dataset.get("DerivationCodeSequence") or []
    own = [code.get("CodeValue") for code in codes if code.get("CodingSchemeDesignator") == SCHEME]
    return any(value != SIMULATED_CODE for value in own) or is_result(read_history(dataset))


def is_simulation(step: ProcessingStep) -> bool:
    """True for a step that simulated an image rather than improved it."""
    return step.method.startswith(SIMULATION)


def is_result(history: tuple[ProcessingStep, ...]) -> bool:
    """True where more was done than simulating: not to be processed again unasked."""
    return not all(is_simulation(step) for step in history)


def is_refused(step: ProcessingStep) -> bool:
    """True for a step whose result failed the gate and was put aside."""
    return REFUSED in step.settings


def write_history(dataset: Dataset, steps: tuple[ProcessingStep, ...]) -> None:
    """Keep the whole history as JSON in a private element, because the public ones hold 1024 characters at most."""
    text = history_json(steps)
    if (_GROUP, 0x0010) in dataset and dataset[_GROUP, 0x0010].value != CREATOR:
        return  # somebody else's block lies there: theirs stays, the public elements say what was done
    dataset.private_block(_GROUP, CREATOR, create=True).add_new(_HISTORY, "UT", text)


def read_history(dataset: Dataset) -> tuple[ProcessingStep, ...]:
    """Return the history kept in the header; empty where there is none."""
    try:
        value = dataset.private_block(_GROUP, CREATOR)[_HISTORY].value
    except KeyError:
        return ()
    return history_from_json(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def history_json(steps: tuple[ProcessingStep, ...]) -> str:
    """Write steps as canonical JSON: the same steps give the same text."""
    return json.dumps([step_as_dict(step) for step in steps], sort_keys=True)


def history_from_json(text: str) -> tuple[ProcessingStep, ...]:
    """Read what `history_json` wrote; empty for any other text."""
    try:
        return tuple(ProcessingStep(**step) for step in json.loads(text))
    except (TypeError, ValueError):
        return ()


def step_as_dict(step: ProcessingStep) -> dict[str, Any]:
    """Return all fields of a step as plain values."""
    return {field.name: plain(getattr(step, field.name)) for field in fields(step)}


def plain(value: Any) -> Any:
    """Return the same as plain Python values, so that it can become JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy
        return value.tolist()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
