"""Tissue marked on the denoised image itself, with what that selects of the noise taken off again.

Slices above and below (`demottle.quality.check.tissues`) decide without the noise of the voxel, but not without the anatomy:
thin fat,
small vessels and fluid end between them, and where the noise is strong they take muscle for fluid. The denoised slice shows
each tissue where it is. What is left of the noise in it selects, which `demottle.noise.selection` measures and takes off.

A result that moved a tissue out of its range would hide it: where a smooth difference from the input stands out from its noise,
it is put back before anything is marked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.fat_layers import FAT_HU, FAT_WINDOW, fat_layers
from demottle.noise.selection import FEWEST_SLICES, Selection, selection_of
from demottle.noise.slices import MOST_SLICES, spread
from demottle.quality.check.tissues import CT_TISSUES, Labels, core_window, label_plane, smoothed
from demottle.threads import in_order

LAYERS = ("fat at the skin", "fat at bone")
NAMES = (*(tissue.name for tissue in CT_TISSUES), *LAYERS)
MOST_LEFT = 15.0
"""Noise in HU that may be left in the plane that is marked; beyond, hardly a tissue can be told on it."""
_WIDTHS = 5.0  # of the noise left, at least, that a range has: fluid ends to both sides among other tissue
_TISSUE_RANGES = tuple((tissue.lower, tissue.upper) for tissue in CT_TISSUES)
_LAYER_RANGES = (FAT_HU, FAT_HU)
_PUT_BACK_MM = 4.0
_SURE, _LEAST_HU = 5.0, 5.0


@dataclass(frozen=True, eq=False)
class Marked:
    """One slice: label maps of tissues and of layers of fat, and the sum that marking selected, per name in `NAMES`."""

    z: int
    tissues: Labels
    layers: Labels
    pull: NDArray[np.float64]


def marked_slices(before: Image, after: Image, at_most: int = MOST_SLICES) -> Iterator[Marked] | None:
    """Return slices of a result with its tissues marked on it; None where they cannot be: no HU, few slices, much noise left.

    Args:
        before, after: an image and its denoised form.
        at_most: number of slices, spread evenly.
    """
    if before.unit != "HU" or before.sequence or before.shape[0] < FEWEST_SLICES:
        return None
    cores = [core_window(tissue, after.spacing) for tissue in CT_TISSUES]
    of_tissues = selection_of(before, after, lambda plane: smoothed(np.nan_to_num(plane), after), cores)
    if of_tissues.left > MOST_LEFT:
        return None
    of_layers = selection_of(before, after, np.nan_to_num, [FAT_WINDOW] * len(LAYERS))
    return _slices(before, after, of_tissues, of_layers, at_most)


def tellable(selection: Selection, ranges: Sequence[tuple[float, float]]) -> list[bool]:
    """For each range of CT numbers, whether it is wide enough for the noise that is left."""
    return [upper - lower >= _WIDTHS * selection.left for lower, upper in ranges]


def _slices(before: Image, after: Image, of_tissues: Selection, of_layers: Selection, at_most: int) -> Iterator[Marked]:
    def marked(z: int) -> Marked:
        difference = np.nan_to_num(after.voxels[z] - before.voxels[z])
        plane = _put_back(np.nan_to_num(after.voxels[z]), difference, after)
        valid = None if before.valid is None else before.valid[z]
        return _marked(z, plane, difference, valid, after, of_tissues, of_layers)

    yield from in_order(marked, spread(before.shape[0], at_most))


def _marked(
    z: int,
    plane: Voxels,
    difference: Voxels,
    valid: NDArray[np.bool_] | None,
    image: Image,
    of_tissues: Selection,
    of_layers: Selection,
) -> Marked:
    smooth = smoothed(plane, image)

    def tissues(moved: float) -> Labels:
        return _where(label_plane(smooth + np.float32(moved), image, CT_TISSUES), valid, of_tissues, _TISSUE_RANGES)

    def layers(moved: float) -> Labels:
        return _where(fat_layers(plane + np.float32(moved), image.spacing[1:]), valid, of_layers, _LAYER_RANGES)

    pull = (
        of_tissues.pull(difference, tissues),
        of_layers.pull(difference, layers),
    )
    return Marked(z, tissues(0), layers(0), np.concatenate(pull))


def _where(
    labels: Labels, valid: NDArray[np.bool_] | None, selection: Selection, ranges: Sequence[tuple[float, float]]
) -> Labels:
    """Labels of what can be told, where voxels are valid."""
    kept = np.array([0, *(number * told for number, told in enumerate(tellable(selection, ranges), start=1))], np.uint8)
    told: Labels = kept[labels]
    return told if valid is None else np.where(valid, told, 0).astype(np.uint8)


def _put_back(plane: Voxels, difference: Voxels, image: Image) -> Voxels:
    """Undo what a result moved for sure, so that a tissue is still found where it is."""
    smooth = guide.smooth(difference, _PUT_BACK_MM / float(np.mean(image.spacing[1:])))
    body = plane > -500
    if not body.any():
        return plane
    noise = 1.4826 * float(np.median(np.abs(smooth[body])))
    sure = np.sign(smooth) * np.maximum(np.abs(smooth) - max(_SURE * noise, _LEAST_HU), 0)
    return np.asarray(plane - sure, np.float32)
