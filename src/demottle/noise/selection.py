"""What marking tissue on a denoised image selects of the noise, so that it can be taken off again.

Tissue has to be marked on something that shows where it is: the denoised image does, but what is left of the noise in it, e, is a
part of the noise n of the same voxel. Where a tissue's range ends among its own values, the mark takes voxels with e of one
sign, and with it n of that sign: the mean of d = after - before = e - n (+ a true shift) inside the mark is then not the true
shift. With M(y) the mark and e, n Gaussian (Stein 1981),

    E[(e - n) M] = cov(d, y) E[dM / dy],    dM / dy ~ (M(y + step) - M(y - step)) / (2 step).

cov(d, y) is that of the noise alone. Anatomy is taken out by second differences over slices, y''_z = y_{z-1} - 2 y_z + y_{z+1}. A
denoiser that looks at neighboring slices leaves noise that goes with that of the slices around, so one product of second
differences does not tell the covariance: with c_l = cov(y_z, d_{z+l}),

    E[y''_z d''_{z+l}] = c_{l-2} - 4 c_{l-1} + 6 c_l - 4 c_{l+1} + c_{l+2},    l = 0 to 3,

which is solved by least squares for c_0, c_1 and c_2, all beyond being 0.

A mark that is eroded by a window holds where every pixel of the window lies in the range. The one that decides mostly lies on the
rim of the window, toward other tissue, so cov(d, y) is then that with the mean of d over the rim.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.flat import SOFT_TISSUE_HU
from demottle.threads import in_order

Window = tuple[int, int]
"""Rows and columns."""
FEWEST_SLICES = 5
STEP = 2.0
"""HU by which a plane is moved to see what a mark gains and loses."""
_LAGS, _REACH = 4, 2  # products that are measured, and how many slices away noise goes together
_BLOCK, _MOST_BLOCKS = 7, 5  # slices in a row, and how many such rows of a long scan
_BEND = {0: 6.0, 1: -4.0, 2: 1.0}
_FLATTEST = 0.5  # of the tissue; less, and the gradient would choose by the noise
_GUIDE_SIGMA = 4.0  # pixels
_FEWEST = 500
_OUTLIER = 3.0
_EXPECTED = np.array([[0.0, 1.5, 0.0], [0.0, -2.0, 6.0]])
"""Rows that are near 0 within one: c_1 in units of 1 / 1.5, c_2 - c_1 / 3 in units of 1 / 6 of c_0 of independent slices."""
_LEAST_ERROR = 0.2  # of the same: what comes of anatomy
_MOST_SHARED = 6.0  # times the variance that independent slices would have
_WITHIN = 0.973  # of a Gaussian's variance lies within that many deviations
_LOCAL = 25  # pixels across
_RANGE = (0.1, 10.0)  # of the local variance over that of flat tissue


@dataclass(frozen=True, eq=False)
class Selection:
    """What goes together in flat tissue.

    Attributes:
        covariance: covariance of after - before with the plane that is marked, in HU2, for each label.
        variance: variance of after - before, in HU2.
        left: standard deviation of the noise in the plane that is marked, in HU.
    """

    covariance: NDArray[np.float64]
    variance: float
    left: float = 0.0

    def pull(self, difference: Voxels, labels: Callable[[float], NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Per label, from 1, the sum of the difference that marking selected on a slice.

        The covariance at a pixel goes with the local variance of what was removed.

        Args:
            difference: after - before.
            labels: labels of the plane moved by so many HU.
        """
        number = len(self.covariance)
        weights = np.clip(cv2.blur(difference**2, (_LOCAL, _LOCAL)) / max(self.variance, 1e-6), *_RANGE).ravel()
        gained, lost = (np.bincount(labels(step).ravel(), weights, number + 1) for step in (STEP, -STEP))
        return np.asarray(self.covariance * (gained - lost)[1:] / (2 * STEP), np.float64)


def selection_of(
    before: Image, after: Image, marked: Callable[[Voxels], Voxels], windows: Sequence[Window]
) -> Selection:
    """Measure how the difference of two images goes with the planes that tissue is marked on.

    Args:
        before, after: an image and its denoised form.
        marked: makes the plane that is marked from a slice of `after`.
        windows: for each label rows and columns of the window that its mark is eroded by; (1, 1): not at all.

    Returns:
        Of zero covariance where there are fewer than five slices or too little flat soft tissue.
    """
    gathered = _Gathered(sorted(set(windows)))

    def taken(block: tuple[int, int]) -> _Gathered:
        part = _Gathered(gathered.windows)
        part.take(before, after, marked, *block)
        return part

    if after.shape[0] >= FEWEST_SLICES:
        for part in in_order(taken, _blocks(after.shape[0])):
            gathered.add(part)
    return gathered.selection(windows)


class _Gathered:
    """Products of second differences in flat tissue: for each slice, by window and by how many slices they are apart."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self.windows = list(windows)
        self.products: list[NDArray[np.float64]] = []
        self.voxels: list[NDArray[np.float64]] = []
        self.sizes: list[Voxels] = []
        self.squares: list[Voxels] = []

    def take(self, before: Image, after: Image, marked: Callable[[Voxels], Voxels], first: int, last: int) -> None:
        """Add the slices from `first` to before `last`."""
        planes = [marked(after.voxels[k]) for k in range(first, last)]
        removed = [after.voxels[k] - before.voxels[k] for k in range(first, last)]
        bends = list(_bends(planes))
        bends_removed = [list(_bends([_rim(plane, window) for plane in removed])) for window in self.windows]
        for k, bend in enumerate(bends):
            flat = _flat(guide.smooth(np.mean(planes[k : k + 3], axis=0), _GUIDE_SIGMA))
            if not flat.any():
                continue
            size = np.abs(bend[flat])
            calm = size <= _OUTLIER * 1.4826 * np.median(size)  # what changes from slice to slice is anatomy
            self.sizes.append(size)
            self.squares.append(removed[k + 1][flat] ** 2)
            here = bend[flat][calm]
            products, voxels = np.zeros((len(self.windows), _LAGS)), np.zeros(_LAGS)
            for lag in range(min(_LAGS, len(bends))):
                for other in {k - lag, k + lag} & set(range(len(bends))):
                    products[:, lag] += [np.dot(here, of[other][flat][calm]) for of in bends_removed]
                    voxels[lag] += len(here)
            self.products.append(products)
            self.voxels.append(voxels)

    def add(self, other: "_Gathered") -> None:
        """Add what another has gathered."""
        self.products += other.products
        self.voxels += other.voxels
        self.sizes += other.sizes
        self.squares += other.squares

    def selection(self, windows: Sequence[Window]) -> Selection:
        """Solve for the covariance within one slice."""
        if sum(len(part) for part in self.sizes) < _FEWEST:
            return Selection(np.zeros(len(windows)), 1.0)
        products, voxels = np.stack(self.products), np.stack(self.voxels)
        solved = {window: _within_slice(products[:, row], voxels) for row, window in enumerate(self.windows)}
        covariance = np.array([solved[window] for window in windows])
        # The median is hardly touched by anatomy; how much more noise there is than it says, slices sharing it, the products say.
        alone = 1.4826 * float(np.median(np.concatenate(self.sizes))) / _BEND[0] ** 0.5
        first = products[:, 0, 0].sum() / voxels[:, 0].sum() / _WITHIN / _BEND[0]
        shared = float(np.clip(solved[self.windows[0]] / first, 1, _MOST_SHARED)) if first else 1.0
        return Selection(covariance, float(np.concatenate(self.squares).mean()), alone * shared**0.5)


def _rim(plane: Voxels, window: Window) -> Voxels:
    """Mean over the outermost pixels of a window of rows and columns."""
    rows, columns = window
    if max(window) == 1:
        return plane
    whole = cv2.boxFilter(plane, cv2.CV_64F, (columns, rows), normalize=False)
    inner = cv2.boxFilter(plane, cv2.CV_64F, (max(columns - 2, 1), max(rows - 2, 1)), normalize=False)
    return np.asarray((whole - inner) / (rows * columns - max(rows - 2, 1) * max(columns - 2, 1)), np.float32)


def _blocks(slices: int) -> Iterator[tuple[int, int]]:
    """Yield rows of slices, first and behind the last: the whole scan, or rows of seven spread evenly over a long one."""
    if slices <= _BLOCK * _MOST_BLOCKS:
        yield 0, slices
        return
    for first in np.linspace(0, slices - _BLOCK, _MOST_BLOCKS).round().astype(int):
        yield int(first), int(first) + _BLOCK


def _bends(planes: list[Voxels]) -> Iterator[Voxels]:
    for below, middle, above in zip(planes, planes[1:], planes[2:], strict=False):
        yield np.asarray(below - 2 * middle + above, np.float32)


def _within_slice(products: NDArray[np.float64], voxels: NDArray[np.float64]) -> float:
    """Covariance within a slice from sums of products of second differences (slices, how many slices apart).

    Least squares in units of the standard errors. Where these are large, second differences hardly tell noise that slices share,
    and c_1 is held toward 0 and c_2 toward a third of c_1.
    """
    seen = voxels.sum(axis=0) > 0
    counts, sums = voxels[:, seen], products[:, seen]
    means = sums.sum(axis=0) / counts.sum(axis=0) / _WITHIN
    apart = sums / _WITHIN - means * counts
    errors = np.sqrt((apart**2).sum(axis=0)) / counts.sum(axis=0)
    alone = means[0] / _BEND[0]
    errors = np.maximum(errors, _LEAST_ERROR * abs(alone) + 1e-9)
    unknown = min(_REACH, len(means) - 1) + 1
    matrix = np.zeros((len(means), unknown))
    for lag in range(len(means)):
        for step in range(-2, 3):
            if abs(lag + step) < unknown:
                matrix[lag, abs(lag + step)] += _BEND[abs(step)]
    held = _EXPECTED[: unknown - 1, :unknown] / (abs(alone) + 1e-9)
    rows, values = np.vstack([matrix / errors[:, None], held]), np.concatenate([means / errors, np.zeros(len(held))])
    return float(np.linalg.lstsq(rows, values, rcond=None)[0][0])


def _flat(smooth: Voxels) -> NDArray[np.bool_]:
    low, high = SOFT_TISSUE_HU
    tissue = guide.erode((smooth > low) & (smooth < high), 4)
    if not tissue.any():
        return tissue
    steep = guide.gradient(smooth)
    return np.asarray(tissue & (steep <= np.quantile(steep[tissue], _FLATTEST)))
