"""Many cases: mean and spread of every figure for each method, and paired tests between methods.

The same cases under two methods are pairs: their differences are tested, by Student's t and by Wilcoxon's signed ranks. A
table of many tests finds something by chance, so p-values are corrected after Holm (1979) over all tests of one kind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from demottle.quality.figures import Figure

FEWEST_PAIRS = 3
FEWEST_FOR_RANKS = 6
"""With five pairs or fewer the smallest two-sided p-value of the signed-rank test is above 5 %."""
INPUT = "input"


@dataclass(frozen=True)
class Case:
    """The figures of one case under one method."""

    case: str
    method: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Summary:
    """A figure over the cases of a method: mean and standard deviation; NaN spread for a single case."""

    figure: str
    unit: str
    method: str
    cases: int
    mean: float
    deviation: float


@dataclass(frozen=True)
class Pairing:
    """Two methods on the same cases.

    Attributes:
        difference: mean of first minus second, with its 95 % interval (Student's t).
        p_t, p_wilcoxon: two-sided; NaN where there are too few pairs.
        p_t_holm, p_wilcoxon_holm: corrected over all tests of the same kind in the table.
    """

    figure: str
    unit: str
    first: str
    second: str
    cases: int
    difference: float
    ci_low: float
    ci_high: float
    p_t: float
    p_wilcoxon: float
    p_t_holm: float
    p_wilcoxon_holm: float


def summaries(cases: Sequence[Case]) -> list[Summary]:
    """Return mean and spread of each figure: of the input (each case counted once), then of every method."""
    made = []
    for name, unit in _figures(cases):
        of_input: dict[str, float] = {}
        by_method: dict[str, list[float]] = {}
        for case in cases:
            for figure in case.figures:
                if figure.name == name:
                    of_input.setdefault(case.case, figure.before)
                    by_method.setdefault(case.method, []).append(figure.after)
        for method, values in ((INPUT, list(of_input.values())), *by_method.items()):
            known = np.array([v for v in values if np.isfinite(v)])
            if known.size:
                spread = float(known.std(ddof=1)) if known.size > 1 else float("nan")
                made.append(Summary(name, unit, method, int(known.size), float(known.mean()), spread))
    return made


def pairings(cases: Sequence[Case], against: str | None = None) -> list[Pairing]:
    """Return the paired tests of every figure between every two methods that share at least three cases.

    `against`: only those of each method (first) with this one (second), so that fewer tests are corrected for.
    """
    methods = list(dict.fromkeys(case.method for case in cases))
    raw = []
    tested = {f.name for case in cases for f in case.figures if f.tested}
    for name, unit in _figures(cases):
        if name not in tested:
            continue
        values = {m: _values(cases, m, name) for m in methods}
        pairs = combinations(methods, 2) if against is None else ((m, against) for m in methods if m != against)
        for first, second in pairs:
            if second not in values:
                continue
            shared = [c for c in values[first] if c in values[second]]
            difference = np.array([values[first][c] - values[second][c] for c in shared], np.float64)
            if len(difference) >= FEWEST_PAIRS:
                raw.append((name, unit, first, second, difference))
    tests = [_tests(difference) for *_, difference in raw]
    holm_t, holm_w = holm([t for t, _ in tests]), holm([w for _, w in tests])
    made = []
    for (name, unit, first, second, difference), (t, w), ht, hw in zip(raw, tests, holm_t, holm_w, strict=True):
        mean, count = float(difference.mean()), len(difference)
        half = float(stats.t.ppf(0.975, count - 1) * difference.std(ddof=1) / np.sqrt(count))
        made.append(Pairing(name, unit, first, second, count, mean, mean - half, mean + half, t, w, ht, hw))
    return made


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected after Holm: the k-th smallest of m times m - k + 1, never falling, at most 1. NaN stays."""
    p = np.asarray(p_values, np.float64)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    corrected = np.full(p.shape, np.nan)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, float(p[index]) * (len(order) - rank)))
        corrected[index] = running
    return [float(value) for value in corrected]


def _tests(difference: NDArray[np.float64]) -> tuple[float, float]:
    if not difference.any():
        return 1.0, 1.0
    scale = float(np.abs(difference).max())
    constant = float(np.ptp(difference)) <= 1e-12 * scale
    t = 0.0 if constant else float(stats.ttest_1samp(difference, 0).pvalue)
    ranks = float(stats.wilcoxon(difference).pvalue) if len(difference) >= FEWEST_FOR_RANKS else float("nan")
    return t, ranks


def _figures(cases: Iterable[Case]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((f.name, f.unit) for case in cases for f in case.figures))


def _values(cases: Sequence[Case], method: str, name: str) -> dict[str, float]:
    return {
        case.case: figure.after
        for case in cases
        if case.method == method
        for figure in case.figures
        if figure.name == name and np.isfinite(figure.after)
    }
