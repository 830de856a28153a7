"""Tests between an arm and the reference: means with intervals, signed ranks, non-inferiority, and McNemar for yes and no."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from scipy import stats

from demottle.quality.cohort import FEWEST_FOR_RANKS, holm
from demottle.study.scoring import Scores

MAJORITY = "majority"
BETTER, NON_INFERIOR, SLIGHTLY_WORSE = "better", "non-inferior", "worse within margin"
WORSE, INFERIOR = "worse", "inferior"
NOT_SHOWN, TOO_FEW = "not shown", "too few scans"
RESAMPLES = 4000


@dataclass(frozen=True)
class Mean:
    """A mean over cases and readers with its 95 % interval; NaN where there is nothing, or one scan only."""

    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Gain:
    """By how many points an arm is better than the reference in one item.

    Attributes:
        item, arm, reference: names.
        scans, readers: numbers that it rests on.
        mean: mean of the gain, over scans and readers.
        by_reader: mean gain of each reader.
        p: Wilcoxon's signed ranks of the means of scans, two-sided; NaN for fewer than six.
        p_holm: corrected after Holm over all items and arms of the study.
        margin: points that an arm may be worse and still count as non-inferior.
        verdict: in words, see `verdict_of`.
    """

    item: str
    arm: str
    reference: str
    scans: int
    readers: int
    mean: Mean
    by_reader: tuple[float, ...]
    p: float
    p_holm: float
    margin: float
    verdict: str


@dataclass(frozen=True)
class YesNo:
    """Would one report from it: an arm against the reference, by one reader or by their majority.

    Attributes:
        arm, reference, reader: names; `MAJORITY` for that of the readers on each case, ties left out.
        cases: number of cases that were judged in both arms.
        yes, yes_reference: share of yes.
        only_arm, only_reference: number of cases with yes for one alone.
        p: McNemar's exact test, two-sided.
        p_holm: corrected after Holm over the arms, for the majority; NaN for single readers.
    """

    arm: str
    reference: str
    reader: str
    cases: int
    yes: float
    yes_reference: float
    only_arm: int
    only_reference: int
    p: float
    p_holm: float


def mean_of(table: Scores, resamples: int, seed: int) -> Mean:
    """Return the mean of a table (scans, readers) and its interval by the bootstrap over scans and readers.

    Scans and readers are drawn again with replacement, independently of each other (the pigeonhole bootstrap of Owen, 2007),
    so that the interval speaks of other scans and other readers too. With three readers it covers the truth in 97 % of studies
    if the arm gains the same with all readers, but in 88 % if its gain differs between readers by 0.4 points (one standard
    deviation): the spread of three readers is hardly known. With one reader it speaks of other scans only. Missing ratings
    (NaN) are left out.
    """
    table = table[np.isfinite(table).any(axis=1)]
    scans, readers = table.shape
    if scans == 0:
        return Mean(nan, nan, nan)
    value = float(np.nanmean(table))
    if scans == 1:
        return Mean(value, nan, nan)
    rng = np.random.default_rng(seed)
    of_scans = rng.multinomial(scans, np.full(scans, 1 / scans), size=resamples).astype(np.float64)
    of_readers = rng.multinomial(readers, np.full(readers, 1 / readers), size=resamples).astype(np.float64)
    known = np.isfinite(table)
    total = np.einsum("bc,cr,br->b", of_scans, np.where(known, table, 0.0), of_readers, optimize=True)
    weight = np.einsum("bc,cr,br->b", of_scans, known.astype(np.float64), of_readers, optimize=True)
    means = total[weight > 0] / weight[weight > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return Mean(value, float(low), float(high))


def signed_ranks(table: Scores) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test on the means of scans, of a table (scans, readers).

    Readers are averaged on each scan, so it speaks of these readers and other scans. Scans without any difference count for
    nothing (Wilcoxon's own rule). NaN for fewer than six scans, with which nothing can be found.
    """
    means = _scan_means(table)
    if len(means) < FEWEST_FOR_RANKS:
        return nan
    # Means of the same points in another order differ in their last bits, and would not count as ties.
    means = np.round(means, 9)
    return float(stats.wilcoxon(means).pvalue) if means.any() else 1.0


def fewest_scans(tests: int) -> int:
    """Return how many scans it takes for the smallest p-value of `signed_ranks` to be below 0.05 after Holm over `tests`.

    The smallest is 2 / 2^n, where all n scans differ in the same direction.
    """
    scans = FEWEST_FOR_RANKS
    while tests * 2.0 ** (1 - scans) >= 0.05:
        scans += 1
    return scans


def gains_of(
    tables: Sequence[tuple[str, str, Scores]], reference: str, margin: float, resamples: int, seed: int
) -> list[Gain]:
    """Return the tests of all items and arms, corrected together.

    Args:
        tables: item, arm, and gains over the reference of shape (scans, readers).
        reference: name of the arm compared with.
        margin: margin of non-inferiority, in points.
        resamples, seed: resamples and seed of the bootstrap.
    """
    ps = [signed_ranks(table) for _, _, table in tables]
    made = []
    for (item, arm, table), p, corrected in zip(tables, ps, holm(ps), strict=True):
        mean = mean_of(table, resamples, seed)
        known = np.isfinite(table)
        scans, readers = int(known.any(axis=1).sum()), int(known.any(axis=0).sum())
        by_reader = tuple(float(np.nanmean(c)) if np.isfinite(c).any() else nan for c in table.T)
        verdict = verdict_of(mean, corrected, margin, scans)
        made.append(Gain(item, arm, reference, scans, readers, mean, by_reader, p, corrected, margin, verdict))
    return made


def yes_no_of(tables: Sequence[tuple[str, Scores, Scores]], reference: str, readers: Sequence[str]) -> list[YesNo]:
    """Return McNemar's tests for each arm: first the majority of readers, then each reader alone.

    Args:
        tables: arm, its yes (1) and no (0), and those of the reference beside it; shape (cases, readers).
        reference: name of the arm compared with.
        readers: their aliases.
    """
    majority = [mcnemar(arm, reference, MAJORITY, _majority(yes), _majority(other)) for arm, yes, other in tables]
    corrected = holm([one.p for one in majority])
    made = []
    for (arm, yes, other), one, p_holm in zip(tables, majority, corrected, strict=True):
        made.append(YesNo(**{**vars(one), "p_holm": p_holm}))
        if len(readers) > 1:
            made += [mcnemar(arm, reference, name, yes[:, i], other[:, i]) for i, name in enumerate(readers)]
    return made


def mcnemar(arm: str, reference: str, reader: str, yes: Scores, other: Scores) -> YesNo:
    """Return McNemar's exact test of paired yes (1) and no (0); NaN where not known.

    Only cases with different answers count: under the null hypothesis each way is a toss of a coin.
    """
    both = np.isfinite(yes) & np.isfinite(other)
    a, b = yes[both], other[both]
    only_arm, only_reference = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    tosses = only_arm + only_reference
    p = nan if not both.any() else float(stats.binomtest(only_arm, tosses).pvalue) if tosses else 1.0
    shares = [float(side.mean()) if side.size else nan for side in (a, b)]
    return YesNo(arm, reference, reader, int(both.sum()), shares[0], shares[1], only_arm, only_reference, p, nan)


def _scan_means(table: Scores) -> Scores:
    table = table[np.isfinite(table).any(axis=1)]
    return np.asarray(np.nanmean(table, axis=1)) if table.size else np.empty(0)


def _majority(table: Scores) -> Scores:
    """One yes or no for each case; NaN for a tie or where nobody answered."""
    known = np.isfinite(table)
    votes = np.where(known, table, 0.0).sum(axis=1) - known.sum(axis=1) / 2
    return np.where(votes > 0, 1.0, np.where(votes < 0, 0.0, nan))


def verdict_of(mean: Mean, p_holm: float, margin: float, scans: int) -> str:
    """Say what interval and test amount to.

    `BETTER` or `WORSE`: the whole interval on one side of 0, and `p_holm` below 0.05. Worse but the whole interval above minus
    the margin: `SLIGHTLY_WORSE`; the whole interval below it: `INFERIOR`. Without such a difference `NON_INFERIOR` where the
    whole interval is above minus the margin, else `NOT_SHOWN`. `TOO_FEW` for fewer than six scans.
    """
    if scans < FEWEST_FOR_RANKS:
        return TOO_FEW
    if mean.ci_high < -margin:
        return INFERIOR
    within = mean.ci_low > -margin
    if p_holm < 0.05 and mean.ci_low > 0:
        return BETTER
    if p_holm < 0.05 and mean.ci_high < 0:
        return SLIGHTLY_WORSE if within else WORSE
    return NON_INFERIOR if within else NOT_SHOWN
