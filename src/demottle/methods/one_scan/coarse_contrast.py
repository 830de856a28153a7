"""Put the coarse part of what was taken out back: CT has hardly any noise there, and faint large contrast lives there.

Filtered back-projection leaves little noise at low frequencies, so input minus output, smoothed enough, is hardly noise: what it
holds is structure too faint to be found in single voxels, as gray matter that is 6 HU brighter than white matter in 28 HU of
noise, or a tenth of a lesion's contrast. No test of significance would find that; all of it is put back, as fine as the noise
that comes with it allows: the width of the smoothing is the smallest whose noise is at most a share of the level that was there.
In white noise that is wide, and little comes back.
"""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.local import NoiseMap

Triple = list[tuple[Voxels, Voxels]]
"""Tissue and what was taken out of it, of three slices in a row."""
MOST_NOISE = 0.03
"""Standard deviation of the noise that is put back, as a share of the local level of the input."""
FEWEST_SLICES = 3
"""In fewer there is no telling what noise comes with it, and no neighbor to average it away."""
SOFT_HU = (-180.0, 180.0)
"""Tissue that takes part. What is left out at the edges of bone and air is blur, and would be smeared."""
_NARROWEST, _WIDEST, _COARSER = 2.5, 24.0, 1.15  # pixels; and from one width to the next
_MOST_TRIPLES = 4
_LEAST_NORM = 0.5
_ALONG = 0.5  # of the width in mm, between slices: most structures are as deep as wide, but flat ones must not fade
_MOST_ALONG = 3.0  # slices
_REACH = 2.5  # deviations
_EDGE_SIGMA, _INSIDE = 0.8, 0.95
_FEWEST_AROUND = 0.3  # of the weights; less tissue than this, and its noise would be put back as it is


def put_coarse_back(
    image: Image,
    clean: Voxels,
    local: NoiseMap,
    correlation: Correlation,
    allowed: Callable[[int], Voxels],
) -> None:
    """Add the smoothed difference of input and output to soft tissue of `clean` (slices, rows, columns), in place.

    Normalized convolution: `G(m (x - y)) / G(m)`, m the tissue, x input, y output, G a Gaussian over rows, columns and slices.

    Args:
        image: what went in, in HU.
        clean: what came out.
        local: local noise level of `image`.
        correlation: correlation of its noise between slices.
        allowed: for a slice, how far each pixel may change (0 to 1).
    """
    slices = len(clean)
    width = width_for(image, clean, local, correlation, allowed) if slices >= FEWEST_SLICES else None
    if width is None:
        return
    weights = _along(image, width)
    reach = len(weights) - 1
    known: OrderedDict[int, tuple[Voxels, Voxels, Voxels]] = OrderedDict()  # as it was before anything was added
    for index in range(slices):
        for ahead in range(index, min(slices, index + reach + 1)):
            if ahead not in known:
                tissue, removed = _removed(image, clean, allowed, ahead)
                known[ahead] = tissue, guide.smooth(removed, width), guide.smooth(tissue, width)
        around = [(weights[abs(other - index)], known[other]) for other in known if abs(other - index) <= reach]
        total = sum((weight * part[1] for weight, part in around), np.zeros_like(clean[index]))
        share = sum((weight * part[2] for weight, part in around), np.zeros_like(clean[index]))
        share /= sum(weight for weight, _ in around)
        total /= sum(weight for weight, _ in around)
        clean[index] += known[index][0] * total / np.maximum(share, np.float32(_FEWEST_AROUND))
        known.pop(index - reach, None)


def width_for(
    image: Image, clean: Voxels, local: NoiseMap, correlation: Correlation, allowed: Callable[[int], Voxels]
) -> float | None:
    """Return the smallest width in pixels of a Gaussian that puts back at most `MOST_NOISE`; None: there is none.

    What comes with the smoothed difference d is measured on it: structure goes on from slice to slice, noise does not, so the
    second differences `d_below - 2 d + d_above` in soft tissue are noise, of variance `6 - 8 rho_1 + 2 rho_2` times that of one
    slice (what changes faster counts as noise too). A spectrum does not tell so little power.

    Args:
        image, clean, correlation, allowed: as `put_coarse_back` takes them; at least three slices.
        local: local noise level of `image`.
    """
    middles = np.unique(np.linspace(1, len(clean) - 2, min(len(clean) - 2, _MOST_TRIPLES)).round().astype(int))
    triples = [[_removed(image, clean, allowed, index + step) for step in (-1, 0, 1)] for index in middles]
    first, second = (_shared(correlation, lag) for lag in (1, 2))
    norm = max(6 - 8 * first + 2 * second, _LEAST_NORM)
    width = _NARROWEST
    while width <= _WIDEST:
        bends = [_bend(three, width) / local.plane(index) for three, index in zip(triples, middles, strict=True)]
        found = [
            np.abs(bend[inside]) for bend, inside in zip(bends, (_inside(three) for three in triples), strict=True)
        ]
        there = np.concatenate(found)
        if not len(there):
            return None
        within = 1.4826 * float(np.median(there)) / norm**0.5
        if within * noise_left(_along(image, width), correlation) <= MOST_NOISE:
            return width
        width *= _COARSER
    return None


def noise_left(weights: NDArray[np.float64], correlation: Correlation) -> float:
    """Standard deviation of noise after a weighted mean over slices, as a share of that before: far from the ends of the volume.

    Args:
        weights: weights of slices 0, 1, ... away, any unit.
        correlation: correlation of the noise between slices.
    """
    kernel = np.concatenate([weights[:0:-1], weights])
    kernel /= kernel.sum()
    together = np.correlate(kernel, kernel, "full")[len(kernel) - 1 :]
    shared = [_shared(correlation, lag) for lag in range(1, len(together))]
    return float(np.sqrt(together[0] + 2 * np.dot(together[1:], shared)))


def _shared(correlation: Correlation, lag: int) -> float:
    return max(float(np.nan_to_num(correlation.at(lag))), 0.0)


def _removed(image: Image, clean: Voxels, allowed: Callable[[int], Voxels], index: int) -> tuple[Voxels, Voxels]:
    """Where the soft tissue of a slice is (0 to 1), and what was taken out of it."""
    tissue = allowed(index) * _soft(clean[index])
    return tissue, (image.voxels[index] - clean[index]) * tissue


def _bend(three: Triple, width: float) -> Voxels:
    below, middle, above = (guide.smooth(removed, width) for _, removed in three)
    return np.asarray(below - 2 * middle + above, np.float32)


def _inside(three: Triple) -> Mask:
    """Soft tissue of all three slices."""
    return np.asarray(np.min([tissue for tissue, _ in three], axis=0) > 0)


def _along(image: Image, width: float) -> NDArray[np.float64]:
    """Weights of slices 0, 1, ... away; deviations in slices follow from the width in mm."""
    depth, row, column = image.spacing
    sigma = min(_ALONG * width * float(np.sqrt(row * column)) / depth, _MOST_ALONG)
    away = np.arange(min(int(np.ceil(_REACH * sigma)), image.shape[0] - 1) + 1)
    return np.exp(-0.5 * (away / max(sigma, 1e-3)) ** 2)


def _soft(plane: Voxels) -> Voxels:
    low, high = SOFT_HU
    tissue = ((plane > low) & (plane < high)).astype(np.float32)
    return np.asarray(guide.smooth(tissue, _EDGE_SIGMA) > _INSIDE, np.float32)
