"""Low-contrast discs of known position: how much of their contrast is left. Learned denoisers fail here first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.quality.arrays import spacing_of

Plane = NDArray[np.floating]

# Pixels near the edge are mixtures, of the disc and of blur: both regions stay away from it.
_CORE = 0.7
_RING = (1.4, 2.2)


@dataclass(frozen=True)
class Disc:
    """A disc in a slice: center (row, column) and radius in pixels, true contrast to what surrounds it in HU."""

    row: float
    column: float
    radius: float
    contrast: float


@dataclass(frozen=True)
class Recovery:
    """Contrast found for a disc in HU, the share of the true contrast (1: all of it), and contrast over noise in the ring."""

    disc: Disc
    contrast: float
    share: float
    contrast_to_noise: float


def disc_contrast(plane: Plane, disc: Disc) -> float:
    """Return mean of the disc (to 0.7 radii) minus mean of the ring around it (1.4 to 2.2 radii), in HU.

    Raises:
        InputError: where the ring leaves the slice, or the disc is too small to hold a pixel.
    """
    core, ring = _core_and_ring(plane, disc)
    return float(plane[core].mean(dtype=np.float64) - plane[ring].mean(dtype=np.float64))


def contrast_recovery(plane: Plane, discs: Sequence[Disc], truth: Plane | None = None) -> list[Recovery]:
    """Return what is left of each disc's contrast in one slice (or a mean of slices): share = measured / true.

    With a `truth` of the same shape the true contrast is what the same regions hold there: then the blur that the truth has
    too does not count as loss.

    Raises:
        InputError: as `disc_contrast`; NaN, another shape of the truth, a disc without contrast.
    """
    for values in (plane,) if truth is None else (plane, truth):
        if values.ndim != 2 or not np.isfinite(values).all():
            raise InputError("Contrast recovery needs a slice (rows, columns) without NaN or infinite values.")
    if truth is not None and truth.shape != plane.shape:
        raise InputError(f"Slice {plane.shape} and truth {truth.shape} must have one shape.")
    found = []
    for disc in discs:
        if disc.contrast == 0:
            raise InputError(
                f"The disc at row {disc.row}, column {disc.column} has no contrast; its recovery has no meaning."
            )
        contrast = disc_contrast(plane, disc)
        true = disc.contrast if truth is None else disc_contrast(truth, disc)
        noise = float(plane[_core_and_ring(plane, disc)[1]].std(dtype=np.float64))
        found.append(Recovery(disc, contrast, contrast / true, abs(contrast) / noise if noise else float("inf")))
    return found


@dataclass(frozen=True)
class Group:
    """Discs of one size and contrast: mean share of contrast left, its standard error (NaN for a single disc), their number."""

    diameter: float
    contrast: float
    share: float
    error: float
    count: int


def by_size_and_contrast(recoveries: Sequence[Recovery], spacing: float) -> list[Group]:
    """Gather recoveries of several discs, slices or repeats by diameter (mm, to 0.01) and contrast (HU, to 0.1).

    Args:
        recoveries: of `contrast_recovery`, from as many slices as wanted.
        spacing: pixel spacing in mm.

    Raises:
        InputError: where there is nothing to gather, or no spacing.
    """
    step = spacing_of(spacing)[0]
    if not recoveries:
        raise InputError("There are no discs to gather; measure contrast recovery first.")
    shares: dict[tuple[float, float], list[float]] = {}
    for r in recoveries:
        key = round(2 * r.disc.radius * step, 2), round(r.disc.contrast, 1)
        shares.setdefault(key, []).append(r.share)
    return [
        Group(
            d, c, float(np.mean(s)), float(np.std(s, ddof=1) / np.sqrt(len(s))) if len(s) > 1 else float("nan"), len(s)
        )
        for (d, c), s in sorted(shares.items())
    ]


def _core_and_ring(plane: Plane, disc: Disc) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    rows, columns = plane.shape
    reach = disc.radius * _RING[1]
    if min(disc.row, disc.column) < reach or disc.row > rows - 1 - reach or disc.column > columns - 1 - reach:
        raise InputError(
            f"The ring around the disc at row {disc.row}, column {disc.column} (radius {disc.radius} px) leaves the slice; "
            "choose a disc farther from the border."
        )
    distance = np.hypot(np.arange(rows)[:, None] - disc.row, np.arange(columns)[None, :] - disc.column) / disc.radius
    core, ring = distance <= _CORE, (distance >= _RING[0]) & (distance <= _RING[1])
    if not core.any():
        raise InputError(f"A disc of radius {disc.radius} px holds no pixel to measure; use a larger disc.")
    return core, ring
