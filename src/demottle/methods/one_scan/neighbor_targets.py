"""Targets from neighboring slices: matched, corrected for shared noise, averaged."""

import numpy as np

from demottle.image import Image, Voxels
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.one_scan.scan_samples import ScanSamples
from demottle.noise import guide
from demottle.noise.correlation import Correlation

MOST_CORRELATION = 0.8
"""Slices that share more noise than this are not used as targets: correcting would multiply their noise by 3 or more."""


def decorrelated(target: Voxels, own: Voxels, rho: float) -> Voxels:
    """Return `(target - rho own) / (1 - rho)`: a target whose noise is uncorrelated with the slice's own.

    With noise of equal variance in both and correlation rho, the covariance of the result with `own`'s noise is
    `(rho - rho) / (1 - rho) = 0`, its mean is the target's where both show the same, and its variance is
    `(1 + rho) / (1 - rho)` times theirs.
    """
    return np.asarray((target - rho * own) / (1 - rho), np.float32)


def usable_lags(correlation: Correlation, reach: int) -> list[int]:
    """Choose the lags whose slices serve as targets: `reach` of them, the nearest that do not share too much noise."""
    lags = [lag for lag in range(1, len(correlation.rho) + 1) if correlation.at(lag) <= MOST_CORRELATION]
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
    lags = usable_lags(correlation, reach)
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
        own = samples.slices[n]
        for other in [index + sign * lag for lag in lags for sign in (-1, 1)]:
            if not 0 <= other < image.shape[0]:
                continue
            rho = max(correlation.at(abs(other - index)), 0.0) if decorrelate else 0.0
            match = np.abs(guide_at(other) - guide_at(index)) <= tolerance * samples.deviation[n]
            weight = match * np.float32((1 - rho) / (1 + rho))
            targets[n] += weight * decorrelated(neighbor(other), own, rho)
            weights[n] += weight
        for passed in [known for known in guides if known < index - lags[-1]] if lags else []:
            del guides[passed]
    np.divide(targets, weights, out=targets, where=weights > 0)
    return targets, weights
