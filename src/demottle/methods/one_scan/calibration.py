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
from functools import partial

import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.fat_layers import DEEP, FAT_HU, FAT_WINDOW, RINGS, inside_fat, layer_rings
from demottle.noise.selection import selection_of
from demottle.threads import each, in_order

TISSUES = ((-150.0, -50.0), (-10.0, 13.0), (24.0, 90.0), (100.0, 150.0))
"""Fat, fluid, unenhanced and enhanced soft tissue, in HU: the ranges in which a network learns."""
FEWEST = 500
"""Voxels of a tissue that its shift is measured on, at least; how many it takes is up to the spread over the slices."""
_FAT, _SOFT = 0, 2
BESIDE = (_FAT, _SOFT)
"""Those of `TISSUES` that are measured near each other as well: blur mixes them."""
FEWEST_BESIDE = 2000
"""The same near other tissue; in fewer it is a rim of bone or skin that looks like it."""
WIDTHS = 5.0
"""How many times wider than the noise left a tissue's range has to be: narrower, and what tissue a voxel is cannot be told."""
_ENDS = (-400.0, 250.0)  # HU: outside nothing is moved
_NARROW_MM, _WIDE_SIGMA = 2.0, 3.0  # and pixels
_CUT = (-200.0, 200.0)
_STEEPEST = 8.0  # HU per mm
_MOST_SLICES = 24  # means over more are no surer than they need to be
_FEW_SLICES = 5  # fewer do not tell their spread
_BLOCK_MM = 24.0  # noise hardly goes farther
_SOFT_EDGE = 30.0  # HU over which what is added to a layer of fat fades out
_EDGE_SIGMA = 0.7  # pixels over which it does


Planes = tuple[Voxels, Voxels]


@dataclass(frozen=True)
class Shift:
    """How far CT numbers moved: `amount` (input minus output, HU) at `numbers` (HU, rising); linear between, 0 at the ends.

    `beside`: how much more it is near other tissue, for each of `BESIDE`.
    """

    numbers: tuple[float, ...] = ()
    amount: tuple[float, ...] = ()
    beside: tuple[float, ...] = (0.0,) * len(BESIDE)

    def at(self, plane: Voxels) -> Voxels:
        """Return the shift at every CT number of a plane, away from other tissue."""
        return np.interp(plane, [_ENDS[0], *self.numbers, _ENDS[1]], [0, *self.amount, 0]).astype(np.float32)

    def on(self, plane: Voxels, image: Image) -> Voxels:
        """Return the shift at every pixel of a slice."""
        narrow, wide = _narrow(plane, image), _wide(plane)
        out = self.at(narrow)
        if any(self.beside):
            more = np.array([*(0.0,) * (len(TISSUES) + 1), *self.beside], np.float32)
            out += guide.smooth(more[_tissues(narrow, wide, image)], _EDGE_SIGMA)
        return out


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
    found = measured_shift(image, clean, lambda index: allowed(index) >= 1)
    slices = range(len(clean))
    for index, more in enumerate(in_order(lambda index: allowed(index) * found.on(clean[index], image), slices)):
        listener(Progress(Stage.CALIBRATE, index, 2 * len(clean)))
        clean[index] += more
    layers = measured_layers(image, clean, lambda index: allowed(index) > 0)
    in_fat = in_order(
        lambda index: allowed(index) * _in_layers(clean[index], image, layers), slices if any(layers) else ()
    )
    for index, more in enumerate(in_fat):
        listener(Progress(Stage.CALIBRATE, len(clean) + index, 2 * len(clean)))
        clean[index] += more
    listener(Progress(Stage.CALIBRATE, 2 * len(clean), 2 * len(clean)))


def measured_shift(image: Image, clean: Voxels, usable: Callable[[int], Mask]) -> Shift:
    """Measure the mean of input minus output in each tissue, away from other tissue and near it.

    A shift counts as far as it stands out from its own spread over the slices: `d (1 - e^2 / d^2)`, e the standard error.
    """
    block, blocks = _blocks(image)
    kinds = len(TISSUES) + len(BESIDE)
    number, moved, count = (np.zeros((len(clean), blocks, kinds)) for _ in range(3))
    after = image.with_voxels(clean)
    narrowly = selection_of(image, after, lambda plane: _narrow(plane, image), [(1, 1)] * kinds)
    widely = selection_of(image, after, _wide, [(1, 1)] * kinds)

    def look(index: int) -> None:
        plane = clean[index]
        inside, residual = usable(index), image.voxels[index] - plane
        seen = _narrow(plane, image), _wide(plane)

        marked = _marked(seen, inside, image)
        number[index], moved[index], count[index] = (
            _sums(marked, weights, kinds, block, blocks) for weights in (seen[0], residual, None)
        )
        pulled = narrowly.pull(-residual, partial(_marked, seen, inside, image))
        pulled += widely.pull(-residual, partial(_marked, seen, inside, image, 0.0))
        moved[index] += pulled / blocks

    each(look, _looked_at(len(clean)))
    return _shift(number, moved, count, narrowly.left)


def _marked(seen: Planes, inside: Mask, image: Image, near: float = 0.0, far: float = 0.0) -> NDArray[np.uint8]:
    """Tissues of a slice, its narrowly and its widely smoothed plane moved by so many HU."""
    narrow, wide = seen
    labels = _tissues(narrow + np.float32(near), wide + np.float32(far), image)
    return np.where(inside, labels, 0).astype(np.uint8)


def _shift(number: NDArray[np.float64], moved: NDArray[np.float64], count: NDArray[np.float64], left: float) -> Shift:
    """Shift from sums (slices, blocks, tissues and rims); of what is seen often enough and wider than the noise left."""
    told = [
        count[..., kind].sum() >= (FEWEST if kind < len(TISSUES) else FEWEST_BESIDE) and high - low >= WIDTHS * left
        for kind, (low, high) in enumerate([*TISSUES, *(TISSUES[tissue] for tissue in BESIDE)])
    ]
    kept = [tissue for tissue in range(len(TISSUES)) if told[tissue]]
    flat = Shift(
        tuple(float(number[..., tissue].sum() / count[..., tissue].sum()) for tissue in kept),
        tuple(_sure_part(moved[..., tissue], count[..., tissue]) for tissue in kept),
    )
    beside = []
    for kind in range(len(TISSUES), len(told)):
        if told[kind]:
            middle = number[..., kind].sum() / count[..., kind].sum()
            already = float(flat.at(np.array([middle], np.float32))[0])
            beside.append(_sure_part(moved[..., kind] - already * count[..., kind], count[..., kind]))
        else:
            beside.append(0.0)
    return Shift(flat.numbers, flat.amount, tuple(beside))


def measured_layers(image: Image, clean: Voxels, usable: Callable[[int], Mask]) -> tuple[float, ...]:
    """Measure input minus output in each of the `layer_rings` of fat: as far as it is sure; 0 deep inside."""
    block, blocks = _blocks(image)
    moved, count = (np.zeros((len(clean), blocks, RINGS)) for _ in range(2))
    selected = selection_of(image, image.with_voxels(clean), np.asarray, [FAT_WINDOW] * RINGS)
    if FAT_HU[1] - FAT_HU[0] < WIDTHS * selected.left:
        return (0.0,) * RINGS

    def look(index: int) -> None:
        plane = clean[index]
        inside, residual = usable(index), image.voxels[index] - plane

        def labels(step: float) -> NDArray[np.uint8]:
            return np.where(inside, layer_rings(plane + np.float32(step), image.spacing[1:]), 0).astype(np.uint8)

        marked = labels(0)
        if marked.any():
            moved[index], count[index] = (_sums(marked, weights, RINGS, block, blocks) for weights in (residual, None))
            moved[index] += selected.pull(-residual, labels) / blocks

    each(look, _looked_at(len(clean)))
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


def _narrow(plane: Voxels, image: Image) -> Voxels:
    """A slice smoothed by 2 mm."""
    return guide.smooth_mm(plane, _NARROW_MM, image.spacing[1:])


def _wide(plane: Voxels) -> Voxels:
    """A slice smoothed so that a pixel near other tissue leaves the range of its own; bone and air reach no farther than fat."""
    return guide.smooth(np.clip(plane, *_CUT), _WIDE_SIGMA)


def _tissues(narrow: Voxels, wide: Voxels, image: Image) -> NDArray[np.uint8]:
    """Number each tissue, from 1, away from other tissue; then those of `BESIDE` near each other, away from the edge itself."""
    flat = np.hypot(*np.gradient(narrow, *image.spacing[1:])) <= _STEEPEST
    labels = np.zeros(narrow.shape, np.uint8)
    for tissue, (low, high) in enumerate(TISSUES):
        labels[flat & (narrow > low) & (narrow < high) & (wide > low) & (wide < high)] = tissue + 1
    between = flat & (wide >= TISSUES[_FAT][1]) & (wide <= TISSUES[_SOFT][0])
    for kind, tissue in enumerate(BESIDE, start=len(TISSUES) + 1):
        low, high = TISSUES[tissue]
        labels[between & (narrow > low) & (narrow < high)] = kind
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
