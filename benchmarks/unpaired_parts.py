"""Parts of the two real scans as patients of the unpaired cohort: a truth for four slices of 256 x 256, and noise on it.

As `benchmarks.truth`, but for what is needed alone: slices are denoised once by BM3D told the scan's own noise spectrum, then
averaged over matched pixels of neighbors. Noise is drawn in the projections of the whole slices of the scan itself, smoothed.
"""

from functools import cache as remembered

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.cases import RECIPES, read_real
from benchmarks.truth import average_matched, bm3d_slice, flat_pairs, noise_level, noise_spectrum
from demottle.benchmark.suites.judging import body_mask
from demottle.image import Image
from demottle.physics.ct.ct_noise import Scanner, independent_noise, mix_slices

SLICES, SIZE, PITCH = 4, 256, 8
_AROUND, _MARGIN = 2, 24  # slices and pixels denoised around a part
_SMOOTH = 1.0

Box = tuple[slice, slice]


def part_truth(kind: str, number: int) -> np.ndarray:
    """The part without noise, float32 HU."""
    scan, _ = _real(kind)
    level, spectrum = _noise(kind)
    chosen, (rows, columns) = _chosen(number), part_box(kind, number)
    first, last = max(0, chosen.start - _AROUND), min(len(scan), chosen.stop + _AROUND)
    starts = [max(0, side.start - _MARGIN) for side in (rows, columns)]
    wide = tuple(slice(start, side.stop + _MARGIN) for start, side in zip(starts, (rows, columns), strict=True))
    planes = [
        bm3d_slice((scan[index][wide], level[index][wide], spectrum, RECIPES[kind].patch))
        for index in range(first, last)
    ]
    inside = tuple(
        slice(side.start - start, side.start - start + SIZE)
        for side, start in zip((rows, columns), starts, strict=True)
    )
    averaged = average_matched(np.stack(planes))[chosen.start - first : chosen.stop - first]
    return averaged[(slice(None), *inside)]


def part_noise(kind: str, number: int, sigma: float, rho: float, seed: int) -> np.ndarray:
    """Noise of the part, float32 HU."""
    scan, spacing = _real(kind)
    smooth = np.stack([gaussian_filter(plane, _SMOOTH) for plane in scan[_chosen(number)]])
    whole = Image(smooth, spacing, "CT", "HU", slice_thickness=spacing[0])
    tissue = (whole.voxels > -150) & (whole.voxels < 200)
    region = None if kind == "abdomen" else tissue & body_mask(whole)
    unmixed = independent_noise(whole, sigma, Scanner(kernel=RECIPES[kind].kernel), seed, region=region, workers=1)
    return mix_slices(unmixed, rho)[(slice(None), *part_box(kind, number))]


def part_box(kind: str, number: int) -> Box:
    """Rows and columns of a part, around the middle of the body."""
    scan, _ = _real(kind)
    _, *inside = np.nonzero(scan[_chosen(number)] > -300)
    starts = [int(np.clip(n.mean() - SIZE / 2, 0, side - SIZE)) for n, side in zip(inside, scan.shape[1:], strict=True)]
    return slice(starts[0], starts[0] + SIZE), slice(starts[1], starts[1] + SIZE)


def _chosen(number: int) -> slice:
    first = PITCH * number + (PITCH - SLICES) // 2
    return slice(first, first + SLICES)


@remembered
def _real(kind: str) -> tuple[np.ndarray, tuple[float, float, float]]:
    return read_real(kind)


@remembered
def _noise(kind: str) -> tuple[np.ndarray, np.ndarray]:
    scan, _ = _real(kind)
    recipe = RECIPES[kind]
    flat = flat_pairs(scan)
    return noise_level(scan, flat, recipe.own_rho), noise_spectrum(scan, flat, recipe.own_rho, recipe.patch)
