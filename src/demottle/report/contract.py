"""A promise and what was found, as the page tells it."""

from collections.abc import Mapping
from typing import Any

from demottle.quality.contract.curves import Measured
from demottle.quality.contract.terms import Term


def contract_rows(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return method, strength, number of discs, whether edges were put back, and terms from a record; None: no promise."""
    told = record.get("contract")
    if not isinstance(told, Mapping):
        return None
    terms = [
        Term(**{**one, "found": Measured(**{end: _number(value) for end, value in one["found"].items()})})
        for one in told["terms"]
    ]
    rest = {name: told[name] for name in ("method", "strength", "places")}
    return {**rest, "edges": told.get("edges", False), "terms": terms}


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
