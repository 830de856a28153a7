"""How long a whole job still takes, not only the stage that runs.

A table (`tools/stage_times.py`) says how long the stages of a method take on some machine, for a scan of this size. How much
slower or faster this machine is follows from the stages that are over; the stage that runs knows best itself what it needs.
"""

import json
from collections.abc import Mapping
from functools import cache
from math import isfinite
from pathlib import Path

from demottle.events import Stage

TABLE = Path(__file__).with_name("stage_times.json")
"""Seconds of each stage by method: those it takes anyway, and those for a million voxels."""
_NOT_COUNTED = (Stage.START, Stage.READ)
"""Loading packages and reading files, whose time says little of how fast the rest is."""
_DOUBT = 2.0
"""Seconds of stages that are over which count as much as the table's own machine."""
_MILLION = 1e6


class WholeJob:
    """The time left of a job whose method is known."""

    def __init__(self, expected: Mapping[Stage, float]) -> None:
        """Keep seconds by stage."""
        self._expected = expected

    @classmethod
    def of(cls, method: str, voxels: int) -> "WholeJob | None":
        """Return the job of a method on so many voxels; None where the table does not know it."""
        if (lines := _table().get(method)) is None or voxels <= 0:
            return None
        counted = {stage: lines[stage.value] for stage in Stage if stage.value in lines and stage not in _NOT_COUNTED}
        return cls({stage: a + b * voxels / _MILLION for stage, (a, b) in counted.items()})

    def left(self, spent: Mapping[Stage, float], current: Stage, of_current: float | None) -> float:
        """Return how many seconds are left.

        Args:
            spent: seconds of each stage so far.
            current: the stage that runs.
            of_current: what it says that it still needs; None or NaN: it cannot say.
        """
        over = {stage: seconds for stage, seconds in spent.items() if stage is not current and stage in self._expected}
        slower = (_DOUBT + sum(over.values())) / (_DOUBT + sum(self._expected[stage] for stage in over))
        if of_current is None or not isfinite(of_current):
            of_current = max(slower * self._expected.get(current, 0.0) - spent.get(current, 0.0), 0.0)
        later = sum(seconds for stage, seconds in self._expected.items() if stage not in spent)
        return of_current + slower * later


@cache
def _table() -> Mapping[str, Mapping[str, tuple[float, float]]]:
    found: Mapping[str, Mapping[str, tuple[float, float]]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found
