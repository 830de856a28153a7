"""Targets from neighboring slices: matched, corrected for shared noise, averaged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.one_scan.scan_samples import ScanSamples, seen
from demottle.noise import guide
from demottle.noise.correlation import Correlation

MOST_CORRELATION = 0.8
"""Slices that share more noise than this are not used as targets: correcting would multiply their noise by 3 or more."""


def decorrelated(target: Voxels, inputs: Sequence[Voxels], shares: NDArray[np.float64]) -> Voxels:
    """Return `(target - shares . inputs) / (1 - sum of the shares)`, whose noise is uncorrelated with that of the inputs.

    Args:
        target, inputs: slices that show the same.
        shares: from `regression`.
    """
    shared = sum((np.float32(b) * x for b, x in zip(shares, inputs, strict=True)), np.zeros_like(target))
    return np.asarray((target - shared) / np.float32(1 - shares.sum()), np.float32)


def regression(correlation: Correlation, seen: Sequence[int], other: int) -> tuple[NDArray[np.float64], float]:
    """Return the shares `b` of the noise of some slices in that of another one, and the variance of what is left.

    With noise of equal variance, C its correlation among the slices seen and c that with the other, `b = C^-1 c`: the target
    `(y - b . x) / (1 - sum b)` has noise uncorrelated with all of x, the mean of y where all show the same, and the variance
    `(1 - b . c) / (1 - sum b)^2`. For a single slice b is rho, and the variance `(1 + rho) / (1 - rho)`.

    Args:
        correlation: measured noise correlation of the scan.
        seen, other: indices of slices.
    """

    def rho(lag: int) -> float:
        return max(float(np.nan_to_num(correlation.at(abs(lag)))), 0.0) if lag else 1.0

    among = np.array([[rho(a - b) for b in seen] for a in seen])
    with_other = np.array([rho(other - a) for a in seen])
    shares = np.linalg.lstsq(among, with_other, rcond=1e-3)[0]
    return shares, float((1 - shares @ with_other) / (1 - shares.sum()) ** 2)


def usable_lags(correlation: Correlation, reach: int, beyond: int = 0) -> list[int]:
    """Choose the lags whose slices serve as targets: the nearest `reach` that do not share too much noise, beyond those seen."""
    lags = [lag for lag in range(1 + beyond, len(correlation.rho) + 1) if correlation.at(lag) <= MOST_CORRELATION]
    return lags[:reach]


def matched_targets(
    image: Image,
    samples: ScanSamples,
    correlation: Correlation,
    *,
    reach: int,
    decorrelate: bool,
    tolerance: float,
    guide_sigma: float,
) -> tuple[Voxels, Voxels]:
    """Make one target for every sample from all its matched neighbors.

    Args:
        image, samples: the scan and the slices chosen from it.
        correlation: measured noise correlation of the scan.
        reach: number of lags used, in both directions.
        decorrelate: correct for shared noise.
        tolerance: largest difference of two guides that counts as matched, in units of the local noise level.
        guide_sigma: width of the guide's Gaussian in pixels.

    Returns:
        Targets and weights, both float32 (n, rows, columns). A weight is the inverse of the target's noise variance in units
        of a slice's own; 0 where no neighbor matches.
    """
    seen_at_once = len(samples.around) + 1
    lags = usable_lags(correlation, reach, seen_at_once // 2)
    guides: dict[int, Voxels] = {}

    def neighbor(index: int) -> Voxels:
        return fill_invalid(image, index)[samples.box]

    def guide_at(index: int) -> Voxels:
        if index not in guides:
            guides[index] = guide.smooth(neighbor(index), guide_sigma)
        return guides[index]

    targets = np.zeros_like(samples.slices)
    weights = np.zeros_like(samples.slices)
    for n, index in enumerate(samples.indices):
        for other in [index + sign * lag for lag in lags for sign in (-1, 1)]:
            if not 0 <= other < image.shape[0]:
                continue
            shares, variance = np.zeros(seen_at_once), 1.0
            if decorrelate:
                shares, variance = regression(correlation, seen(index, seen_at_once, image.shape[0]), other)
            match = np.abs(guide_at(other) - guide_at(index)) <= tolerance * samples.deviation[n]
            weight = match * np.float32(1 / variance)
            targets[n] += weight * decorrelated(neighbor(other), [stack[n] for stack in samples.stacks], shares)
            weights[n] += weight
        for passed in [known for known in guides if known < index - lags[-1]] if lags else []:
            del guides[passed]
    np.divide(targets, weights, out=targets, where=weights > 0)
    return targets, weights
