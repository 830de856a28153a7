"""Discs and spheres of known size and contrast, added to a noise-free image: what contrast recovery is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.image import Image

SUPERSAMPLING = 8  # points per voxel edge
SURROUNDINGS = 2.3  # radii that have to be flat: contrast is measured against a ring that ends at 2.2 radii
SOFT_TISSUE = (-40.0, 180.0)  # HU


@dataclass(frozen=True)
class Disc:
    """A sphere, or a cylinder along the slices' normal.

    Attributes:
        centre: slice, row, column; may lie between voxels.
        radius_mm: radius in mm.
        contrast: HU added inside.
        height_mm: height of the cylinder; None makes a sphere.
    """

    centre: tuple[float, float, float]
    radius_mm: float
    contrast: float
    height_mm: float | None = None


def add_discs(image: Image, discs: Sequence[Disc], blur_mm: float = 0.0) -> Image:
    """Add discs to an image; a voxel gets the part of the contrast that the disc covers of it.

    Args:
        image: any image; its voxels are taken as thick as the distance between slices.
        discs: overlapping discs add up.
        blur_mm: standard deviation of a Gaussian blur within the slices, to match the sharpness of a real scan; 0 for none.

    Raises:
        InputError: for a disc without size or that leaves the image.
    """
    voxels = image.voxels.copy()
    for disc in discs:
        box, cover = _coverage(disc, image, blur_mm)
        voxels[box] += np.float32(disc.contrast) * cover
    return image.with_voxels(voxels)


def flat_places(
    image: Image,
    radius_mm: float,
    count: int,
    seed: int = 0,
    height_mm: float = 0.0,
    tolerance: float = 20.0,
) -> list[tuple[int, int, int]]:
    """Find places in homogeneous soft tissue for discs of one size.

    Args:
        image: noise-free CT in HU.
        radius_mm: radius of the discs; everything within 2.3 radii has to be flat, so that a ring around fits too.
        count: how many places, whose surroundings do not overlap.
        seed: another seed gives other places.
        height_mm: height over which it has to be flat; 0 for one slice.
        tolerance: largest difference in HU within the surroundings.

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
    chosen: list[tuple[int, int, int]] = []
    while len(candidates) and len(chosen) < count:
        place = candidates[0]
        chosen.append((int(place[0]), int(place[1]), int(place[2])))
        away = np.abs(candidates - place) / scale
        candidates = candidates[(away[:, 0] > 1) | (np.hypot(away[:, 1], away[:, 2]) > 1)]
    if len(chosen) < count:
        raise InputError(
            f"Only {len(chosen)} of {count} places of flat soft tissue were found for discs of {radius_mm} mm radius; "
            "ask for fewer or smaller discs."
        )
    return chosen


def _coverage(disc: Disc, image: Image, blur_mm: float) -> tuple[tuple[slice, ...], NDArray[np.float32]]:
    """Box around the disc, and the part (0 to 1) of each of its voxels that the disc covers."""
    half_height = disc.radius_mm if disc.height_mm is None else disc.height_mm / 2
    if disc.radius_mm <= 0 or half_height <= 0:
        raise InputError(f"The disc at {disc.centre} has no size; give it a positive radius and height.")
    reach = np.array([half_height, disc.radius_mm, disc.radius_mm]) / image.spacing
    low, high = np.floor(np.array(disc.centre) - reach), np.ceil(np.array(disc.centre) + reach)
    if (low < -1).any() or (high > image.shape).any():
        raise InputError(
            f"The disc at {disc.centre} with radius {disc.radius_mm} mm leaves the image of shape {image.shape}."
        )
    margin = np.array([0, *(int(np.ceil(4 * blur_mm / step)) for step in image.spacing[1:])])
    first = np.maximum(low.astype(int) - margin, 0)
    last = np.minimum(high.astype(int) + margin, np.array(image.shape) - 1)
    z, y, x = ((_fine(a, b) - c) * step for a, b, c, step in zip(first, last, disc.centre, image.spacing, strict=True))
    z, y, x = z[:, None, None], y[None, :, None], x[None, None]
    if disc.height_mm is None:
        inside = z**2 + y**2 + x**2 <= disc.radius_mm**2
    else:
        inside = (y**2 + x**2 <= disc.radius_mm**2) & (np.abs(z) <= half_height)
    count = last - first + 1
    s = SUPERSAMPLING
    cover = inside.reshape(count[0], s, count[1], s, count[2], s).mean(axis=(1, 3, 5), dtype=np.float32)
    if blur_mm > 0:
        cover = gaussian_filter(cover, [0, blur_mm / image.spacing[1], blur_mm / image.spacing[2]], mode="constant")
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return box, cover


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
