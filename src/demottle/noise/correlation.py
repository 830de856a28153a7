"""How much of a slice's noise its neighbours share.

Real CT slices are not independent: helical interpolation and overlapping reconstruction correlate their noise. A network
that learns to predict a neighbour from a slice hands the correlated share of the noise straight back, so this number
decides how it may learn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.calm import FINE, Calm
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.matching import matched, tolerance_of
from demottle.noise.remembered import remembered
from demottle.threads import each, in_order

LAGS = 8
_FIRST_PLATEAU_LAG = 5
_FEWEST_PIXELS = 2000
_FEWEST_ROUGHLY = 300
_DETAIL_SIGMA = (
    1.0  # pixels; anatomy lives at low frequencies, so the less of them is left, the less of it is correlated
)
_FLATTEST = 0.3
_ROUNDED = 0.761 / 12  # of whole numbers: the variance that rounding leaves in detail of that width
_CALM = 5.0  # deviations of the noise's own gradients that a place may have
_LESS = 0.98
_OF_NOISE = (
    4.0  # standard deviations of the guide's gradient: as steep as noise alone makes a flat place, rims included
)
_QUIETEST = 0.3  # of the places: their gradients are of noise alone
_MOST_PIXELS = 20000  # of two slices: more say hardly more, and have to be kept
RUN = 16
"""Slices in a row that are compared; long enough for every lag."""
_MOST_RUNS = 3
_MOST_ANATOMY = 0.9  # of the variance of the fine detail
_TRIMMED, _WITHIN = 2.5, 0.901  # standard deviations; variance of a normal law that is cut off there
MEDIAN_SIZE = 1.4826
"""Standard deviations that a median absolute value stands for."""


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
    vessels stand out there from what is left of the noise. Flat is the flattest third, and what is at most as steep as the noise
    alone may be: who takes only the flattest places of coarse noise takes those where the noise of the slices cancels. What
    anatomy still shares does not fall with distance, so the mean over lags 5 to 8, the plateau, is taken out:
    rho' = (rho - plateau) / (1 - plateau). With too few slices for a plateau it counts as zero.

    Of CT, where anatomy is strong in a few flat places and noise is in all, covariances are robust (R. Gnanadesikan and
    J. R. Kettenring, Biometrics 28, 1972): rho = (v(a + b) - v(a - b)) / (v(a + b) + v(a - b)), v the variance of values within
    2.5 standard deviations, put right for those left out.

    Args:
        image: a volume of slices.
        lags: how many.
        anatomy: covariance of the fine detail that anatomy alone has at lags 1, 2, ..., in unit^2, where it is known: it is taken
            out in place of the plateau, rho' = (cov - a) / (var - a), 0 to 1.
        fewest: pixels that a correlation rests on; of 2000 it is known within about 0.05, of 300 within 0.15.
    """
    lags = min(lags, image.shape[0] - 1)
    asked = ("correlation", lags, tuple(anatomy), fewest)
    return remembered(image, asked, lambda: _correlation(image, lags, anatomy, fewest))


def _correlation(image: Image, lags: int, anatomy: Sequence[float], fewest: int) -> Correlation:
    raw, covariance, variance, pixels = _lags(image, lags)
    known = (pixels >= fewest) & (variance > 0)
    raw, covariance = np.where(known, raw, np.nan), np.where(known, covariance, np.nan)
    if anatomy:
        taken = np.zeros(lags)
        taken[: len(anatomy)] = np.nan_to_num(anatomy)[:lags]
        taken = np.minimum(taken, _MOST_ANATOMY * variance)
        free = np.clip((covariance - taken) / np.maximum(variance - taken, 1e-12), 0, 1)
        return Correlation(
            tuple(float(v) for v in free), 0.0, int(pixels[0]) if lags else 0, tuple(covariance.tolist())
        )
    tail = [(v, count) for v, count in list(zip(raw, pixels, strict=True))[_FIRST_PLATEAU_LAG - 1 :] if np.isfinite(v)]
    plateau = max(float(np.average([v for v, _ in tail], weights=[count for _, count in tail])), 0.0) if tail else 0.0
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


Figures = NDArray[np.float64]
Lags = tuple[Figures, Figures, Figures, NDArray[np.int64]]
"""Correlation, covariance and variance (unit^2) of the fine detail at lags 1, 2, ..., and the pixels they rest on."""


def _lags(image: Image, lags: int) -> Lags:
    """As `_by_lag`; lags 1 and 2 come out the same however many more are asked for."""
    most = max(lags, min(LAGS, image.shape[0] - 1)) if lags > 1 else lags
    whole = remembered(image, ("lags", most), lambda: _by_lag(image, most))
    raw, covariance, variance, pixels = whole
    return raw[:lags], covariance[:lags], variance[:lags], pixels[:lags]


def _by_lag(image: Image, lags: int) -> Lags:
    """Compare slices; of CT where no structure is seen, if that leaves enough and there is less variance, so less anatomy."""
    if not _is_ct(image) or lags < 1:
        return _compared(image, lags)
    whole = _compared(image, lags)
    calm = Calm(image, (float(whole[0][0]), float(whole[0][1]) if lags > 1 else 0.0), (FINE,), _CALM)
    inside = _compared(image, lags, calm)
    less = inside[3][0] >= _FEWEST_PIXELS and inside[2][0] < _LESS * whole[2][0]
    return inside if less else whole


def _is_ct(image: Image) -> bool:
    return image.unit == "HU" and image.modality != "MR"


def _compared(image: Image, lags: int, calm: Calm | None = None) -> Lags:
    ct = _is_ct(image)
    kept: list[list[Pixels]] = [[] for _ in range(lags)]
    pixels = np.zeros(lags, np.int64)
    for first in first_of_runs(image.shape[0]):
        indices = range(first, min(first + RUN, image.shape[0]))
        run = each(partial(_seen, image, calm), indices)
        by_noise = _OF_NOISE * _steepness_of_noise(image, indices) if ct else 0.0
        for lag in range(1, lags + 1):
            flat = partial(_flat_in_both, image=image, by_noise=by_noise if calm is None else np.inf)
            for found in in_order(flat, zip(run, run[lag:], strict=False)):
                pixels[lag - 1] += found.shape[1]
                kept[lag - 1].append(found[:, :: -(-found.shape[1] // _MOST_PIXELS) or 1])
    rounded = _ROUNDED if ct and is_whole(image) else 0.0
    figures = [_figures(np.concatenate(parts, axis=1), rounded if ct else None) for parts in kept]
    raw, covariance, variance = np.array(figures, np.float64).reshape(-1, 3).T
    return raw, covariance, variance, pixels


def _seen(image: Image, calm: Calm | None, index: int) -> DetailPlane:
    """What is compared of a slice, where it is calm."""
    one = detail_plane(image, index)
    return one if calm is None else replace(one, tissue=one.tissue & calm.plane(index))


def is_whole(image: Image) -> bool:
    """True where the voxels were rounded to whole numbers of the image's unit."""
    plane = image.voxels[image.shape[0] // 2]
    return bool(np.all(plane == np.rint(plane)))


Pixels = NDArray[np.float32]
"""Shape (2, n): fine detail of two slices in the same places."""


def _figures(pair: Pixels, rounded: float | None) -> tuple[float, float, float]:
    """Correlation, covariance and variance of two slices' details; 0 where there are none.

    `rounded`: variance of what rounding added, where robust covariances are wanted (CT).
    """
    if not pair.shape[1]:
        return 0.0, 0.0, 0.0
    a, b = pair.astype(np.float64)
    if rounded is not None:
        together, apart = (_trimmed_variance(values) for values in (a + b, a - b))
        covariance, variance = (together - apart) / 4, (together + apart) / 4
        variance = max(variance - rounded, variance / 2)
    else:
        covariance, variance = (a @ b) / a.size, float(np.sqrt((a @ a) * (b @ b))) / a.size
    return float(covariance / variance) if variance > 0 else 0.0, float(covariance), float(variance)


def _trimmed_variance(values: NDArray[np.float64]) -> float:
    """Variance of the Gaussian that most of the values follow, its mean 0: by those within 2.5 deviations."""
    size = np.abs(values)
    deviation = MEDIAN_SIZE * float(np.median(size))
    for _ in range(2):
        inner = size[size <= _TRIMMED * deviation]
        deviation = float(np.sqrt((inner**2).mean() / _WITHIN)) if inner.size else 0.0
    return deviation**2


def _flat_in_both(pair: tuple[DetailPlane, DetailPlane], image: Image, by_noise: float) -> Pixels:
    """Two slices' details over the pixels that are flat in both and matched."""
    here, there = pair
    mask, steepness = same_tissue(here, there, image)
    if not mask.any():
        return np.zeros((2, 0), np.float32)
    mask &= steepness <= max(float(np.quantile(steepness[mask], _FLATTEST)), by_noise)
    return np.stack([here.detail[mask], there.detail[mask]])


def _steepness_of_noise(image: Image, indices: range) -> float:
    """Standard deviation of the guide's gradient (unit per pixel, either direction) in noise alone, of one slice.

    From differences of neighbors, of which the quietest third holds no anatomy: gradients of noise follow Rayleigh's law.
    """
    found = []
    for index in indices[:-1:3]:
        here, there = guide.smooth(image.voxels[index]), guide.smooth(image.voxels[index + 1])
        middle = np.asarray((here + there) / 2, np.float32)
        tissue = guide.erode(tissue_mask(middle, image.unit, valid_plane(image, index)), 4)
        found.append(guide.gradient(here - there)[tissue])
    steep = np.concatenate(found) if found else np.zeros(0)
    if not steep.size:
        return 0.0
    return float(np.quantile(steep, _QUIETEST) / np.sqrt(-2 * np.log(1 - _QUIETEST)) / np.sqrt(2))


def same_tissue(here: DetailPlane, there: DetailPlane, image: Image) -> tuple[Mask, Voxels]:
    """Return where two slices show the same soft tissue, and the steepness of the steeper one at every pixel."""
    mask = here.tissue & there.tissue
    if mask.any():
        level = float(np.std(here.detail[mask]))
        mask &= matched(here.wide, there.wide, tolerance_of(image, level))
    return mask, np.maximum(here.steepness, there.steepness)
