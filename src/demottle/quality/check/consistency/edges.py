"""Where strong edges are and how wide: a blurred, sharpened or shifted result has other ones than its scan."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.noise.slices import spread
from demottle.quality.check.consistency.blocks import (
    FREQUENCY,
    RINGS,
    SIDE,
    STEP,
    Waves,
    blocks_in_body,
    by_ring,
    waves_of,
)

_STRONG = 20.0  # times the noise that was removed: what is weaker a method may lose
_FEWEST = 10  # blocks
_LOWEST = 3  # ring: below it hardly any blur changes anything
_MOST_SLICES = 24
_GROUPS = 8
_HIGHEST = 0.25  # per pixel: where steps of a pixel are told apart

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Edges:
    """What became of strong edges.

    Attributes:
        blur: standard deviation in pixels of the Gaussian that would do to them what was done; below 0: sharpened.
        displacement: by how many pixels the slice that is worst was shifted against the scan.
        sure: what that is at least, with 95 % confidence.
        slice: its number, from 0.
    """

    blur: float = nan
    displacement: float = nan
    sure: float = nan
    slice: int = -1


def strong_edges(before: Image, after: Image) -> Edges:
    """Compare the strong edges of a scan and of its result.

    In blocks of 32 x 32 pixels, with A the mean of the slices above and below, which shares edges with a slice but no noise:
    H(f) = sum Re(Z A*) / sum Re(Y A*) over the blocks where Y A* is 20 times what was removed. A Gaussian of s pixels makes
    H = exp(-2 pi^2 s^2 f^2); s is the median over rings of frequencies. The shift follows from the phase of Z Y*, which noise
    does not turn, by least squares; its error from groups of blocks.
    """
    slices = before.shape[0]
    if min(before.shape[1:]) < SIDE:
        return Edges()
    worst, rings = Edges(), []
    inner = set(spread(slices, _MOST_SLICES, margin=1)) if slices >= 3 else set()
    for z in range(slices):
        chosen = blocks_in_body(before, z)
        if not chosen.any():
            continue
        here, result = (waves_of(image.voxels[z], chosen) for image in (before, after))
        found = _shift(here, result)
        if np.isfinite(found).all() and not found[1] <= worst.sure:
            worst = Edges(nan, float(found[0]), float(found[1]), z)
        if z in inner:
            around = waves_of((before.voxels[z - 1] + before.voxels[z + 1]) / 2, chosen)
            products = ((here * around.conj()).real, (result * around.conj()).real, np.abs(here - result) ** 2)
            rings.append(np.stack([by_ring(product) for product in products]))
    return Edges(_blur(np.concatenate(rings, axis=1)) if rings else nan, worst.displacement, worst.sure, worst.slice)


def _blur(sums: Array) -> float:
    """Width in pixels, from sums of Y A*, Z A* and |Y - Z|^2 (3, blocks, rings)."""
    widths = []
    for ring in range(_LOWEST, RINGS + 1):
        with_edges, left, removed = sums[:, :, ring - 1]
        strong = with_edges > _STRONG * np.median(removed)
        if strong.sum() < _FEWEST:
            continue
        kept = max(left[strong].sum() / with_edges[strong].sum(), 1e-3)
        widths.append(-np.log(kept) / (2 * np.pi**2 * (ring * STEP / SIDE) ** 2))
    if not widths:
        return nan
    square = float(np.median(widths))
    return float(np.copysign(np.sqrt(abs(square)), square))


def _shift(here: Waves, result: Waves) -> tuple[float, float]:
    """Shift of a slice in pixels, and what it is at least."""
    product = result * here.conj()
    groups = [part.sum(axis=0) for part in np.array_split(product, min(_GROUPS, len(product)))]
    total = np.sum(groups, axis=0)
    found = _from_phase(total)
    if len(groups) < 2:
        return nan, nan
    apart = np.array([_from_phase(total - group) for group in groups])
    error = np.sqrt((len(groups) - 1) * apart.var(axis=0).sum())
    size = float(np.hypot(*found))
    return size, max(0.0, size - 1.645 * float(error))


def _from_phase(product: NDArray[np.complexfloating]) -> Array:
    down, right = np.broadcast_arrays(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    weight = np.abs(product) * ((FREQUENCY > 0) & (FREQUENCY < _HIGHEST))
    steps = np.stack([down.ravel(), right.ravel()], axis=1)
    left = steps.T @ (steps * weight.reshape(-1, 1))
    if not np.linalg.det(left) > 0:
        return np.zeros(2)
    phase = np.angle(product).ravel() * weight.ravel()
    return np.asarray(-np.linalg.solve(left, steps.T @ phase) / (2 * np.pi))
