"""What marking tissue on a denoised image selects of the noise, so that it can be taken off again.

Tissue has to be marked on something that shows where it is: the denoised image does, but what is left of the noise in it, e, is a
part of the noise n of the same voxel. Where a tissue's range ends among its own values, the mark takes voxels with e of one
sign, and with it n of that sign: the mean of d = after - before = e - n (+ a true shift) inside the mark is then not the true
shift. With M(y) the mark and e, n Gaussian (Stein 1981),

    E[(e - n) M] = cov(d, y) E[dM / dy],    dM / dy ~ (M(y + step) - M(y - step)) / (2 step).

cov(d, y) is that of the noise alone: anatomy is taken out by second differences of three slices, d'' = d_below - 2 d + d_above,
whose covariance is 6 - 8 rho_1 + 2 rho_2 times that of one slice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.flat import SOFT_TISSUE_HU

FEWEST_SLICES = 5
STEP = 2.0
"""HU by which a plane is moved to see what a mark gains and loses."""
_MOST_TRIPLES = 12
_FLATTEST = 0.5  # of the tissue; less, and the gradient would choose by the noise
_GUIDE_SIGMA = 4.0  # pixels
_FEWEST = 500
_OUTLIER = 3.0
_LOCAL = 25  # pixels across
_RANGE = (0.1, 10.0)  # of the local variance over that of flat tissue


@dataclass(frozen=True)
class Selection:
    """What goes together in flat tissue.

    Attributes:
        covariance: covariance of after - before with the plane that is marked, in HU2.
        variance: variance of after - before, in HU2.
        left: standard deviation of the noise in the plane that is marked, in HU.
    """

    covariance: float
    variance: float
    left: float = 0.0

    def at(self, difference: Voxels) -> Voxels:
        """Covariance at every pixel of a slice, which goes with the local variance of what was removed."""
        local = cv2.blur(difference**2, (_LOCAL, _LOCAL)) / max(self.variance, 1e-6)
        return np.asarray(self.covariance * np.clip(local, *_RANGE), np.float32)

    def pull(
        self, difference: Voxels, labels: Callable[[float], NDArray[np.uint8]], number: int
    ) -> NDArray[np.float64]:
        """Per label 1 to `number`, the sum of the difference that marking selected on a slice.

        Args:
            difference: after - before.
            labels: labels of the plane moved by so many HU.
            number: number of labels.
        """
        weights = self.at(difference).ravel()
        gained, lost = (np.bincount(labels(step).ravel(), weights, number + 1) for step in (STEP, -STEP))
        return np.asarray((gained - lost)[1:] / (2 * STEP), np.float64)


def selection_of(
    before: Image, after: Image, marked: Callable[[Voxels], Voxels], correlation: Correlation | None = None
) -> Selection:
    """Measure how the difference of two images goes with the planes that tissue is marked on.

    Args:
        before, after: an image and its denoised form.
        marked: makes the plane that is marked from a slice of `after`.
        correlation: correlation of the noise of `before` between slices; None: measured.

    Returns:
        Of zero covariance where there are fewer than five slices or too little flat soft tissue.
    """
    slices = after.shape[0]
    nothing = Selection(0.0, 1.0)
    if slices < FEWEST_SLICES:
        return nothing
    rho = (slice_correlation(before) if correlation is None else correlation).rho
    first, second = (float(rho[lag]) if len(rho) > lag and np.isfinite(rho[lag]) else 0.0 for lag in (0, 1))
    products, planes, squares = [], [], []
    for z in np.unique(np.linspace(1, slices - 2, min(slices - 2, _MOST_TRIPLES)).astype(int)):
        three = [marked(after.voxels[k]) for k in (z - 1, z, z + 1)]
        flat = _flat(guide.smooth(np.mean(three, axis=0), _GUIDE_SIGMA))
        if not flat.any():
            continue
        removed = [after.voxels[k] - before.voxels[k] for k in (z - 1, z, z + 1)]
        bend, bend_removed = (a - 2 * b + c for a, b, c in (three, removed))
        products.append((bend * bend_removed)[flat])
        planes.append(np.abs(bend[flat]))
        squares.append(removed[1][flat] ** 2)
    if sum(len(part) for part in planes) < _FEWEST:
        return nothing
    size, product = np.concatenate(planes), np.concatenate(products)
    calm = size <= _OUTLIER * 1.4826 * np.median(size)  # what changes from slice to slice is anatomy
    norm = max(6 - 8 * first + 2 * second, 0.5)
    left = 1.4826 * float(np.median(size)) / norm**0.5
    return Selection(float(product[calm].mean()) / norm, float(np.concatenate(squares).mean()), left)


def _flat(smooth: Voxels) -> NDArray[np.bool_]:
    low, high = SOFT_TISSUE_HU
    tissue = guide.erode((smooth > low) & (smooth < high), 4)
    if not tissue.any():
        return tissue
    steep = guide.gradient(smooth)
    return np.asarray(tissue & (steep <= np.quantile(steep[tissue], _FLATTEST)))
