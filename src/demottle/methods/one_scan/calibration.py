"""Keep the CT numbers of tissues where they were: no mean over a whole scan may move.

A network taught by squared error pulls what it is unsure of toward what is common: muscle among much fluid comes out a HU too
low, and thin fat takes of the skin and bone beside it. The mean of input minus output in the flat parts of one tissue, over all
slices, shows that shift without a truth, because noise has no mean: over 10,000 voxels and more a tenth of a HU is plain.
What marking tissue on the output selects of the noise is taken off (`demottle.noise.selection`). How sure a mean is follows from
its spread over the slices; where these are few, over blocks of them. The shift is added again as a
smooth function of the CT number; in thin layers of fat (`demottle.noise.fat_layers`), which have shifts of their own, what
that function leaves is added as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.fat_layers import DEEP, FAT_HU, RINGS, inside_fat, layer_rings
from demottle.noise.selection import Selection, selection_of

TISSUES = ((-150.0, -50.0), (-10.0, 18.0), (24.0, 90.0), (100.0, 150.0))
"""Fat, fluid, unenhanced and enhanced soft tissue, in HU: the ranges in which a network learns."""
FEWEST = 500
"""Voxels of a tissue that its shift is measured on, at least; how many it takes is up to the spread over the slices."""
MOST_LEFT = 4.0
"""Noise in HU that may be left in the smoothed output: more of it, and what tissue a voxel is cannot be told there."""
_ENDS = (-400.0, 250.0)  # HU: outside nothing is moved
_GUIDE_SIGMA = 2.0
_FLAT = np.ones((7, 7), np.uint8)
_FLUID, _CORE_MM = 2, 2.0
_MOST_SLICES = 24  # means over more are no surer than they need to be
_FEW_SLICES = 5  # fewer do not tell their spread
_BLOCK_MM = 24.0  # noise hardly goes farther
_SOFT_EDGE = 30.0  # HU over which what is added to a layer of fat fades out
_EDGE_SIGMA = 0.7  # pixels over which it does


@dataclass(frozen=True)
class Shift:
    """How far CT numbers moved: `amount` (input minus output, HU) at `numbers` (HU, rising); linear between, 0 at the ends."""

    numbers: tuple[float, ...] = ()
    amount: tuple[float, ...] = ()

    def at(self, plane: Voxels) -> Voxels:
        """Return the shift at every CT number of a plane."""
        return np.interp(plane, [_ENDS[0], *self.numbers, _ENDS[1]], [0, *self.amount, 0]).astype(np.float32)


def keep_ct_numbers(image: Image, clean: Voxels, allowed: Callable[[int], Voxels], listener: Listener = silent) -> None:
    """Move the tissues of `clean` (slices, rows, columns), in place, to the mean CT numbers that `image` gives them.

    Args:
        image: what went in; nothing is done unless its unit is HU.
        clean: what came out.
        allowed: for a slice, how far each pixel may change (0 to 1).
        listener: told of the stage "calibrate".
    """
    if image.unit != "HU":
        return
    correlation = slice_correlation(image)
    found = measured_shift(image, clean, lambda index: allowed(index) >= 1, correlation)
    for index, plane in enumerate(clean):
        listener(Progress(Stage.CALIBRATE, index, 2 * len(clean)))
        plane += allowed(index) * found.at(guide.smooth(plane, _GUIDE_SIGMA))
    layers = measured_layers(image, clean, lambda index: allowed(index) > 0, correlation)
    for index, plane in enumerate(clean):
        listener(Progress(Stage.CALIBRATE, len(clean) + index, 2 * len(clean)))
        if any(layers):
            plane += allowed(index) * _in_layers(plane, image, layers)
    listener(Progress(Stage.CALIBRATE, 2 * len(clean), 2 * len(clean)))


def measured_shift(
    image: Image, clean: Voxels, usable: Callable[[int], Mask], correlation: Correlation | None = None
) -> Shift:
    """Measure the mean of input minus output in the flat parts of each tissue.

    A shift counts as far as it stands out from its own spread over the slices: `d (1 - e^2 / d^2)`, e the standard error.
    """
    block, blocks = _blocks(image)
    number, moved, count = (np.zeros((len(clean), blocks, len(TISSUES))) for _ in range(3))
    selected = _selection(image, clean, lambda plane: guide.smooth(plane, _GUIDE_SIGMA), correlation)
    if selected.left > MOST_LEFT:
        return Shift()
    for index in _looked_at(len(clean)):
        plane = clean[index]
        smooth, inside, residual = guide.smooth(plane, _GUIDE_SIGMA), usable(index), image.voxels[index] - plane

        def labels(step: float, smooth: Voxels = smooth, inside: Mask = inside) -> NDArray[np.uint8]:
            return _flat_tissues(smooth + np.float32(step), inside, image)

        marked = labels(0)
        number[index], moved[index], count[index] = (
            _sums(marked, weights, len(TISSUES), block, blocks) for weights in (smooth, residual, None)
        )
        moved[index] += selected.pull(-residual, labels, len(TISSUES)) / blocks
    kept = [tissue for tissue in range(len(TISSUES)) if count[..., tissue].sum() >= FEWEST]
    return Shift(
        tuple(float(number[..., tissue].sum() / count[..., tissue].sum()) for tissue in kept),
        tuple(_sure_part(moved[..., tissue], count[..., tissue]) for tissue in kept),
    )


def measured_layers(
    image: Image, clean: Voxels, usable: Callable[[int], Mask], correlation: Correlation | None = None
) -> tuple[float, ...]:
    """Measure input minus output in each of the `layer_rings` of fat: as far as it is sure; 0 deep inside."""
    block, blocks = _blocks(image)
    moved, count = (np.zeros((len(clean), blocks, RINGS)) for _ in range(2))
    selected = _selection(image, clean, lambda plane: plane, correlation)
    if selected.left > MOST_LEFT:
        return (0.0,) * RINGS
    for index in _looked_at(len(clean)):
        plane = clean[index]
        inside, residual = usable(index), image.voxels[index] - plane

        def labels(step: float, plane: Voxels = plane, inside: Mask = inside) -> NDArray[np.uint8]:
            return np.where(inside, layer_rings(plane + np.float32(step), image.spacing[1:]), 0).astype(np.uint8)

        marked = labels(0)
        if marked.any():
            moved[index], count[index] = (_sums(marked, weights, RINGS, block, blocks) for weights in (residual, None))
            moved[index] += selected.pull(-residual, labels, RINGS) / blocks
    return tuple(
        _sure_part(moved[..., ring], count[..., ring]) if count[..., ring].sum() >= FEWEST and ring + 1 < DEEP else 0.0
        for ring in range(RINGS)
    )


def _blocks(image: Image) -> tuple[NDArray[np.intp], int]:
    """Number the parts of a slice whose means are compared (rows, columns), and how many there are: 1 where slices are enough."""
    _, rows, columns = image.shape
    if image.shape[0] >= _FEW_SLICES:
        return np.zeros((rows, columns), np.intp), 1
    height, width = (max(1, round(_BLOCK_MM / step)) for step in image.spacing[1:])
    across = -(-columns // width)
    block = (np.arange(rows) // height)[:, None] * across + np.arange(columns) // width
    return block.astype(np.intp), int(block.max()) + 1


def _sums(
    marked: NDArray[np.uint8], weights: Voxels | None, number: int, block: NDArray[np.intp], blocks: int
) -> NDArray[np.float64]:
    """Sum weights (None: 1) per block and label 1 to `number`: (blocks, labels)."""
    cells = (marked + (number + 1) * block).ravel()
    sums = np.bincount(cells, None if weights is None else weights.ravel(), (number + 1) * blocks)
    return sums.reshape(blocks, number + 1)[:, 1:].astype(np.float64)


def _looked_at(slices: int) -> list[int]:
    return [int(index) for index in np.unique(np.linspace(0, slices - 1, min(slices, _MOST_SLICES)).round())]


def _selection(
    image: Image, clean: Voxels, marked: Callable[[Voxels], Voxels], correlation: Correlation | None
) -> Selection:
    return selection_of(image, image.with_voxels(clean), marked, correlation)


def _flat_tissues(smooth: Voxels, inside: Mask, image: Image) -> NDArray[np.uint8]:
    """Number each tissue, from 1, away from its edges: blur is not a shift. Fluid is seldom wide, so 2 mm have to do."""
    height, width = (2 * max(1, round(_CORE_MM / s)) + 1 for s in image.spacing[1:])
    labels = np.zeros(smooth.shape, np.uint8)
    for tissue, (low, high) in enumerate(TISSUES, start=1):
        flat = np.ones((height, width), np.uint8) if tissue == _FLUID else _FLAT
        labels[cv2.erode(((smooth > low) & (smooth < high) & inside).astype(np.uint8), flat) > 0] = tissue
    return labels


def _in_layers(plane: Voxels, image: Image, layers: tuple[float, ...]) -> Voxels:
    """What is added to the layers of fat of a slice: all of it inside, fading out toward what is not fat; deeper fat has none."""
    labels = layer_rings(plane, image.spacing[1:])
    known = (labels > 0).astype(np.float32)
    near = guide.smooth(known, _EDGE_SIGMA)
    amount = np.array([0.0, *layers], np.float32)[labels]
    around = guide.smooth(amount, _EDGE_SIGMA) / np.maximum(near, 1e-3)
    low, high = FAT_HU
    fat = np.interp(plane, [low - _SOFT_EDGE, low, high, high + _SOFT_EDGE], [0, 1, 1, 0])
    faded = around * np.minimum(2 * near, 1) * fat * ~inside_fat(plane)
    return np.asarray(np.where(labels > 0, amount, faded), np.float32)


def _sure_part(moved: NDArray[np.float64], count: NDArray[np.float64]) -> float:
    """Weighted mean of the shifts of slices or blocks, less what their spread explains."""
    mean = float(moved.sum() / count.sum())
    seen = count > 0
    if seen.sum() < 2 or mean == 0:
        return 0.0
    apart = moved[seen] / count[seen] - mean
    error = float((count[seen] ** 2 * apart**2).sum() / count.sum() ** 2)
    return mean * max(0.0, 1 - error / mean**2)
