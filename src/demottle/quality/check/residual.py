"""What was removed (before minus after): does it hold edges, and is it spread over frequencies as the noise is?"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.slices import MOST_SLICES, spread
from demottle.quality.check.lung import LUNG_HU, lung_plane

_FINE, _COARSE = 1.0, 3.0  # pixels: the Gaussians between which structure is looked for
_STEEPEST = 0.1  # share of a region's pixels that count as edges
_FLATTEST = 0.4
_FEWEST_IN_SLICE = {"HU": 2000}
_FEWEST_EDGE_PIXELS = {"HU": 1000}
_FEWEST_OF_MR = (400, 100)  # in a slice, on edges: matrices of MR may be small; the error says what that costs
_FEW_SLICES = 4
_BANDS = 8  # parts of each slice where there are few of them

# HU of a smooth guide. Apart, because noise and structure of lung and soft tissue differ, and a method can keep the edges of
# one and lose those of the other. Metal and dense bone are left out: their noise is not that of the flat regions.
_REGIONS = {"soft tissue": (-300.0, 600.0), "lung": LUNG_HU}


@dataclass(frozen=True)
class EdgeTest:
    """How far the residual holds structure of the image.

    Attributes:
        correlation: correlation of residual and fine structure on edges, above what noise alone gives; 0: none, 1: nothing else.
        error: its standard error over slices; where there are fewer than four, over bands of each of them.
        lost_share: share of the fine structure's amplitude that went into the residual (0.03: edges lost 3 % of it).
        deviation: standard deviation of the residual on edges over that in flat regions; 1: the same amount everywhere.
        pixels: how many edge pixels were looked at.
        region: where this was found: "soft tissue", "lung"; "foreground" without HU; "" where nothing could be tested.
    """

    correlation: float
    error: float
    lost_share: float
    deviation: float
    pixels: int
    region: str


_UNKNOWN = EdgeTest(float("nan"), float("nan"), float("nan"), float("nan"), 0, "")


def edge_test(before: Image, after: Image, at_most: int = MOST_SLICES) -> EdgeTest:
    """Return the test of the region that fares worst: the largest correlation of either sign (see `edge_tests`)."""
    return max(edge_tests(before, after, at_most), key=lambda test: abs(test.correlation), default=_UNKNOWN)


def edge_tests(before: Image, after: Image, at_most: int = MOST_SLICES) -> list[EdgeTest]:
    """Correlate what was removed with the fine structure of the image, on edges, in each region that is there.

    With r = before - after, and h = G1(before) - G3(before), the structure between Gaussians of 1 and 3 pixels:

        correlation = (cov_edges(r, h) - a cov_flat(r, h)) / (sd_edges(r) sd_edges(h)),  a = min(1, sd_edges(r) / sd_flat(r))

    h holds noise too, and removed noise correlates with itself: that part is known from flat places and taken out, less of
    it (a) where the method removes less noise on edges. So removing pure noise gives 0, blurring edges more than 0,
    sharpening them less than 0. Edges are the steepest tenth of a region (by a guide smoothed by 3 pixels), flat places its
    flattest 40 %. lost_share = the same difference over the variance of h on edges.
    """
    regions = _REGIONS if before.unit == "HU" else {"foreground": (0.0, np.inf)}
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in regions}
    picked = spread(before.shape[0], at_most)
    for z in picked:
        for name, moments in _moments(before, after, z, regions, 1 if len(picked) >= _FEW_SLICES else _BANDS).items():
            found[name] += moments
    tests = (_test(name, np.array(rows)) for name, rows in found.items() if rows)
    return [test for test in tests if test.pixels >= _FEWEST_EDGE_PIXELS.get(before.unit, _FEWEST_OF_MR[1])]


def _test(region: str, table: NDArray[np.float64]) -> EdgeTest:
    total = table.sum(axis=0)
    correlation, lost, deviation = _combine(total)
    # Slices share anatomy but hardly noise; leaving out one group of neighbors at a time respects both (jackknife).
    groups = np.array_split(table, min(12, len(table)))
    error = float("nan")
    if len(groups) > 1:
        left_out = np.array([_combine(total - group.sum(axis=0))[0] for group in groups])
        error = float(np.sqrt((len(groups) - 1) * left_out.var()))
    return EdgeTest(correlation, error, lost, deviation, int(total[0]), region)


def _moments(
    before: Image, after: Image, z: int, regions: dict[str, tuple[float, float]], bands: int
) -> dict[str, list[NDArray[np.float64]]]:
    """Count and sums of r, h, r r, h h, r h; on edges, then in flat places, by region and band of rows of one slice."""
    plane = np.nan_to_num(before.voxels[z])
    removed = plane - np.nan_to_num(after.voxels[z])
    fine, coarse = (cv2.GaussianBlur(plane, (0, 0), s) for s in (_FINE, _COARSE))
    structure = fine - coarse
    steepness = np.hypot(cv2.Sobel(coarse, cv2.CV_32F, 1, 0), cv2.Sobel(coarse, cv2.CV_32F, 0, 1))
    if before.unit != "HU":
        regions = {name: (0.1 * float(np.percentile(coarse, 99)), np.inf) for name in regions}
    found = {}
    for name, (low, high) in regions.items():
        use = (coarse > low) & (coarse < high)
        if name == "lung":
            use = lung_plane(coarse, before.spacing[1:], guide.smooth(plane))
        if before.valid is not None:
            use &= before.valid[z]
        if use.sum() < _FEWEST_IN_SLICE.get(before.unit, _FEWEST_OF_MR[0]):
            continue
        steep, flat = np.quantile(steepness[use], [1 - _STEEPEST, _FLATTEST])
        places = use & (steepness >= steep), use & (steepness <= flat)
        found[name] = [
            np.concatenate([_sums(removed[rows][where[rows]], structure[rows][where[rows]]) for where in places])
            for rows in _bands(use, bands)
        ]
    return found


def _bands(use: Mask, count: int) -> list[slice]:
    """Rows that hold about as much of a region each."""
    rows = np.cumsum(use.sum(axis=1))
    cuts = [0, *(int(np.searchsorted(rows, rows[-1] * k / count)) for k in range(1, count)), len(rows)]
    return [slice(first, last) for first, last in pairwise(cuts) if last > first]


def _sums(removed: Voxels, structure: Voxels) -> NDArray[np.float64]:
    r, h = removed.astype(np.float64), structure.astype(np.float64)
    return np.array([float(r.size), r.sum(), h.sum(), r @ r, h @ h, r @ h])


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
