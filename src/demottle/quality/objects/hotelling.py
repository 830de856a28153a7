"""Channelised Hotelling observer (CHO): how well a best linear reader of a few channels tells two sets of images apart.

With channel outputs v = U^T g, mean difference D and pooled covariance S, the template is S^-1 D and d'^2 = D^T S^-1 D. From n1
and n2 images with c channels that estimate is too large; the unbiased one for Gaussian outputs is, with k = n1 + n2 - 2,

    d'^2 = (k - c - 1) / k  D^T S^-1 D - c (1 / n1 + 1 / n2)

(Lachenbruch 1967; Wunderlich, Noo et al., IEEE Trans Med Imaging 34 (2015)). Unlike d' from NPS and TTF nothing is assumed of
the image: it holds for learned denoisers too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from demottle.errors import InputError
from demottle.quality.arrays import planes_of

Array = NDArray[np.float64]

_FOLDS = 10
_DEPENDENT = 1e-10  # least eigenvalue of the channels' correlation matrix; rounding alone leaves 1e-14


@dataclass(frozen=True)
class Hotelling:
    """What the observer reached.

    Attributes:
        dprime: free of the small-sample bias; 0 where the unbiased square is negative. 0 is chance.
        dprime_low, dprime_high: bootstrap interval.
        auc: area under the ROC curve for Gaussian outputs, Phi(dprime / sqrt 2); 0.5 is chance.
        auc_low, auc_high: its bootstrap interval.
        auc_held_out: rank statistic of images that the template was not made from (10-fold); a little pessimistic.
        present, absent: number of images.
        channels: number of channels.
        confidence: confidence of both intervals.
    """

    dprime: float
    dprime_low: float
    dprime_high: float
    auc: float
    auc_low: float
    auc_high: float
    auc_held_out: float
    present: int
    absent: int
    channels: int
    confidence: float


def hotelling(
    present: NDArray[Any],
    absent: NDArray[Any],
    channels: Array,
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Hotelling:
    """Measure the observer on two ensembles, e.g. with and without the object, or with a disc and with a square.

    The interval: images are resampled within each set; deviations of d' from the resampled world's own truth are taken on the
    scale g(d') = asinh(d' / sqrt(2 k (1/n1 + 1/n2))), which makes its spread even, and turned around the estimate (a basic
    bootstrap interval).

    Args:
        present, absent: (n, rows, columns) in HU, cut so that the object has the same place in all; images must be
            independent of each other (regions of one image must not overlap).
        channels: (c, rows, columns), see `demottle.quality.objects.channels`.
        bootstrap: number of resamples.
        confidence: confidence of the interval.
        seed: seed of resampling and folds; the same seed gives the same figures.

    Raises:
        InputError: other shapes than the channels', NaN, too few images for that many channels, too few pixels (or no noise)
            for the channels to say different things.
    """
    sets = [
        outputs_of(planes_of(images, what), channels, what)
        for images, what in ((present, "images with"), (absent, "images without"))
    ]
    return hotelling_of_outputs(sets[0], sets[1], bootstrap, confidence, seed)


def hotelling_of_outputs(
    present: Array, absent: Array, bootstrap: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Hotelling:
    """Measure the observer on channel outputs (n, c), see `outputs_of`; arguments and errors as `hotelling`.

    For ensembles too large to keep as images, or whose objects lie differently between pixels.
    """
    sets = [np.asarray(present, np.float64), np.asarray(absent, np.float64)]
    n1, n2, c = _counts(sets)
    _refuse_dependent(sets)
    random = np.random.default_rng(seed)
    dprime = _dprime(sets)
    low, high = _interval(sets, dprime, bootstrap, confidence, random)
    auc, auc_low, auc_high = (float(ndtr(max(d, 0.0) / np.sqrt(2))) for d in (dprime, low, high))
    held_out = _held_out(sets, random)
    return Hotelling(
        max(dprime, 0.0), max(low, 0.0), max(high, 0.0), auc, auc_low, auc_high, held_out, n1, n2, c, confidence
    )


def change_of_dprime(
    before: tuple[Array, Array],
    after: tuple[Array, Array],
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return d' after minus d' before with its bootstrap interval, from channel outputs (present, absent) of the same images.

    Each resample takes the same images before and after: the noise that both share cancels, so that a change is known better
    than either d'. The interval is basic, on the scale of d'.

    Raises:
        InputError: as `hotelling`; where before and after differ in their number of images.
    """
    random, pairs = np.random.default_rng(seed), [[np.asarray(s, np.float64) for s in sets] for sets in (before, after)]
    n1, n2, _ = _counts(pairs[0])
    if _counts(pairs[1])[:2] != (n1, n2):
        raise InputError("Before and after hold different numbers of images; a change of d' takes the same ones.")
    for sets in pairs:
        _refuse_dependent(sets)
    weights = [random.multinomial(n, np.full(n, 1 / n), bootstrap).astype(float) for n in (n1, n2)]
    first, second = (_in_resamples(sets, weights) - _as_population(sets) for sets in pairs)
    deviation = second - first
    change, tail = _dprime(pairs[1]) - _dprime(pairs[0]), (1 - confidence) / 2
    upper, lower = np.quantile(deviation, [1 - tail, tail])
    return change, float(change - upper), float(change - lower)


def roc_area(present: Array, absent: Array) -> float:
    """Area under the ROC curve of two sets of scores: the share of pairs in the right order, ties half (Wilcoxon)."""
    ranks = rankdata(np.concatenate([present, absent]))
    n1, n2 = len(present), len(absent)
    return float((ranks[:n1].sum() - n1 * (n1 + 1) / 2) / (n1 * n2))


def outputs_of(images: Array, channels: Array, what: str = "images of") -> Array:
    """Return channel outputs (n, c) of images (n, rows, columns) through channels (c, rows, columns).

    Raises:
        InputError: where the sizes differ; `what` names the images.
    """
    if channels.ndim != 3 or images.shape[1:] != channels.shape[1:]:
        raise InputError(
            f"The {what} the object have {images.shape[1:]} pixels, but the channels {channels.shape[1:]}."
        )
    out: Array = images.reshape(len(images), -1) @ channels.reshape(len(channels), -1).T
    return out


def _moments(outputs: Array, weights: Array) -> tuple[Array, Array]:
    """Mean (b, c) and scatter (b, c, c) of outputs (n, c) for each row of weights (b, n) that add up to n."""
    n, c = outputs.shape
    centered = outputs - outputs.mean(axis=0)
    mean = weights @ centered / n
    products = (centered[:, :, None] * centered[:, None, :]).reshape(n, c * c)
    scatter = (weights @ products).reshape(-1, c, c) - n * mean[:, :, None] * mean[:, None, :]
    return mean + outputs.mean(axis=0), scatter


def _distance(one: tuple[Array, Array], other: tuple[Array, Array]) -> Array:
    """D^T (sum of both scatters)^-1 D for each row."""
    difference = one[0] - other[0]
    template = np.linalg.solve(one[1] + other[1], difference[:, :, None])[:, :, 0]
    result: Array = (difference * template).sum(axis=1)
    return result


def _unbiased(distance: Array, n1: int, n2: int, c: int) -> Array:
    result: Array = (n1 + n2 - 3 - c) * distance - c * (1 / n1 + 1 / n2)
    return result


def _root(square: Array) -> Array:
    result: Array = np.sign(square) * np.sqrt(np.abs(square))
    return result


def _counts(sets: list[Array]) -> tuple[int, int, int]:
    """Number of images of both sets and of channels.

    Raises:
        InputError: where there are too few images for that many channels.
    """
    n1, n2, c = len(sets[0]), len(sets[1]), sets[0].shape[1]
    if n1 + n2 - 2 < 2 * c or min(n1, n2) < 4:
        raise InputError(
            f"{n1} and {n2} images are too few for {c} channels; a Hotelling observer needs at least 4 of each and "
            f"{2 * c + 2} in all: give more images or fewer channels."
        )
    return n1, n2, c


def _refuse_dependent(sets: list[Array]) -> None:
    """Raise InputError where a channel follows from the others (or never varies): the template is not determined then."""
    scatter = sum(_moments(s, np.ones((1, len(s))))[1][0] for s in sets)
    deviation = np.sqrt(np.maximum(np.diag(scatter), 0))
    # Channel by channel on one scale, so that weak channels do not count as dependent ones.
    if (deviation > 0).all() and np.linalg.eigvalsh(scatter / np.outer(deviation, deviation))[0] > _DEPENDENT:
        return
    raise InputError(
        f"The {len(scatter)} channels do not tell different things about these images, so that no observer can be computed: "
        "give larger crops or fewer channels, and images that hold noise."
    )


def _dprime(sets: list[Array]) -> float:
    n1, n2, c = _counts(sets)
    return float(_root(_unbiased(_distance(*(_moments(s, np.ones((1, len(s)))) for s in sets)), n1, n2, c))[0])


def _in_resamples(sets: list[Array], weights: list[Array]) -> Array:
    """d' in each resample, signed; one row of weights (b, n) per set for each."""
    n1, n2, c = _counts(sets)
    drawn = [_moments(s, w) for s, w in zip(sets, weights, strict=True)]
    return _root(_unbiased(_distance(*drawn), n1, n2, c))


def _as_population(sets: list[Array]) -> float:
    """The true d' of the resampled world, where the sets themselves are the population: no bias to take out."""
    whole = [_moments(s, np.ones((1, len(s)))) for s in sets]
    return float(np.sqrt((len(sets[0]) + len(sets[1])) * _distance(*whole)[0]))


def _interval(
    sets: list[Array], dprime: float, count: int, confidence: float, random: np.random.Generator
) -> tuple[float, float]:
    n1, n2, _ = _counts(sets)
    scale = np.sqrt(2 * (n1 + n2 - 2) * (1 / n1 + 1 / n2))
    weights = [random.multinomial(n, np.full(n, 1 / n), count).astype(float) for n in (n1, n2)]
    deviation = np.arcsinh(_in_resamples(sets, weights) / scale) - np.arcsinh(_as_population(sets) / scale)
    tail = (1 - confidence) / 2
    upper, lower = np.quantile(deviation, [1 - tail, tail])
    at = np.arcsinh(dprime / scale)
    return float(np.sinh(at - upper) * scale), float(np.sinh(at - lower) * scale)


def _held_out(sets: list[Array], random: np.random.Generator) -> float:
    """ROC area of scores by templates made without the scored images."""
    folds = min(_FOLDS, *(len(s) for s in sets))
    # Equal sets are often pairs of one realization: both of a pair stay in one fold.
    order = random.permutation(max(len(s) for s in sets))
    fold = [order[: len(s)] % folds if len(s) == len(order) else random.permutation(len(s)) % folds for s in sets]
    scores = [np.empty(len(s)) for s in sets]
    for k in range(folds):
        kept = [s[f != k] for s, f in zip(sets, fold, strict=True)]
        (mean1, scatter1), (mean2, scatter2) = (_moments(s, np.ones((1, len(s)))) for s in kept)
        template = np.linalg.solve((scatter1 + scatter2)[0], (mean1 - mean2)[0])
        middle = template @ (mean1 + mean2)[0] / 2
        for score, s, f in zip(scores, sets, fold, strict=True):
            score[f == k] = (s[f == k] @ template - middle) / np.sqrt(template @ (mean1 - mean2)[0])
    return roc_area(scores[0], scores[1])
