"""Did CT numbers change? Mean of after minus before per tissue, with an interval and a test of equivalence."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.quality.check.result_marks import NAMES, Marked, marked_slices
from demottle.quality.check.tissues import CT_TISSUES, labelled_slices, tissues_of
from demottle.quality.equivalence import FEWEST_BLOCKS, equivalence

MARGIN_HU = 2.0
FEWEST_VOXELS = 500
_BLOCK_MM = 24.0
_BLOCK_SLICES = 4


@dataclass(frozen=True)
class TissueShift:
    """How the mean of one tissue moved.

    Attributes:
        name: the tissue.
        voxels: how many voxels were compared.
        mean_before, mean_after: mean in HU (or the image's unit).
        shift: mean_after - mean_before.
        ci_low, ci_high: 90 % confidence interval of the shift.
        equivalent: True where two one-sided tests at 5 % show |shift| < margin: the interval lies within the margin.
        margin: the largest shift that does not matter: 2 HU; 1 % of the range of values where there is no HU.
        p_value: p-value of the equivalence test (`demottle.quality.equivalence`).
        blocks: how many independent blocks the interval rests on.
    """

    name: str
    voxels: int
    mean_before: float
    mean_after: float
    shift: float
    ci_low: float
    ci_high: float
    equivalent: bool
    margin: float = MARGIN_HU
    p_value: float = float("nan")
    blocks: int = 0


def tissue_shifts(
    before: Image,
    after: Image,
    reference: Image | None = None,
    margin: float | None = None,
) -> list[TissueShift]:
    """Return the shift of every tissue that has enough voxels, in the order of `tissues_of`, and of thin layers of fat.

    Noise is correlated over several pixels and between slices, so voxels are not independent observations; blocks of
    24 x 24 mm and four slices nearly are; interval and test are of these blocks.

    Args:
        before, after: images of the same shape.
        reference: decides which voxel is which tissue; its noise must have nothing to do with `before`. None: of CT numbers
            `after` decides (`demottle.quality.check.result_marks`); in fewer than five slices, where much noise is left and in
            other images the slices above and below (`demottle.quality.check.tissues`).
        margin: the largest shift that does not matter, in the image's unit; None: 2 HU, or 1 % of the range of values.

    Raises:
        InputError: where the shapes differ, or for a margin that is not positive.
    """
    if before.shape != after.shape:
        raise InputError(
            f"Before has shape {before.shape} and after {after.shape}; only images of one shape can be compared."
        )
    blocks: list[
        NDArray[np.float64]
    ] = []  # per group of slices: (tissues, blocks, [count, sum before, sum difference])
    group: NDArray[np.float64] | None = None
    names, slices = _sums(before, after, reference)
    for number, sums in enumerate(slices):
        if group is None or number % _BLOCK_SLICES == 0:
            group = sums
            blocks.append(group)
        else:
            group += sums
    if not blocks:
        return []
    table = np.concatenate(blocks, axis=1)
    limit = _margin(before) if margin is None else margin
    shifts = (_shift(name, table[i], limit) for i, name in enumerate(names))
    return [s for s in shifts if s is not None]


def _sums(before: Image, after: Image, reference: Image | None) -> tuple[list[str], Iterator[NDArray[np.float64]]]:
    """Names, and block sums slice by slice (names, blocks, [count, sum before, sum difference])."""
    on_result = marked_slices(before, after) if reference is None else None
    if on_result is not None:
        return list(NAMES), _on_the_result(before, after, on_result)
    tissues = tissues_of(before if reference is None else reference)
    marked = labelled_slices(before, reference)
    return [t.name for t in tissues], (_block_sums(before, after, z, labels, len(tissues)) for z, labels in marked)


def _on_the_result(before: Image, after: Image, slices: Iterator[Marked]) -> Iterator[NDArray[np.float64]]:
    for one in slices:
        sums = np.concatenate(
            [
                _block_sums(before, after, one.z, one.tissues, len(CT_TISSUES)),
                _block_sums(before, after, one.z, one.layers, len(NAMES) - len(CT_TISSUES)),
            ]
        )
        counts = sums[..., 0]
        sums[..., 2] -= counts * (one.pull / np.maximum(counts.sum(axis=1), 1))[:, None]
        yield sums


def _margin(image: Image) -> float:
    if image.unit == "HU":
        return MARGIN_HU
    tissues = tissues_of(image)
    return 0.01 * (tissues[-1].upper - tissues[0].lower)


def _block_sums(before: Image, after: Image, z: int, labels: NDArray[np.uint8], tissues: int) -> NDArray[np.float64]:
    rows, columns = labels.shape
    row_step, column_step = (max(1, round(_BLOCK_MM / s)) for s in before.spacing[1:])
    across = -(-columns // column_step)
    block = (np.arange(rows) // row_step)[:, None] * across + (np.arange(columns) // column_step)[None, :]
    blocks = int(block[-1, -1]) + 1
    chosen = labels > 0
    cell = (labels[chosen].astype(np.int64) - 1) * blocks + block[chosen]
    plane = before.voxels[z][chosen].astype(np.float64)
    difference = after.voxels[z][chosen] - plane
    columns_of_table = [np.bincount(cell, w, tissues * blocks) for w in (np.ones_like(plane), plane, difference)]
    return np.stack(columns_of_table, axis=-1).astype(np.float64).reshape(tissues, blocks, 3)


def _shift(name: str, blocks: NDArray[np.float64], margin: float) -> TissueShift | None:
    count, before, difference = blocks[blocks[:, 0] > 0].T
    voxels = count.sum()
    if voxels < FEWEST_VOXELS or len(count) < FEWEST_BLOCKS:
        return None
    found = equivalence(count, difference, margin)
    mean = float(before.sum() / voxels)
    return TissueShift(
        name, int(voxels), mean, mean + found.shift, found.shift, found.ci_low, found.ci_high, found.equivalent,
        margin, found.p_value, found.blocks,
    )  # fmt: skip
