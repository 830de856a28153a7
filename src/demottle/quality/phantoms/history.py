"""A phantom over months: a table that grows by one scan at a time, and limits that tell drift from noise.

Limits are those of a chart for individual values (Shewhart; Montgomery, "Introduction to Statistical Quality Control"): mean
of the first scans plus and minus 2.66 times the mean difference of neighbors, which is three standard deviations of a process
that does not drift. The first scans, `BASELINE` of them, say what is usual; limits are given from `FEWEST` on.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np

from demottle.errors import InputError
from demottle.quality.phantoms.figures import Figure

COLUMNS = ("date", "scan", "phantom", "image", "group", "figure", "unit", "value")
BASELINE, FEWEST = 12, 5
_FACTOR = 2.66
_FORMAT = "not a history of a phantom (a CSV with the columns " + ", ".join(COLUMNS) + ")"


@dataclass(frozen=True)
class Entry:
    """One figure of one scan: day (YYYY-MM-DD), fingerprint of the scan, kind of phantom, "before" or "after", and the figure."""

    date: str
    scan: str
    phantom: str
    image: str
    group: str
    figure: str
    unit: str
    value: float


@dataclass(frozen=True)
class Chart:
    """One figure over time.

    Attributes:
        group, figure, unit: which.
        dates, values: oldest first.
        middle, low, high: mean of the first scans, and limits; NaN where there are too few.
    """

    group: str
    figure: str
    unit: str
    dates: tuple[str, ...]
    values: tuple[float, ...]
    middle: float
    low: float
    high: float

    @property
    def outside(self) -> tuple[int, ...]:
        """Indices of the values beyond the limits."""
        return tuple(i for i, v in enumerate(self.values) if v < self.low or v > self.high)

    @property
    def moved(self) -> bool:
        """True where the newest value lies beyond the limits."""
        return bool(self.outside) and self.outside[-1] == len(self.values) - 1


def read_history(path: Path) -> list[Entry]:
    """Read a history; empty where there is none yet.

    Raises:
        InputError: for a file that is something else.
    """
    if not path.exists():
        return []
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        if not rows or tuple(rows[0]) != COLUMNS:
            raise ValueError
        return [
            Entry(date, scan, phantom, image, group, figure, unit, float(value))
            for date, scan, phantom, image, group, figure, unit, value in rows[1:]
        ]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path} is {_FORMAT}; give another file.") from error


def entries_of(figures: Sequence[Figure], date: str, scan: str, phantom: str) -> list[Entry]:
    """What a scan adds to a history: every figure that was measured, before and after."""
    made = []
    for image in ("before", "after"):
        for figure in figures:
            value = getattr(figure, image)
            if isfinite(value):
                made.append(Entry(date, scan, phantom, image, figure.group, figure.name, figure.unit, float(value)))
    return made


def as_csv(entries: Sequence[Entry]) -> str:
    """The text of a history."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for e in entries:
        writer.writerow((e.date, e.scan, e.phantom, e.image, e.group, e.figure, e.unit, f"{e.value:.8g}"))
    return out.getvalue()


def charts_of(entries: Sequence[Entry], phantom: str, image: str = "before") -> list[Chart]:
    """The charts of one kind of phantom, in the order in which their figures first come."""
    series: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for e in entries:
        if (e.phantom, e.image) == (phantom, image):
            series.setdefault((e.group, e.figure, e.unit), []).append((e.date, e.value))
    charts = []
    for (group, figure, unit), points in series.items():
        points.sort(key=lambda point: point[0])  # stable: scans of one day stay in the order in which they came
        dates, values = tuple(d for d, _ in points), tuple(v for _, v in points)
        charts.append(Chart(group, figure, unit, dates, values, *limits(values)))
    return charts


def limits(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of the first scans, and the lower and upper limit; NaN where there are fewer than `FEWEST`."""
    first = np.asarray(values[:BASELINE], np.float64)
    if len(first) < FEWEST:
        return nan, nan, nan
    middle, reach = float(first.mean()), _FACTOR * float(np.abs(np.diff(first)).mean())
    return middle, middle - reach, middle + reach
