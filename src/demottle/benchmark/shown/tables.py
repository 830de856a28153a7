"""From rows to tables: means with intervals for each group, and paired comparisons with a rival over all cases.

An interval is that of the mean over independent cases (Student's t, 95 %); one case has none. Times, memory and errors are
compared as ratios: geometric mean over the cases that both did, with the interval of the mean logarithm.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from demottle.benchmark.engine.entrants import DEFAULT_RIVALS, INPUT
from demottle.benchmark.engine.results import DONE, FAILED, Row
from demottle.benchmark.shown.figures import QUALITY, Kind
from demottle.errors import InputError
from demottle.quality.cohort import Case, Pairing, pairings
from demottle.quality.figures import Figure

FEWEST = 3
"""Cases for an interval: that of two is wider than anything one would believe, and says nothing."""


@dataclass(frozen=True)
class Mean:
    """A figure over cases: mean, half of its 95 % interval (NaN below `FEWEST` cases), number of cases; NaN mean for none."""

    mean: float
    half: float
    cases: int


@dataclass(frozen=True)
class Ratio:
    """A figure over the rival's on the same cases: geometric mean with its 95 % interval (NaN below `FEWEST` cases)."""

    ratio: float
    low: float
    high: float
    cases: int


def done(rows: Iterable[Row], suite: str) -> list[Row]:
    """Rows of a suite that have figures."""
    return [row for row in rows if row["suite"] == suite and row["status"] == DONE]


def failures(rows: Iterable[Row], suite: str) -> list[tuple[str, str, list[str]]]:
    """Return (entrant, reason, cases) of what failed, equal reasons together."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["suite"] == suite and row["status"] == FAILED:
            found.setdefault((row["entrant"], row["reason"]), []).append(case_of(row))
    return [(entrant, reason, cases) for (entrant, reason), cases in found.items()]


def heading(cases: int) -> str:
    """What a table of so many cases shows."""
    if cases < FEWEST:
        return "one case" if cases == 1 else "mean of two cases"
    return f"{cases} cases: mean ± half of its 95 % interval"


def case_of(row: Row) -> str:
    """What a row's case is called."""
    return f"{row['group']}, seed {row['seed']}"


def names(rows: Sequence[Row]) -> list[str]:
    """Entrants, the input first, bounds last, the others by their mean PSNR over the cases that all of them did."""
    present = list(dict.fromkeys(row["entrant"] for row in rows))
    bounds = {row["entrant"] for row in rows if row["sees_truth"]}
    score = {name: over(rows, name, QUALITY[0]).mean for name in present}

    def rank(name: str) -> tuple[int, float]:
        known = -score[name] if math.isfinite(score[name]) else math.inf
        return (0 if name == INPUT else 2 if name in bounds else 1, known)

    return sorted(present, key=rank)


def over(rows: Sequence[Row], entrant: str, kind: Kind, group: str | None = None) -> Mean:
    """Mean of a figure over an entrant's cases, of one group or all."""
    chosen = (row for row in rows if row["entrant"] == entrant and group in (None, row["group"]))
    values = np.array([value for value in (kind.of(row) for row in chosen) if value is not None], np.float64)
    if not values.size:
        return Mean(math.nan, math.nan, 0)
    half = math.nan
    if values.size >= FEWEST:
        half = float(stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
    return Mean(float(values.mean()), half, int(values.size))


def within(mean: Mean, margin: float) -> bool:
    """True where two one-sided tests at 5 % over the cases show that the true mean is less than the margin away from zero.

    That is so where its 90 % interval lies within the margin. Too few cases show nothing.
    """
    if math.isnan(mean.half):
        return False
    narrower = float(stats.t.ppf(0.95, mean.cases - 1) / stats.t.ppf(0.975, mean.cases - 1))
    return abs(mean.mean) + narrower * mean.half < margin


def rival_of(rows: Sequence[Row], asked: str | None) -> str | None:
    """Whom the others are compared with: the one asked for, else the first of the usual ones that is there.

    Raises:
        InputError: where the one asked for has no results.
    """
    there = {row["entrant"] for row in rows}
    if asked is None:
        return next((name for name in DEFAULT_RIVALS if name in there), None)
    if asked not in there:
        raise InputError(f"{asked} has no results to compare with; there are: {', '.join(sorted(there)) or 'none'}.")
    return asked


def refuse_unknown_rival(rows: Iterable[Row], competing: Iterable[str], suite: str, asked: str) -> None:
    """Refuse, before anything runs, a rival that neither competes nor has results.

    Raises:
        InputError: lists those there are.
    """
    known = {*competing, *(row["entrant"] for row in done(rows, suite))}
    if asked not in known:
        raise InputError(
            f"There is no {asked} to compare with, neither in this run nor in its results; there are: "
            f"{', '.join(sorted(known))}."
        )


def ratio(rows: Sequence[Row], entrant: str, rival: str, kind: Kind) -> Ratio | None:
    """Return how an entrant's figure compares with the rival's on the same cases; None where they share none."""
    mine, its = ({case_of(row): kind.of(row) for row in rows if row["entrant"] == name} for name in (entrant, rival))
    logs = []
    for case, value in mine.items():
        other = its.get(case)
        if value and other and value > 0 and other > 0:
            logs.append(math.log(value / other))
    if not logs:
        return None
    mean, half = float(np.mean(logs)), math.nan
    if len(logs) >= FEWEST:
        half = float(stats.t.ppf(0.975, len(logs) - 1) * np.std(logs, ddof=1) / np.sqrt(len(logs)))
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half), len(logs))


def tests(rows: Sequence[Row], rival: str) -> list[Pairing]:
    """Paired tests of every entrant against the rival, over all cases that both did; corrected after Holm over the table."""
    kinds = [kind for kind in QUALITY if kind.tested]
    cases = []
    for row in rows:
        if row["entrant"] == INPUT:
            continue
        known = [(kind, kind.of(row)) for kind in kinds]
        figures = tuple(
            Figure(kind.title, kind.unit, math.nan, math.nan if value is None else value) for kind, value in known
        )
        cases.append(Case(case_of(row), row["entrant"], figures))
    return pairings(cases, against=rival)


def told(mean: Mean, kind: Kind) -> str:
    """A mean in words: value, interval, and in brackets the number of cases where it is one alone."""
    if not mean.cases:
        return "–"
    text = f"{mean.mean:.{kind.digits}f}"
    return text if math.isnan(mean.half) else f"{text} ± {mean.half:.{kind.digits}f}"


def told_ratio(found: Ratio | None) -> str:
    """A ratio in words."""
    if found is None:
        return "–"
    text = _short(found.ratio)
    return text if math.isnan(found.low) else f"{text} ({_short(found.low)} to {_short(found.high)})"


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"
