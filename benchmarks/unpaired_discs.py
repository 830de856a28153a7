"""How much of a disc's contrast is left, by its size and contrast: each scan is denoised with and without discs in it.

The noise is the same in both, so the difference of the results is what became of the discs; its contrast
(`quality.objects.contrast`)
is divided by that of the discs themselves. No flat place is needed, and hardly any noise is left in the figure.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.cases import Case
from demottle.image import Image
from demottle.physics.phantoms.inserts import Insert, add_inserts
from demottle.quality.objects.contrast import Disc, disc_contrast

RADII_PX = (5, 10, 20)
CONTRASTS_HU = (-40, 20, -10, 40, -20, 10)
_PER_SLICE = ((20, 5), (10, 10, 5, 5))  # radii in even and in odd slices
_TRIES = 400
_BLUR_MM = 0.7


@dataclass(frozen=True)
class Placed:
    """A disc in one slice; places and radius in pixels."""

    index: int
    row: int
    column: int
    radius: int
    contrast: float


def placed_discs(case: Case, seed: int = 0) -> list[Placed]:
    """Put discs of all sizes and contrasts into soft tissue, none in the surroundings of another."""
    random = np.random.default_rng([seed, 5])
    turns = {radius: int(random.integers(len(CONTRASTS_HU))) for radius in RADII_PX}
    found: list[Placed] = []
    for index, plane in enumerate(case.truth.voxels):
        soft = (plane > -150) & (plane < 200) & case.body[index]
        here: list[Placed] = []
        for radius in _PER_SLICE[index % 2]:
            place = _place(soft, radius, here, random)
            if place is not None:
                contrast = CONTRASTS_HU[turns[radius] % len(CONTRASTS_HU)]
                here.append(Placed(index, *place, radius, contrast))
                turns[radius] += 1
        found += here
    return found


def _place(soft: np.ndarray, radius: int, others: list[Placed], random: np.random.Generator) -> tuple[int, int] | None:
    """A disc nine tenths of which lie in soft tissue."""
    reach = int(np.ceil(2.2 * radius)) + 1
    if min(soft.shape) <= 2 * reach:
        return None
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc = np.hypot(y, x) <= radius
    for _ in range(_TRIES):
        row, column = (int(random.integers(reach, side - reach)) for side in soft.shape)
        if any(
            np.hypot(row - o.row, column - o.column) < max(2.2 * radius + o.radius, 2.2 * o.radius + radius)
            for o in others
        ):
            continue
        if soft[row - radius : row + radius + 1, column - radius : column + radius + 1][disc].mean() >= 0.9:
            return row, column
    return None


def disc_figures(case: Case, denoise: Callable[[Image], Image], without: Image, seed: int = 0) -> list[list[float]]:
    """Return radius (pixels), contrast (HU) and share of the contrast that is left, of each disc.

    `without` is what `denoise` makes of the scan as it is.
    """
    discs = placed_discs(case, seed)
    step = case.truth.spacing[1]
    inserts = [
        Insert((d.index, d.row, d.column), d.radius * step, d.contrast, height_mm=case.truth.spacing[0]) for d in discs
    ]
    added = add_inserts(case.truth, inserts, _BLUR_MM).voxels - case.truth.voxels
    left = denoise(case.noisy.with_voxels(case.noisy.voxels + added)).voxels - without.voxels
    figures = []
    for d in discs:
        at = Disc(d.row, d.column, d.radius, d.contrast)
        share = disc_contrast(left[d.index], at) / disc_contrast(added[d.index], at)
        figures.append([d.radius, d.contrast, round(share, 4)])
    return figures
