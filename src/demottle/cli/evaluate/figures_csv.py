"""Figures as CSV, one figure to a line, so that any program can group them."""

import csv
from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.io.output import staged

if TYPE_CHECKING:
    from demottle.quality.cohort import Case

COLUMNS = ("case", "method", "figure", "unit", "before", "after")


def write_csv(path: Path, cases: "Iterable[Case]") -> None:
    """Write the figures of cases; a value that was not measured is empty.

    Raises:
        OutputError: where the file cannot be written.
    """
    lines: list[Sequence[str]] = [COLUMNS]
    for case in cases:
        for figure in case.figures:
            values = (_number(figure.before), _number(figure.after))
            lines.append((case.case, case.method, figure.name, figure.unit, *values))
    with (
        staged(path, overwrite=True) as place,
        place.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        csv.writer(file).writerows(lines)


def _number(value: float) -> str:
    return f"{value:.8g}" if isfinite(value) else ""
