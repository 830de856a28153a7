"""Which voxels are which tissue, decided by voxels whose mean is not compared afterwards.

A mask chosen by the noisy values themselves selects their noise along with them: the mean inside a mask "30 to 80 HU" is
pulled to 55 HU before denoising, and moves back afterwards, though no CT number was changed (regression to the mean).
So a voxel's tissue is decided by the same place in the slices some millimetres above and below, whose noise is
independent; in images of few slices by a ring around it, which does not contain it. The slice itself only has to agree
with them, within a wide symmetric tolerance: where anatomy changes quickly, a voxel between two slices of vessel is less
likely vessel than they are (regression to the mean of anatomy, not of noise).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.noise import guide
from demottle.noise.slices import MOST_SLICES, spread
from demottle.quality.check.lung import lung_plane

Plane = NDArray[np.float32]
Labels = NDArray[np.uint8]

SMOOTHING_MM = 2.0
_CORE_PIXELS = 2  # the least that a core is away from other tissue, however large the pixels: edges are that wide
_DISTANCE_MM = 4.0  # slices that decide are at least two slices and this far away
_RING_MM = (4.0, 9.0)  # inner and outer half width of the square ring that decides in images of few slices


@dataclass(frozen=True)
class Tissue:
    """A tissue: smoothed values from `lower` to `upper`, in places whose gradient is at most `steepest` per mm.

    `agreement`: a slice may differ from the mean of those above and below by at most this. `core_mm`: voxels so near to
    another tissue (and two pixels) are left out: thin fluid and small vessels hold more of what is beside them.
    """

    name: str
    lower: float
    upper: float
    steepest: float
    agreement: float
    core_mm: float = 0.0


# HU. The gaps between ranges keep out mixtures. Trabecular bone and enhanced vessels share their HU: see `_tell_bone`.
CT_TISSUES = (
    Tissue("air", -1100, -930, 15, 30),
    Tissue("lung", -920, -650, 30, 60, 2),
    Tissue("fat", -130, -70, 8, 30),
    Tissue("fluid", -10, 18, 8, 20, 2),
    Tissue("soft tissue", 24, 115, 8, 30),
    Tissue("enhanced vessel", 125, 450, 15, 60, 2),
    Tissue("bone", 150, 1600, 60, 150),
)
_LUNG, _VESSEL, _BONE = 2, 6, 7
_CORTICAL = 350.0


def tissues_of(image: Image) -> tuple[Tissue, ...]:
    """Return the tissues told apart in an image: CT's by HU; elsewhere dark, middle and bright thirds of the foreground."""
    if image.unit == "HU":
        return CT_TISSUES
    sample = image.voxels[spread(image.shape[0], 8)]
    low, high = (float(v) for v in np.percentile(sample, [1, 99]))
    steps = np.linspace(low + 0.1 * (high - low), high, 4)
    step, steepest = float(steps[1] - steps[0]), 0.08 * (high - low)
    names = ("dark", "middle", "bright")
    return tuple(Tissue(n, float(a), float(a) + step, steepest, step / 2) for n, a in zip(names, steps, strict=False))


def labelled_slices(
    image: Image, reference: Image | None = None, at_most: int = MOST_SLICES
) -> Iterator[tuple[int, Labels]]:
    """Yield slice numbers with label maps (rows, columns): 0 for none, i for tissue i - 1 of `tissues_of(image)`.

    Args:
        image: whose tissues are labelled; its own values in a slice never decide that slice's labels.
        reference: an image of the same shape whose noise has nothing to do with `image` (a truth, a repeat): its own
            slices then decide.
        at_most: number of slices, spread evenly over the volume.
    """
    tissues = tissues_of(image if reference is None else reference)
    distance = _deciding_distance(image)
    slices = image.shape[0]
    if reference is not None:
        label, margin = _by_itself(reference, tissues), 0
    elif slices > 2 * distance:
        label, margin = _by_neighbors(image, tissues, distance), distance
    else:
        label, margin = _by_ring(image, tissues), 0
    for z in spread(slices, at_most, margin):
        labels = label(z)
        if image.valid is not None:
            labels = np.where(image.valid[z], labels, 0).astype(np.uint8)
        yield z, labels


def _deciding_distance(image: Image) -> int:
    if image.sequence:  # frames, not slices: the distance is in time
        return 2
    return max(2, round(_DISTANCE_MM / image.spacing[0]))


def _by_itself(reference: Image, tissues: tuple[Tissue, ...]) -> Callable[[int], Labels]:
    return lambda z: label_plane(smoothed(reference.voxels[z], reference), reference, tissues)


def _by_neighbors(image: Image, tissues: tuple[Tissue, ...], distance: int) -> Callable[[int], Labels]:
    @lru_cache(maxsize=2 * distance + 2)  # neighbors are shared between slices that lie close together
    def own(z: int) -> tuple[Labels, Plane]:
        smooth = smoothed(image.voxels[z], image)
        return label_plane(smooth, image, tissues), smooth

    def label(z: int) -> Labels:
        (above, value_above), (below, value_below) = own(z - distance), own(z + distance)
        labels = np.where(above == below, above, 0).astype(np.uint8)
        expected: Plane = (value_above + value_below) / np.float32(2)
        return _agreeing(labels, smoothed(image.voxels[z], image) - expected, tissues)

    return label


def _agreeing(labels: Labels, difference: Plane, tissues: tuple[Tissue, ...]) -> Labels:
    """Drop voxels whose slice differs too much from its neighbors: by more than their noise could ever do.

    A limit within the reach of noise would select noise again: what is above its limit is dropped on one side more than on
    the other wherever the neighbors were selected.
    """
    for number, tissue in enumerate(tissues, start=1):
        here = labels == number
        if here.any():
            found = difference[here]
            spread = 1.4826 * float(np.median(np.abs(found - np.median(found))))
            labels[here] = np.where(np.abs(found) <= max(tissue.agreement, 5 * spread), number, 0)
    return labels


def _by_ring(image: Image, tissues: tuple[Tissue, ...]) -> Callable[[int], Labels]:
    def label(z: int) -> Labels:
        # The ring blurs the rim of a body into a wide band: what is thick is seen on the slice itself.
        return label_plane(_ring_mean(_filled(image, z), image), image, tissues, smoothed(image.voxels[z], image))

    return label


def smoothed(plane: Plane, image: Image) -> Plane:
    """Smooth a slice by 2 mm."""
    return guide.smooth_mm(np.nan_to_num(plane), SMOOTHING_MM, image.spacing[1:])


def _filled(image: Image, z: int) -> Plane:
    plane: Plane = np.nan_to_num(image.voxels[z])
    return plane


def _ring_mean(plane: Plane, image: Image) -> Plane:
    sums, areas = [], []
    for half in _RING_MM:
        width, height = (2 * max(1, round(half / s)) + 1 for s in (image.spacing[2], image.spacing[1]))
        sums.append(cv2.boxFilter(plane.astype(np.float64), -1, (width, height), normalize=False))
        areas.append(width * height)
    mean: Plane = ((sums[1] - sums[0]) / max(1, areas[1] - areas[0])).astype(np.float32)
    return mean


def label_plane(smooth: Plane, image: Image, tissues: tuple[Tissue, ...], little: Plane | None = None) -> Labels:
    """Label a smooth plane; `little`: the slice smoothed little, where `smooth` is more than that."""
    row_step, column_step = image.spacing[1:]
    steepness = np.hypot(*np.gradient(smooth, row_step, column_step))
    labels = np.zeros(smooth.shape, np.uint8)
    for number, tissue in enumerate(tissues, start=1):
        inside = (smooth >= tissue.lower) & (smooth <= tissue.upper) & (steepness <= tissue.steepest)
        labels[inside] = number
    if tissues is not CT_TISSUES:
        return labels
    lung = labels == _LUNG
    if lung.any():
        labels[lung & ~lung_plane(smooth if little is None else little, image.spacing[1:])] = 0
    return _cores(_tell_bone(labels, smooth, image), image, tissues)


def _cores(labels: Labels, image: Image, tissues: tuple[Tissue, ...]) -> Labels:
    """Drop what lies near the edge of tissues that have a core."""
    for number, tissue in enumerate(tissues, start=1):
        if tissue.core_mm and (here := labels == number).any():
            height, width = core_window(tissue, image.spacing)
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, height))
            core = cv2.erode(here.astype(np.uint8), disc, borderType=cv2.BORDER_CONSTANT, borderValue=0)
            labels[here & (core == 0)] = 0
    return labels


def core_window(tissue: Tissue, spacing: Sequence[float]) -> tuple[int, int]:
    """Rows and columns of the window that a tissue has to fill; (1, 1) for a tissue without a core."""
    if not tissue.core_mm:
        return 1, 1
    height, width = (2 * max(_CORE_PIXELS, round(tissue.core_mm / step)) + 1 for step in spacing[1:])
    return height, width


def _tell_bone(labels: Labels, smooth: Plane, image: Image) -> Labels:
    """Marrow lies inside a cortical shell, an enhanced vessel does not: bone is what closing cortical bone takes in."""
    cortical = (smooth > _CORTICAL).astype(np.uint8)
    width, height = (2 * max(1, round(8.0 / s)) + 1 for s in (image.spacing[2], image.spacing[1]))
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, height))
    shell = cv2.morphologyEx(cortical, cv2.MORPH_CLOSE, shape).astype(bool)
    bright = (labels == _VESSEL) | (labels == _BONE)
    labels[bright & shell] = _BONE
    labels[bright & ~shell] = np.where(smooth[bright & ~shell] <= CT_TISSUES[_VESSEL - 1].upper, _VESSEL, 0)
    return labels
