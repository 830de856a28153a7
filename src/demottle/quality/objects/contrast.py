"""Structures of known place: how much of their contrast is left, before and after. Learned denoisers fail here first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.structures import Structure
from demottle.quality.objects.sharpness import whole_slices

Plane = NDArray[np.floating]

# Pixels near the edge are mixtures, of the disc and of blur: both regions stay away from it.
_CORE = 0.7
_RING = (1.4, 2.2)
LEAST_CONTRAST_TO_ERROR = 3.0


@dataclass(frozen=True)
class Disc:
    """A place in a slice: center (row, column) and radius in pixels, true contrast to what surrounds it in HU.

    (An object in mm that an observer looks for is `quality.objects.tasks.Disc`, a thing in space
    `physics.phantoms.inserts.Insert`.)
    """

    row: float
    column: float
    radius: float
    contrast: float


def disc_contrast(plane: Plane, disc: Disc) -> float:
    """Return mean of the disc (to 0.7 radii) minus mean of the ring around it (1.4 to 2.2 radii), in HU.

    Raises:
        InputError: for anything but a slice of numbers; where the ring leaves it, or the disc is too small to hold a pixel.
    """
    if plane.ndim != 2 or not np.isfinite(plane).all():
        raise InputError("Contrast needs a slice (rows, columns) without NaN or infinite values.")
    core, ring = core_and_ring(plane, disc)
    return float(plane[core].mean(dtype=np.float64) - plane[ring].mean(dtype=np.float64))


@dataclass(frozen=True)
class Recovered:
    """Contrast of one structure.

    Attributes:
        name: name of the structure; diameter_mm: its size.
        contrast: true contrast in HU.
        before, after: contrast found, in HU: mean of the disc less mean of a ring around it.
        reference: the same in the truth, where there is one (partial volume takes some of it there too); else NaN.
        error: standard error of `before` and hence of what any linear method can find, in HU: from the noise spectrum where
            that is known, else from the spread of the slices; NaN where neither is.
    """

    name: str
    diameter_mm: float
    contrast: float
    before: float
    after: float
    reference: float
    error: float

    @property
    def share(self) -> float:
        """Contrast after over that of the truth; without a truth over the true contrast. 1: all of it is left."""
        return self.after / self._base if self._base else float("nan")

    @property
    def share_error(self) -> float:
        """Standard error of `share` that noise alone makes; NaN where the noise is not known."""
        return self.error / abs(self._base) if self._base else float("nan")

    @property
    def lost_in_noise(self) -> bool:
        """True where the contrast is below 3 standard errors: what is left of it cannot be told."""
        return self.share_error > 1 / LEAST_CONTRAST_TO_ERROR

    @property
    def _base(self) -> float:
        return self.reference if np.isfinite(self.reference) else self.contrast


def recovered(
    before: Image,
    after: Image,
    structures: Sequence[Structure],
    truth: Image | None = None,
    error: Callable[[float, int], float] | None = None,
) -> tuple[list[Recovered], list[str]]:
    """Measure every structure that can be.

    Args:
        before, after: the scan and what was made of it.
        structures: what is where.
        truth: the noise-free scan.
        error: standard error of a contrast from radius in pixels and number of slices (`ContrastNoise.error`); None: from the
            spread of the slices, as if they shared no noise.

    Returns:
        What was measured, and for each structure that could not be one sentence that says why.
    """
    found, refused = [], []
    for structure in structures:
        insert = structure.insert
        try:
            slices = whole_slices(before, structure)
            disc = Disc(insert.center[1], insert.center[2], insert.radius_mm / before.spacing[2], insert.contrast)
            if abs(before.spacing[1] - before.spacing[2]) > 1e-3 * before.spacing[1]:
                raise InputError("Its pixels are not square, and a disc needs square ones.")
            first, second = (_contrasts(image, slices, disc) for image in (before, after))
            true = float("nan") if truth is None else float(_contrasts(truth, slices, disc).mean())
        except InputError as refusal:
            refused.append(f"{structure.name}: {refusal}")
            continue
        if error is not None:
            noise = error(disc.radius, len(slices))
        else:
            noise = float(first.std(ddof=1) / np.sqrt(len(first))) if len(first) > 2 else float("nan")
        found.append(
            Recovered(
                structure.name,
                2 * insert.radius_mm,
                insert.contrast,
                float(first.mean()),
                float(second.mean()),
                true,
                noise,
            )
        )
    return found, refused


@dataclass(frozen=True)
class Group:
    """Structures of one size and contrast: mean share of contrast left, its standard error (NaN for one alone), their number."""

    diameter_mm: float
    contrast: float
    share: float
    error: float
    count: int


def by_size_and_contrast(found: Sequence[Recovered]) -> list[Group]:
    """Gather structures by diameter (mm, to 0.01) and contrast (HU, to 0.1); shares that are not known are left out."""
    shares: dict[tuple[float, float], list[float]] = {}
    for one in found:
        if np.isfinite(one.share):
            shares.setdefault((round(one.diameter_mm, 2), round(one.contrast, 1)), []).append(one.share)
    return [
        Group(
            d, c, float(np.mean(s)), float(np.std(s, ddof=1) / np.sqrt(len(s))) if len(s) > 1 else float("nan"), len(s)
        )
        for (d, c), s in sorted(shares.items())
    ]


def _contrasts(image: Image, slices: Sequence[int], disc: Disc) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([disc_contrast(image.voxels[z], disc) for z in slices], np.float64)


def core_and_ring(plane: Plane, disc: Disc) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels of a disc (to 0.7 radii) and of the ring around it (1.4 to 2.2 radii).

    Raises:
        InputError: where the ring leaves the slice, or the disc is too small to hold a pixel.
    """
    rows, columns = plane.shape
    reach = disc.radius * _RING[1]
    if min(disc.row, disc.column) < reach or disc.row > rows - 1 - reach or disc.column > columns - 1 - reach:
        raise InputError(
            f"The ring around the disc at row {disc.row:.1f}, column {disc.column:.1f} (radius {disc.radius:.1f} px) leaves "
            "the slice; choose a disc farther from the border."
        )
    distance = np.hypot(np.arange(rows)[:, None] - disc.row, np.arange(columns)[None, :] - disc.column) / disc.radius
    core, ring = distance <= _CORE, (distance >= _RING[0]) & (distance <= _RING[1])
    if not core.any():
        raise InputError(f"A disc of radius {disc.radius:.2g} px holds no pixel to measure; use a larger disc.")
    return core, ring
