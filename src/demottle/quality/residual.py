"""What was removed (before minus after): does it hold edges, and is it spread over frequencies as the noise is?"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.quality.sampling import MOST_SLICES, picked_slices

_FINE, _COARSE = 1.0, 3.0  # pixels: the Gaussians between which structure is looked for
_STEEPEST = 0.1  # share of the foreground's pixels that count as edges
_FLATTEST = 0.4


@dataclass(frozen=True)
class EdgeTest:
    """How far the residual holds structure of the image.

    Attributes:
        correlation: of residual and fine structure on edges, above what noise alone gives; 0: none, 1: nothing else.
        error: its standard error over slices; NaN for a single slice.
        lost_share: share of the fine structure's amplitude that went into the residual (0.03: edges lost 3 % of it).
        deviation: standard deviation of the residual on edges over that in flat regions; 1: the same amount everywhere.
        pixels: how many edge pixels were looked at.
    """

    correlation: float
    error: float
    lost_share: float
    deviation: float
    pixels: int


def edge_test(before: Image, after: Image, at_most: int = MOST_SLICES) -> EdgeTest:
    """Correlate what was removed with the fine structure of the image, on edges.

    With r = before - after, and h = G1(before) - G3(before), the structure between Gaussians of 1 and 3 pixels:

        correlation = (cov_edges(r, h) - a cov_flat(r, h)) / (sd_edges(r) sd_edges(h)),  a = min(1, sd_edges(r) / sd_flat(r))

    h holds noise too, and removed noise correlates with itself: that part is known from flat regions and taken out, less of
    it (a) where the method removes less noise on edges. So removing pure noise gives 0, blurring edges more than 0,
    sharpening them less than 0. Edges are the steepest tenth of the foreground (of a guide smoothed by 3 pixels), flat
    regions its flattest 40 %. lost_share = the same difference over the variance of h on edges.
    """
    sums = [_moments(before, after, z) for z in picked_slices(before.shape[0], at_most)]
    table = np.array([s for s in sums if s is not None])
    if not len(table):
        return EdgeTest(float("nan"), float("nan"), float("nan"), float("nan"), 0)
    correlation, lost, deviation = _combine(table.sum(axis=0))
    # Slices share anatomy but hardly noise; leaving out one group of neighbors at a time respects both.
    groups = np.array_split(table, min(12, len(table)))
    left_out = np.array([_combine(table.sum(axis=0) - g.sum(axis=0))[0] for g in groups]) if len(groups) > 1 else None
    error = float("nan")
    if left_out is not None:
        n = len(left_out)
        error = float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))
    return EdgeTest(correlation, error, lost, deviation, int(table[:, 0].sum()))


def _moments(before: Image, after: Image, z: int) -> NDArray[np.float64] | None:
    """Count and sums of r, h, r r, h h, r h; on edges, then in flat regions, of one slice."""
    plane = np.nan_to_num(before.voxels[z])
    removed = plane - np.nan_to_num(after.voxels[z])
    fine, coarse = (cv2.GaussianBlur(plane, (0, 0), s) for s in (_FINE, _COARSE))
    structure = fine - coarse
    steepness = np.hypot(cv2.Sobel(coarse, cv2.CV_32F, 1, 0), cv2.Sobel(coarse, cv2.CV_32F, 0, 1))
    use = _foreground(coarse, before)
    if before.valid is not None:
        use &= before.valid[z]
    if use.sum() < 200:
        return None
    steep, flat = np.quantile(steepness[use], [1 - _STEEPEST, _FLATTEST])
    parts = []
    for where in (use & (steepness >= steep), use & (steepness <= flat)):
        r, h = removed[where].astype(np.float64), structure[where].astype(np.float64)
        parts += [float(r.size), r.sum(), h.sum(), r @ r, h @ h, r @ h]
    return np.array(parts)


def _foreground(coarse: NDArray[np.float32], image: Image) -> NDArray[np.bool_]:
    if image.unit == "HU":
        # Lung counts, bone and metal do not: their noise differs most from that of the flat regions compared with.
        return (coarse > -950) & (coarse < 600)
    return np.asarray(coarse > 0.1 * np.percentile(coarse, 99))


def _combine(sums: NDArray[np.float64]) -> tuple[float, float, float]:
    (var_r, var_h, cov), (flat_r, _, flat_cov) = (_covariance(part) for part in (sums[:6], sums[6:]))
    if var_r <= 0 or var_h <= 0:
        return 0.0, 0.0, float("nan")
    deviation = float(np.sqrt(var_r / flat_r)) if flat_r > 0 else float("inf")
    excess = cov - min(1.0, deviation) * flat_cov
    return float(excess / np.sqrt(var_r * var_h)), float(excess / var_h), deviation


def _covariance(sums: NDArray[np.float64]) -> tuple[float, float, float]:
    n, r, h, rr, hh, rh = sums
    return rr / n - (r / n) ** 2, hh / n - (h / n) ** 2, rh / n - r * h / n**2
