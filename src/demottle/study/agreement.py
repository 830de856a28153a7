"""How well readers agree: weighted kappa of two, intraclass correlation and Krippendorff's alpha of several, and plain shares.

Kappa, the intraclass correlation and alpha compare disagreement with the spread of what was rated. Where all images are about
equally good they are low however well readers agree, so the plain shares belong beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from demottle.study.krippendorff import SCALES, Alpha, krippendorff_interval
from demottle.study.scoring import Scores


@dataclass(frozen=True)
class Icc:
    """An intraclass correlation with its 95 % interval."""

    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Agreement:
    """How well several readers agree in one item.

    Attributes:
        item: name of the question.
        things: number of images (or pairs) that two readers or more have rated.
        kappa: mean of the quadratically weighted kappas of all pairs of readers.
        icc: intraclass correlation of a single reader, absolute agreement (two-way random effects), over images rated by all.
        alpha: Krippendorff's alpha by scale (nominal, ordinal, interval), over images rated by two readers or more.
        same, within_one: shares of equal answers, and of those at most one point apart, over all pairs of readers.
    """

    item: str
    things: int
    kappa: float
    icc: Icc
    alpha: dict[str, Alpha]
    same: float
    within_one: float


@dataclass(frozen=True)
class SelfAgreement:
    """How well a reader agrees with themselves, over all items of what was shown twice.

    Attributes:
        reader: alias.
        repeats: number of images (or pairs) rated twice.
        kappa: quadratically weighted; NaN where every answer was the same or nothing was repeated.
        same, within_one: shares of equal answers, and of those at most one point apart.
        shift: mean of second minus first.
    """

    reader: str
    repeats: int
    kappa: float
    same: float
    within_one: float
    shift: float


def weighted_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Return Cohen's kappa with quadratic weights (Cohen 1968) of two raters; NaN where neither ever varies.

    kappa = 1 - mean (a - b)^2 of what was said together / mean (a - b)^2 if both had answered by chance with their own shares.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.size == 0:
        return nan
    # The mean over all combinations of answers, written out: it needs no table of categories.
    by_chance = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(1 - np.mean((a - b) ** 2) / by_chance) if by_chance > 0 else nan


def intraclass_correlation(table: Scores, level: float = 0.95) -> Icc:
    """Return ICC(2,1) of a table (things, raters) without gaps: two-way random effects, absolute agreement, single rater.

    Shrout and Fleiss (1979): (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n). The interval is that of McGraw and Wong
    (1996), case A,1. NaN for fewer than two things or raters, or where nothing varies.
    """
    n, k = table.shape
    if n < 2 or k < 2 or not np.ptp(table) > 0:
        return Icc(nan, nan, nan)
    grand = table.mean()
    between_things = k * float(((table.mean(axis=1) - grand) ** 2).sum()) / (n - 1)
    between_raters = n * float(((table.mean(axis=0) - grand) ** 2).sum()) / (k - 1)
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + grand
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    value = (between_things - error) / (between_things + (k - 1) * error + k * (between_raters - error) / n)
    if value >= 1 or error <= 1e-12 * between_things:
        return Icc(value, nan, nan)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    freedom = (a * between_raters + b * error) ** 2 / (
        (a * between_raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    tail = 1 - (1 - level) / 2
    below, above = stats.f.ppf(tail, n - 1, freedom), stats.f.ppf(tail, freedom, n - 1)
    noise = k * between_raters + (k * n - k - n) * error
    low = n * (between_things - below * error) / (below * noise + n * between_things)
    high = n * (above * between_things - error) / (noise + n * above * between_things)
    return Icc(float(value), float(low), float(high))


def between_readers(item: str, table: Scores, resamples: int = 2000, seed: int = 0) -> Agreement:
    """Return the agreement of readers in a table (things, readers), with NaN where a reader did not rate a thing.

    Args:
        item: name of the question.
        table: ratings.
        resamples, seed: of the bootstrap, for the intervals of alpha.
    """
    kappas, gaps = [], []
    for one, other in combinations(table.T, 2):
        both = np.isfinite(one) & np.isfinite(other)
        kappas.append(weighted_kappa(one[both], other[both]))
        gaps.append(np.abs(one[both] - other[both]))
    known = np.array(kappas)[np.isfinite(kappas)]
    gap = np.concatenate(gaps) if gaps else np.empty(0)
    everyone = table[np.isfinite(table).all(axis=1)]
    return Agreement(
        item,
        int((np.isfinite(table).sum(axis=1) >= 2).sum()),
        float(known.mean()) if known.size else nan,
        intraclass_correlation(everyone),
        {scale: krippendorff_interval(table, scale, resamples, seed) for scale in SCALES},
        *_shares(gap),
    )


def with_oneself(reader: str, repeats: int, first: Sequence[float], second: Sequence[float]) -> SelfAgreement:
    """Return a reader's agreement with themselves; answers of all items one after the other."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    shift = float((b - a).mean()) if a.size else nan
    return SelfAgreement(reader, repeats, weighted_kappa(a, b), *_shares(np.abs(a - b)), shift)


def _shares(gap: Scores) -> tuple[float, float]:
    if gap.size == 0:
        return nan, nan
    return float((gap == 0).mean()), float((gap <= 1).mean())
