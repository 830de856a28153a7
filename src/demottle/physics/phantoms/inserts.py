"""Cylinders and spheres of known size and contrast, added to a noise-free image: what contrast recovery is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.coverage import disc_coverage, interval_coverage

SUPERSAMPLING = 8  # points per voxel edge of a sphere, and the finest grid a blur is computed on
SURROUNDINGS = 2.3  # radii that have to be flat: contrast is measured against a ring that ends at 2.2 radii
SOFT_TISSUE = (-40.0, 180.0)  # HU
_BLOCK = 8192  # candidate places


@dataclass(frozen=True)
class Insert:
    """A sphere, or a cylinder along the slices' normal: a thing in space. (`quality.objects.contrast.Disc` is a place in one
    slice.)

    Attributes:
        center: slice, row, column; may lie between voxels.
        radius_mm: radius in mm.
        contrast: HU added inside.
        height_mm: height of the cylinder, infinite for one through all slices; None makes a sphere.
    """

    center: tuple[float, float, float]
    radius_mm: float
    contrast: float
    height_mm: float | None = None


def add_inserts(image: Image, inserts: Sequence[Insert], blur_mm: float = 0.0) -> Image:
    """Add inserts to an image; a voxel gets the part of the contrast that the insert covers of it.

    That part is exact for cylinders without blur; with blur the whole is right to 0.1 % and the edge to 0.5 % of the
    contrast. For spheres it is counted at 8 points along each edge of a voxel: volumes are right to 1 %.

    Args:
        image: any image; its voxels are taken as thick as the distance between slices.
        inserts: overlapping inserts add up.
        blur_mm: standard deviation of a Gaussian blur within the slices, to match the sharpness of a real scan; 0 for none.

    Raises:
        InputError: for an insert without size or that leaves the image, or a negative blur.
    """
    if not (np.isfinite(blur_mm) and blur_mm >= 0):
        raise InputError(f"The blur is {blur_mm} mm; it has to be zero or a positive number.")
    voxels = image.voxels.copy()
    for insert in inserts:
        box, cover = _coverage(insert, image, blur_mm)
        voxels[box] += np.float32(insert.contrast) * cover
    return image.with_voxels(voxels)


def flat_places(
    image: Image,
    radius_mm: float,
    count: int,
    seed: int = 0,
    height_mm: float = 0.0,
    tolerance: float = 20.0,
    fewest: int | None = None,
) -> list[tuple[int, int, int]]:
    """Find places in homogeneous soft tissue for discs of one size.

    Args:
        image: noise-free CT in HU.
        radius_mm: radius of the discs; everything within 2.3 radii has to be flat, so that a ring around fits too.
        count: how many places, whose surroundings do not overlap.
        seed: another seed gives other places.
        height_mm: height over which it has to be flat; 0 for one slice.
        tolerance: largest difference in HU within the surroundings.
        fewest: accept as few as this; None: `count`.

    Returns:
        (slice, row, column) of each place.

    Raises:
        InputError: where there are not that many.
    """
    step_z, step_y, step_x = image.spacing
    reach = (int(np.ceil(height_mm / 2 / step_z)), SURROUNDINGS * radius_mm / step_y, SURROUNDINGS * radius_mm / step_x)
    candidates = np.argwhere(_flat(image, reach, tolerance))
    np.random.default_rng(seed).shuffle(candidates)
    scale = np.array([max(2 * reach[0], 1), 2 * reach[1], 2 * reach[2]])
    chosen = _far_apart(candidates, scale, count)
    if len(chosen) < (count if fewest is None else fewest):
        raise InputError(
            f"Only {len(chosen)} of {count} places of flat soft tissue were found for discs of {radius_mm} mm radius; "
            "ask for fewer or smaller discs."
        )
    return chosen


def _far_apart(candidates: NDArray[np.int_], scale: NDArray[np.float64], count: int) -> list[tuple[int, int, int]]:
    """Take the first `count` candidates, in their order, that are apart from all taken before.

    In blocks: millions of candidates are looked at once each, not once for every place.
    """
    chosen = np.empty((0, 3), candidates.dtype)
    for first in range(0, len(candidates), _BLOCK):
        block = candidates[first : first + _BLOCK]
        for place in chosen:
            block = block[_apart(block, place, scale)]
        while len(block) and len(chosen) < count:
            chosen = np.concatenate([chosen, block[:1]])
            block = block[_apart(block, chosen[-1], scale)]
        if len(chosen) == count:
            break
    return [(int(z), int(y), int(x)) for z, y, x in chosen]


def _apart(places: NDArray[np.int_], place: NDArray[np.int_], scale: NDArray[np.float64]) -> NDArray[np.bool_]:
    away = np.abs(places - place) / scale
    return np.asarray((away[:, 0] > 1) | (np.hypot(away[:, 1], away[:, 2]) > 1))


def _coverage(insert: Insert, image: Image, blur_mm: float) -> tuple[tuple[slice, ...], NDArray[np.float32]]:
    """Box around the insert, and the part (0 to 1) of each of its voxels that the insert covers."""
    half_height = insert.radius_mm if insert.height_mm is None else insert.height_mm / 2
    if not (insert.radius_mm > 0 and half_height > 0):
        raise InputError(f"The insert at {insert.center} has no size; give it a positive radius and height.")
    center = np.array(insert.center)
    reach = np.array([half_height, insert.radius_mm, insert.radius_mm]) / image.spacing
    if np.isinf(half_height):
        center[0], reach[0] = (image.shape[0] - 1) / 2, image.shape[0] / 2
    low, high = np.floor(center - reach), np.ceil(center + reach)
    if (low < -1).any() or (high > image.shape).any():
        raise InputError(
            f"The insert at {insert.center} with radius {insert.radius_mm} mm leaves the image of shape {image.shape}."
        )
    margin = np.array([0, *(int(np.ceil(5 * blur_mm / step)) for step in image.spacing[1:])])
    first = np.maximum(low.astype(int) - margin, 0)
    last = np.minimum(high.astype(int) + margin, np.array(image.shape) - 1)
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    if insert.height_mm is None:
        return box, _blurred(_sphere(insert, image, first, last), image, blur_mm)
    along = interval_coverage(box[0].start, box[0].stop, image.spacing[0], float(center[0]), half_height)
    across = _disc(insert, image, box, blur_mm)
    return box, (along[:, None, None] * across).astype(np.float32)


def _disc(insert: Insert, image: Image, box: tuple[slice, ...], blur_mm: float) -> NDArray[np.float64]:
    """Cross-section of a cylinder, shape (rows, columns) of the box; blurred on a grid that is fine against the blur."""
    _, row_mm, column_mm = image.spacing
    if insert.radius_mm <= blur_mm / 2:
        return _blurred_point(insert, image, box, blur_mm)
    fine = 1 if blur_mm == 0 else int(np.clip(np.ceil(2 * max(row_mm, column_mm) / blur_mm), 1, SUPERSAMPLING))
    rows, columns = ((part.start * fine, part.stop * fine) for part in box[1:])
    row, column = ((middle + 0.5) * fine - 0.5 for middle in insert.center[1:])
    cover = disc_coverage(rows, columns, (row_mm / fine, column_mm / fine), (row, column), insert.radius_mm)
    if blur_mm == 0:
        return cover
    sharp = [blur_mm * fine / row_mm, blur_mm * fine / column_mm]
    soft = gaussian_filter(cover, sharp, mode="constant", truncate=5)
    binned = soft.reshape(soft.shape[0] // fine, fine, soft.shape[1] // fine, fine).mean(axis=(1, 3))
    return np.asarray(binned, dtype=np.float64)


def _blurred_point(insert: Insert, image: Image, box: tuple[slice, ...], blur_mm: float) -> NDArray[np.float64]:
    """Disc that is small against the blur: a Gaussian with the variance of both, integrated over each pixel exactly."""
    width = np.sqrt(blur_mm**2 + insert.radius_mm**2 / 4)  # r^2/4: variance of a disc along one axis
    across = []
    for part, center, step in zip(box[1:], insert.center[1:], image.spacing[1:], strict=True):
        edges = (np.arange(part.start, part.stop + 1) - 0.5 - center) * step
        across.append(np.diff(ndtr(edges / width)))
    pixel = image.spacing[1] * image.spacing[2]
    return np.asarray(np.pi * insert.radius_mm**2 / pixel * across[0][:, None] * across[1], dtype=np.float64)


def _sphere(insert: Insert, image: Image, first: NDArray[np.int_], last: NDArray[np.int_]) -> NDArray[np.float32]:
    z, y, x = (
        (_fine(a, b) - c) * step for a, b, c, step in zip(first, last, insert.center, image.spacing, strict=True)
    )
    inside = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None] ** 2 <= insert.radius_mm**2
    count, s = last - first + 1, SUPERSAMPLING
    cover = inside.reshape(count[0], s, count[1], s, count[2], s).mean(axis=(1, 3, 5), dtype=np.float32)
    return np.asarray(cover, dtype=np.float32)


def _blurred(cover: NDArray[np.float32], image: Image, blur_mm: float) -> NDArray[np.float32]:
    if blur_mm == 0:
        return cover
    soft = gaussian_filter(cover, [0, blur_mm / image.spacing[1], blur_mm / image.spacing[2]], mode="constant")
    return np.asarray(soft, dtype=np.float32)


def _fine(first: int, last: int) -> NDArray[np.float64]:
    """Positions of the supersampling points of voxels `first` to `last`, in voxels."""
    count = (last - first + 1) * SUPERSAMPLING
    return first - 0.5 + (np.arange(count) + 0.5) / SUPERSAMPLING


def _flat(image: Image, reach: tuple[int, float, float], tolerance: float) -> NDArray[np.bool_]:
    """Voxels whose surroundings are soft tissue and differ by less than the tolerance."""
    rows, columns = int(np.ceil(reach[1])), int(np.ceil(reach[2]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * columns + 1, 2 * rows + 1))
    outside = cv2.BORDER_CONSTANT  # beyond the image nothing is flat
    highest = np.stack([cv2.dilate(p, disc, borderType=outside, borderValue=1e9) for p in image.voxels])
    lowest = np.stack([cv2.erode(p, disc, borderType=outside, borderValue=-1e9) for p in image.voxels])
    flat = np.zeros(image.shape, np.bool_)
    for index in range(reach[0], image.shape[0] - reach[0]):
        around = slice(index - reach[0], index + reach[0] + 1)
        top, bottom = highest[around].max(axis=0), lowest[around].min(axis=0)
        flat[index] = (top - bottom < tolerance) & (bottom > SOFT_TISSUE[0]) & (top < SOFT_TISSUE[1])
    return flat
