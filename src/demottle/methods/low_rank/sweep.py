"""Every patch of a series projected onto its own patterns over time, a layer of blocks at a time.

A patch with the matrix A (voxels x volumes) becomes A W, W = V f(L) V^T from the eigenvectors V of A^T A. So two things hold: the
Gram matrix A^T A of a patch is the sum of those of its blocks, each of which is computed once; and the mean over all patches that
hold a block is A_block times the mean of their W. The cost of overlap is then in the eigenvectors alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, Progress, Stage
from demottle.methods.low_rank.blocks import Grid

Array = NDArray[np.float64]
Slab = NDArray[np.floating]
"""Values over unit noise, (parts, slices, rows, columns, volumes): real and imaginary part, or the magnitude alone.

Parts have patterns of their own: where the phase is taken off, the signal is real, and the imaginary part hardly more than noise.
"""
Weigh = Callable[[Array, Array], Array]
"""From eigenvalues (patches, volumes) and rows of the matrix (patches,) to the factor of each component."""
_AT_ONCE = 1 << 24  # values of the matrices whose eigenvectors are sought together


@dataclass(frozen=True, eq=False)
class Cleaned:
    """One layer of blocks, done.

    Attributes:
        first, last: its slices are first to last - 1.
        slab: its values, cleaned; as they were where no patch could be used.
        kept: components kept, mean over the patches that hold a voxel: (slices, rows, columns).
    """

    first: int
    last: int
    slab: Slab
    kept: Array


def swept(
    load: Callable[[int, int], tuple[Slab, NDArray[np.bool_]]],
    grid: Grid,
    weigh: Weigh,
    listener: Listener,
    stage: Stage,
) -> Iterator[Cleaned]:
    """Yield the layers of a series, cleaned.

    Args:
        load: gives the slab of slices first to last - 1, and where it was measured (slices, rows, columns); zero elsewhere.
        grid: how the volume is cut.
        weigh: gives the factors of a patch's components.
        listener, stage: told of every row of patches.
    """
    deep = grid[0]
    total = deep.patches * grid[1].patches
    held: dict[int, Layer] = {}
    for index, part in enumerate(deep.parts):
        held[index] = layer_of(*load(part.start, part.stop), grid)
        first = index - deep.span + 1
        if first < 0:
            continue
        layers = [held[number] for number in range(first, index + 1)]
        for row in range(grid[1].patches):
            listener(Progress(stage, first * grid[1].patches + row, total))
            _project(layers, grid, row, weigh)
        done = [first] if index < deep.blocks - 1 else list(range(first, index + 1))
        for number in done:
            yield _finished(held.pop(number), deep.parts[number], grid)
    listener(Progress(stage, total, total))


@dataclass(eq=False)
class Layer:
    """A layer of blocks.

    Attributes:
        slab: its values.
        gram: A^T A of each part of each block, (down, across, parts, volumes, volumes).
        rows: rows of each block's matrix, where something was measured: (down, across).
        total, weight: sum of the W of the patches that hold a block, and of their weights: (down, across, parts, ...).
        kept: weighted sum of the components that they keep.
    """

    slab: Slab
    gram: Array
    rows: Array
    total: NDArray[np.float32]
    weight: Array
    kept: Array


def layer_of(slab: Slab, seen: NDArray[np.bool_], grid: Grid) -> Layer:
    """Look at the blocks of a slab."""
    parts, volumes = len(slab), slab.shape[-1]
    shape = grid[1].blocks, grid[2].blocks
    gram, rows = np.empty((*shape, parts, volumes, volumes)), np.empty(shape)
    for i, across in enumerate(grid[1].parts):
        for j, along in enumerate(grid[2].parts):
            block = slab[:, :, across, along].reshape(parts, -1, volumes).astype(np.float64)
            gram[i, j] = block.transpose(0, 2, 1) @ block
            rows[i, j] = np.count_nonzero(seen[:, across, along])
    each = *shape, parts
    return Layer(slab, gram, rows, np.zeros(gram.shape, np.float32), np.zeros(each), np.zeros(each))


def row_of_patches(layers: list[Layer], grid: Grid, row: int) -> tuple[Array, Array]:
    """Return A^T A and the rows of A of every patch of a row, from the layers that it spans."""
    down = slice(row, row + grid[1].span)
    gram = np.sum([layer.gram[down].sum(axis=0) for layer in layers], axis=0)
    rows = np.sum([layer.rows[down].sum(axis=0) for layer in layers], axis=0)
    count, span = grid[2].patches, grid[2].span
    return sum(gram[start : start + count] for start in range(span)), sum(
        rows[start : start + count] for start in range(span)
    )


def _project(layers: list[Layer], grid: Grid, row: int, weigh: Weigh) -> None:
    """Find the W of a row of patches, and add it to all blocks that they hold."""
    down, span = slice(row, row + grid[1].span), grid[2].span
    gram, rows = row_of_patches(layers, grid, row)
    volumes = gram.shape[-1]
    for at in np.array_split(np.arange(len(rows)), -(-gram.size // _AT_ONCE)):
        values, vectors = np.linalg.eigh(gram[at])
        factor = weigh(np.maximum(values, 0), rows[at, None])
        kept = (factor > 0).sum(axis=-1)
        top = slice(volumes - max(1, int(kept.max())), volumes)
        used = vectors[..., top]
        matrix = ((used * factor[..., None, top]) @ used.swapaxes(-1, -2)).astype(np.float32)
        # Few components: the patch is simple, and what it says is sure.
        worth = np.where(rows[at, None] > 0, 1 / (1.0 + kept), 0)
        for place, w, weight, count in zip(at, matrix, worth, kept, strict=True):
            window = down, slice(place, place + span)
            for layer in layers:
                layer.total[window] += weight.astype(np.float32)[:, None, None] * w
                layer.weight[window] += weight
                layer.kept[window] += weight * count


def _finished(layer: Layer, part: slice, grid: Grid) -> Cleaned:
    out = layer.slab.copy()
    kept = np.zeros(layer.slab.shape[1:4])
    for i, across in enumerate(grid[1].parts):
        for j, along in enumerate(grid[2].parts):
            weight = layer.weight[i, j]
            if not (weight > 0).all():
                continue
            block = layer.slab[:, :, across, along]
            mean = layer.total[i, j] / weight.astype(np.float32)[:, None, None]
            out[:, :, across, along] = (block.reshape(len(mean), -1, mean.shape[-1]) @ mean).reshape(block.shape)
            kept[:, across, along] = (layer.kept[i, j] / weight).sum()
    return Cleaned(part.start, part.stop, out, kept)
