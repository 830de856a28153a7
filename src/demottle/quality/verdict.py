"""One limit of the gate, and what was found: passed, not shown, or failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

PASSED, NOT_SHOWN, FAILED, UNKNOWN, NOT_ASKED = "passed", "not shown", "failed", "not measured", "not asked"
WITH_WARNINGS = "passed with warnings"
"""What a whole gate may say beside "passed" and "failed"."""


@dataclass(frozen=True)
class Verdict:
    """One limit and what was found.

    Attributes:
        name: the limit's name in a TOML file.
        what: what was measured, for a reader, without an article.
        value: what was found.
        limit: the largest value that passes.
        unit: unit of both.
        status: "passed", "not shown" (beyond its limit, perhaps by chance), "failed", "not measured" or "not asked".
        why: why it was not measured or not asked; empty where it was.
        interval: 90 % interval of the value, of a mean; None for what has none.
    """

    name: str
    what: str
    value: float
    limit: float
    unit: str
    status: str
    why: str = ""
    interval: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """What failed: what was found, and its limit."""
        unit = f" {self.unit}" if self.unit else ""
        for digits in range(3, 9):  # as many as tell what was found from the limit
            value, limit = f"{self.value:.{digits}g}", f"{self.limit:.{digits}g}"
            if value.lstrip("-") != limit:
                break
        return f"the {self.what} is {value}{unit}, beyond the limit of {limit}{unit}"


def verdict(
    name: str,
    what: str,
    value: float,
    limit: float | None,
    unit: str,
    sure: float | None = None,
    why: str = "",
    interval: tuple[float, float] | None = None,
    status: str | None = None,
) -> Iterator[Verdict]:
    """Judge one value.

    Args:
        name, what, value, limit, unit, interval: as in `Verdict`; without a limit nothing is judged.
        sure: the part of the value that cannot be chance; None: all of it. What is beyond the limit but not for sure is "not
            shown".
        why: why there may be no value.
        status: what is known of it already; None: the value decides.
    """
    if limit is None:
        return
    if not isfinite(value):
        yield Verdict(name, what, value, limit, unit, UNKNOWN, why, interval)
        return
    if status is None:
        beyond = abs(value) > limit
        status = PASSED if not beyond else FAILED if sure is None or sure > limit else NOT_SHOWN
    yield Verdict(name, what, value, limit, unit, status, why if status == NOT_ASKED else "", interval)
