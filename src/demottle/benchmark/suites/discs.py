"""Discs of known contrast in a truth, and what a method leaves of them: contrast, sharpness and detectability.

The truth is known, so what was there before the discs is taken away first: anatomy does not count as noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.physics.phantoms.inserts import Insert, add_inserts, flat_places
from demottle.quality.objects.channels import laguerre_gauss
from demottle.quality.objects.contrast import Disc, disc_contrast
from demottle.quality.objects.edge import disc_edge
from demottle.quality.objects.hotelling import hotelling

BLUR_MM = 0.7
EDGE_HU, EDGE_COUNT, EDGE_PIXELS = 35.0, 6, 5.0
"""Discs with an edge to measure have a radius of at least five pixels."""
EDGE_MM = 7.5
SMALL_HU, SMALL_MM, SMALL_COUNT = 35.0, 3.0, 8
FAINT_HU, FAINT_MM = 20.0, 4.0
HEIGHT_MM = 9.0
_TOLERANCE = 60.0
_BLOCKED = 1000.0  # so that no other disc finds its surroundings flat
_MOST = 200
_CHANNELS, _WIDTH, _REACH = 4, 2.5, 1.2  # Laguerre-Gauss: how many; width in radii; half of a box in widths
_LOWEST_CNR = 5.0


@dataclass(frozen=True)
class Placed:
    """Where discs are.

    Attributes:
        edges: large ones, whose edges are measured.
        small: small ones, for contrast alone.
        faint: those that an observer looks for.
        empty: places like those, without a disc.
    """

    edges: tuple[Insert, ...] = ()
    small: tuple[Insert, ...] = ()
    faint: tuple[Insert, ...] = ()
    empty: tuple[tuple[float, float, float], ...] = ()

    @property
    def all(self) -> tuple[Insert, ...]:
        """Every disc."""
        return (*self.edges, *self.small, *self.faint)


def place_discs(truth: Image, seed: int) -> Placed:
    """Find places in flat tissue, as many as there is room for; half of those for faint discs stay empty."""
    radius = max(EDGE_MM, EDGE_PIXELS * truth.spacing[1])
    edges = _discs(truth, radius, EDGE_HU, EDGE_COUNT, seed)
    taken = _blocked(truth, edges)
    faint = _discs(taken, FAINT_MM, FAINT_HU, _MOST, seed)
    taken = _blocked(taken, faint)
    small = _discs(taken, SMALL_MM, SMALL_HU, SMALL_COUNT, seed)
    half = (len(faint) + 1) // 2
    return Placed(edges, small, faint[:half], tuple(one.center for one in faint[half:]))


def put_in(truth: Image, placed: Placed) -> Image:
    """Return the truth with the discs."""
    return add_inserts(truth, placed.all, BLUR_MM)


def disc_figures(voxels: Voxels, truth: Image, plain: Image, placed: Placed) -> dict[str, float | None]:
    """Return what is left of the discs; None where it cannot be measured.

    `contrast_large`, `contrast_faint`, `contrast_small`: mean over the discs, three slices of each, as a share of the truth's.
    `f50`: frequency at which the transfer function of the mean edge of the large discs is half, as a share of the truth's; a
    contrast-to-noise ratio below 5 of that mean is refused. `dprime`: channelized Hotelling observer (4 Laguerre-Gauss
    channels) that looks for the faint discs, in the middle slice of each.
    """
    left, there = voxels - plain.voxels, truth.voxels - plain.voxels
    step = truth.spacing[1]
    kinds = (("contrast_large", placed.edges), ("contrast_faint", placed.faint), ("contrast_small", placed.small))
    found: dict[str, float | None] = {name: _contrast(left, there, discs, step) for name, discs in kinds}
    return {**found, "f50": _f50(left, there, placed.edges, step), "dprime": _dprime(left, placed, step)}


def _discs(truth: Image, radius: float, contrast: float, count: int, seed: int) -> tuple[Insert, ...]:
    places = flat_places(truth, radius, count, seed, HEIGHT_MM, _TOLERANCE, fewest=0)
    return tuple(Insert(place, radius, contrast, HEIGHT_MM) for place in places)


def _blocked(truth: Image, discs: Sequence[Insert]) -> Image:
    return add_inserts(truth, [Insert(d.center, d.radius_mm, _BLOCKED, d.height_mm) for d in discs])


def _contrast(left: Voxels, there: Voxels, discs: Sequence[Insert], step: float) -> float | None:
    if not discs:
        return None
    shares = []
    for disc in discs:
        z, row, column = (int(at) for at in disc.center)
        at = Disc(row, column, disc.radius_mm / step, disc.contrast)
        got, true = (v[z - 1 : z + 2].mean(axis=0) for v in (left, there))
        shares.append(disc_contrast(got, at) / disc_contrast(true, at))
    return float(np.mean(shares))


def _f50(left: Voxels, there: Voxels, discs: Sequence[Insert], step: float) -> float | None:
    if not discs:
        return None
    half = int(np.ceil(2.3 * discs[0].radius_mm / step))
    center, radius = (float(half), float(half)), discs[0].radius_mm / step
    try:
        got, true = (
            disc_edge(_boxes(v, [d.center for d in discs], half), step, center, radius, _LOWEST_CNR).f50
            for v in (left, there)
        )
    except InputError:
        return None
    return got / true if np.isfinite(got / true) else None


def _dprime(left: Voxels, placed: Placed, step: float) -> float | None:
    width = _WIDTH * FAINT_MM
    half = int(np.ceil(_REACH * width / step))
    channels = laguerre_gauss((2 * half + 1, 2 * half + 1), width, step, _CHANNELS)
    try:
        present, absent = (_boxes(left, places, half) for places in ([d.center for d in placed.faint], placed.empty))
        return hotelling(present, absent, channels, bootstrap=2).dprime
    except (InputError, np.linalg.LinAlgError):  # too few discs for the channels
        return None


def _boxes(voxels: Voxels, places: Sequence[tuple[float, float, float]], half: int) -> Voxels:
    """Boxes around places, those that lie within the slices."""
    cut = []
    for z, row, column in ((int(at) for at in place) for place in places):
        box = voxels[z, max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1]
        if box.shape == (2 * half + 1, 2 * half + 1):
            cut.append(box)
    if not cut:
        raise InputError("There is no disc to look at.")
    return np.stack(cut)
