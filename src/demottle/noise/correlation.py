"""How much of a slice's noise its neighbours share.

Real CT slices are not independent: helical interpolation and overlapping reconstruction correlate their noise. A network
that learns to predict a neighbour from a slice hands the correlated share of the noise straight back, so this number
decides how it may learn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.matching import matched, tolerance_of

LAGS = 8
_FIRST_PLATEAU_LAG = 5
_FEWEST_PIXELS = 2000
_FEWEST_ROUGHLY = 300
_DETAIL_SIGMA = (
    1.0  # pixels; anatomy lives at low frequencies, so the less of them is left, the less of it is correlated
)
_FLATTEST = 0.3
RUN = 16
"""Slices in a row that are compared; long enough for every lag."""
_MOST_RUNS = 3
_MOST_ANATOMY = 0.9  # of the variance of the fine detail


@dataclass(frozen=True)
class Correlation:
    """Noise correlation between slices.

    Attributes:
        rho: correlation at lags 1, 2, ..., the plateau removed; empty for a single slice.
        plateau: correlation that is left at long lags, where only anatomy is shared.
        pixels: pixels that the correlation at lag 1 rests on.
        covariance: covariance of the slices' fine detail at lags 1, 2, ..., anatomy and all, in unit^2; NaN where not measured.
    """

    rho: tuple[float, ...]
    plateau: float
    pixels: int
    covariance: tuple[float, ...] = ()

    def at(self, lag: int) -> float:
        """Return the correlation at a lag of 1 or more; 0 beyond those measured."""
        return self.rho[lag - 1] if 1 <= lag <= len(self.rho) else 0.0

    def first_free_lag(self, negligible: float = 0.05) -> int:
        """Return the smallest lag from which on no measured correlation exceeds `negligible`."""
        over = [lag for lag, rho in enumerate(self.rho, start=1) if rho > negligible]
        return over[-1] + 1 if over else 1


def slice_correlation(
    image: Image, lags: int = LAGS, anatomy: Sequence[float] = (), fewest: int = _FEWEST_PIXELS
) -> Correlation:
    """Measure the noise correlation of slices `lag` apart, for lags 1 to `lags`.

    Each slice loses a Gaussian-smoothed copy of itself (1 pixel), which leaves noise and fine anatomy; only pixels that are
    flat soft tissue in both slices, and matched, are correlated. Flatness is judged on guides averaged over three slices:
    vessels stand out there from what is left of the noise. What anatomy still shares does not fall with distance, so the
    mean over lags 5 to 8, the plateau, is taken out: rho' = (rho - plateau) / (1 - plateau). With too few slices for a
    plateau it counts as zero.

    Args:
        image: a volume of slices.
        lags: how many.
        anatomy: covariance of the fine detail that anatomy alone has at lags 1, 2, ..., in unit^2, where it is known: it is taken
            out in place of the plateau, rho' = (cov - a) / (var - a), 0 to 1.
        fewest: pixels that a correlation rests on; of 2000 it is known within about 0.05, of 300 within 0.15.
    """
    slices = image.shape[0]
    lags = min(lags, slices - 1)
    sums = np.zeros((lags, 3))
    pixels = np.zeros(lags, np.int64)
    for first in first_of_runs(slices):
        run = [detail_plane(image, index) for index in range(first, min(first + RUN, slices))]
        for lag in range(1, lags + 1):
            for here, there in zip(run, run[lag:], strict=False):
                products, count = _correlate(here, there, image)
                sums[lag - 1] += products
                pixels[lag - 1] += count
    raw = np.full(lags, np.nan)
    enough = (pixels >= fewest) & (sums[:, 1] > 0) & (sums[:, 2] > 0)
    raw[enough] = sums[enough, 0] / np.sqrt(sums[enough, 1] * sums[enough, 2])
    covariance = np.full(lags, np.nan)
    covariance[enough] = sums[enough, 0] / pixels[enough]
    if anatomy:
        known = np.zeros(lags)
        known[: len(anatomy)] = np.nan_to_num(anatomy)[:lags]
        variance = np.sqrt(sums[:, 1] * sums[:, 2]) / np.maximum(pixels, 1)
        known = np.minimum(known, _MOST_ANATOMY * variance)
        free = np.clip((covariance - known) / np.maximum(variance - known, 1e-12), 0, 1)
        return Correlation(
            tuple(float(v) for v in free), 0.0, int(pixels[0]) if lags else 0, tuple(covariance.tolist())
        )
    tail = [v for v in raw[_FIRST_PLATEAU_LAG - 1 :] if np.isfinite(v)]
    plateau = max(float(np.mean(tail)), 0.0) if tail else 0.0
    rho = tuple(float((v - plateau) / (1 - plateau)) if plateau < 1 else 1.0 for v in raw)
    return Correlation(rho, plateau, int(pixels[0]) if lags else 0, tuple(covariance.tolist()))


def known_correlation(image: Image, correlation: Correlation) -> Correlation:
    """Return a correlation that is known at lag 1; where little tissue of a CT is flat a rough one: better than none."""
    if image.unit != "HU" or image.shape[0] < 2 or np.isfinite(correlation.at(1)):
        return correlation
    return slice_correlation(image, 1, fewest=_FEWEST_ROUGHLY)


@dataclass(frozen=True, eq=False)
class DetailPlane:
    """What the comparison needs of one slice: fine detail, a wide guide, how steep a guide of three slices is, soft tissue."""

    detail: Voxels
    wide: Voxels
    steepness: Voxels
    tissue: Mask


def first_of_runs(slices: int) -> list[int]:
    """Return the first slices of up to three runs, spread over the image, so that the cost does not grow with it."""
    runs = min(max(1, slices // RUN), _MOST_RUNS)
    return [int(i) for i in np.linspace(0, slices - min(RUN, slices), runs).round()]


def detail_plane(image: Image, index: int) -> DetailPlane:
    """Return what is compared of one slice; its detail is the slice less a Gaussian of 1 pixel, in the image's unit."""
    plane = image.voxels[index]
    around = range(max(0, index - 1), min(image.shape[0], index + 2))
    averaged: Voxels = np.mean([guide.smooth(image.voxels[i]) for i in around], axis=0)
    # Dilated, so that the high-passed rim of a vessel is left out with its edge.
    steepness = np.asarray(cv2.dilate(guide.gradient(averaged), np.ones((5, 5), np.uint8)), np.float32)
    tissue = guide.erode(tissue_mask(averaged, image.unit, valid_plane(image, index)), 4)
    return DetailPlane(
        plane - guide.smooth(plane, _DETAIL_SIGMA), guide.smooth(plane, 2 * guide.GUIDE_SIGMA), steepness, tissue
    )


def _correlate(here: DetailPlane, there: DetailPlane, image: Image) -> tuple[NDArray[np.float64], int]:
    """Sums of products (ab, aa, bb) of two slices' details over the pixels that are flat in both and matched."""
    mask, steepness = same_tissue(here, there, image)
    if not mask.any():
        return np.zeros(3), 0
    mask &= steepness <= np.quantile(steepness[mask], _FLATTEST)
    a, b = here.detail[mask].astype(np.float64), there.detail[mask].astype(np.float64)
    return np.array([a @ b, a @ a, b @ b]), int(mask.sum())


def same_tissue(here: DetailPlane, there: DetailPlane, image: Image) -> tuple[Mask, Voxels]:
    """Return where two slices show the same soft tissue, and the steepness of the steeper one at every pixel."""
    mask = here.tissue & there.tissue
    if mask.any():
        level = float(np.std(here.detail[mask]))
        mask &= matched(here.wide, there.wide, tolerance_of(image, level))
    return mask, np.maximum(here.steepness, there.steepness)
