"""Krippendorff's alpha: agreement of any number of readers, on three scales, with ratings missing."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from demottle.study.scoring import Scores

NOMINAL, ORDINAL, INTERVAL = "nominal", "ordinal", "interval"
SCALES = (NOMINAL, ORDINAL, INTERVAL)


@dataclass(frozen=True)
class Alpha:
    """An alpha with its 95 % interval, at most 1; 0 is chance. NaN where it is not known."""

    value: float
    ci_low: float
    ci_high: float


def krippendorff(table: Scores, scale: str = ORDINAL) -> float:
    """Return Krippendorff's alpha of a table (things, readers), NaN for missing ratings.

    alpha = 1 - D_o / D_e, with

        D_o = 1/n sum_ck o_ck d_ck^2         o_ck = sum over things of (pairs c-k of two readers) / (m - 1)
        D_e = 1/(n (n - 1)) sum_ck n_c n_k d_ck^2,

    where m is the number of ratings of a thing, n_c the number of ratings c, n that of all; things that fewer than two have rated
    count for nothing. d_ck^2 is 1 for c != k (nominal), (c - k)^2 (interval), or the square of the number of ratings between c
    and k, half of those at either end included (ordinal).

    Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011); Hayes and Krippendorff (2007), "Answering the call
    for a standard reliability measure for coding data", Communication Methods and Measures 1(1), 77-89.

    Args:
        table: ratings, in any unit.
        scale: `NOMINAL`, `ORDINAL` or `INTERVAL`.

    Returns:
        From -1 or less (opposite) over 0 (chance) to 1 (alike); NaN where all ratings are the same, or no thing has two.

    Raises:
        ValueError: for another scale.
    """
    counts, values = _counted(table)
    return float(_alphas(counts, values, np.ones((1, len(counts))), scale)[0])


def krippendorff_interval(table: Scores, scale: str = ORDINAL, resamples: int = 2000, seed: int = 0) -> Alpha:
    """Return alpha with its 95 % interval by the bootstrap over things (percentiles), readers staying the same.

    Things are drawn again with all of their ratings, and distances of the ordinal scale and chance follow from what was drawn.
    (Hayes and Krippendorff draw single pairs, which takes pairs of one thing for independent.) Draws in which all ratings are the
    same have no alpha and are left out. NaN for the interval with fewer than two things.

    Args:
        table: shape (things, readers), NaN for missing ratings.
        scale: as for `krippendorff`.
        resamples, seed: of the bootstrap.
    """
    counts, values = _counted(table)
    value = float(_alphas(counts, values, np.ones((1, len(counts))), scale)[0])
    if len(counts) < 2 or np.isnan(value):
        return Alpha(value, nan, nan)
    draws = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples)
    drawn = _alphas(counts, values, draws.astype(np.float64), scale)
    low, high = np.percentile(drawn[np.isfinite(drawn)], [2.5, 97.5])
    return Alpha(value, float(low), float(high))


def _counted(table: Scores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often each value was given to each thing (things, values), and the values; only of what two readers or more rated."""
    rated = table[np.isfinite(table).sum(axis=1) >= 2]
    values = np.unique(rated[np.isfinite(rated)])
    counts = (rated[:, :, None] == values).sum(axis=1).astype(np.float64)
    return counts, values


def _alphas(
    counts: NDArray[np.float64], values: NDArray[np.float64], draws: NDArray[np.float64], scale: str
) -> NDArray[np.float64]:
    """Alpha for each row of `draws` (draws, things): how many times each thing counts."""
    if scale not in SCALES:
        raise ValueError(f"scale has to be one of {', '.join(SCALES)}, not {scale!r}.")
    if not len(counts):
        return np.full(len(draws), nan)
    pairs = counts[:, :, None] * counts[:, None, :]  # (things, values, values)
    pairs[:, np.arange(len(values)), np.arange(len(values))] -= counts
    together = np.tensordot(draws, pairs / (counts.sum(axis=1) - 1)[:, None, None], axes=1)
    given = draws @ counts  # (draws, values)
    total = given.sum(axis=1)
    apart = _distances(given, values, scale)
    observed = (together * apart).sum(axis=(1, 2)) / total
    by_chance = (given[:, :, None] * given[:, None, :] * apart).sum(axis=(1, 2)) / (total * (total - 1))
    return np.where(by_chance > 0, 1 - observed / np.where(by_chance > 0, by_chance, 1.0), nan)


def _distances(given: NDArray[np.float64], values: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Squared distance of two values: shape (draws or 1, values, values)."""
    if scale == NOMINAL:
        return (1.0 - np.eye(len(values)))[None]
    if scale == INTERVAL:
        return ((values[:, None] - values) ** 2)[None]
    place = (
        np.cumsum(given, axis=1) - given / 2
    )  # the middle rank of each value: their difference is the number between
    return np.asarray((place[:, :, None] - place[:, None, :]) ** 2)
