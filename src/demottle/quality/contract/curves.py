"""What is kept at which strength, all from one denoised image: `scan + strength (denoised - scan)`.

Sharpness is that of discs put into the scan (`inserted`); noise is of the same flat places as in the check, where the variance of
a blend follows from those of the scan, the result and their difference; shifts of means are in proportion to the strength.
Intervals of 95 % come from drawing places again (discs; blocks of 24 mm in a slice), seeded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from demottle.quality.check.level import FlatNoise
from demottle.quality.check.shifts import TissueShift
from demottle.quality.contract.inserted import Edges

Array = NDArray[np.float64]

DRAWS = 400
_MOST_DRAWN = 8_000
_ENDS = (2.5, 97.5)
GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Measured:
    """A value with the ends of its 95 % interval; NaN where there is none."""

    value: float
    low: float
    high: float


class Curves:
    """What was measured of one method on one scan."""

    def __init__(self, edges: Sequence[Edges], noise: FlatNoise, shifts: Sequence[TissueShift], seed: int) -> None:
        """Draw the places again, the same draws for every strength."""
        self.edges, self.flat = tuple(edges), noise
        self.shifts = tuple(shift for shift in shifts if shift.name != "air")  # the air around has a limit of its own
        rng = np.random.default_rng([seed, 50])
        self._weights = [_drawn_places(len(one.left), rng) for one in edges]
        self._blocks = _drawn_blocks(noise.block, rng)

    def sharpness(self, edges: int, strength: float) -> tuple[Measured, Measured, Measured]:
        """Return the shares of f50, f10 and contrast that edges of one contrast (by number) keep."""
        all_of_them, *drawn = self.edges[edges].shares(strength, self._weights[edges])
        ends = np.percentile(drawn, _ENDS, axis=0)
        f50, f10, contrast = (
            Measured(value, float(low), float(high)) for value, low, high in zip(all_of_them, *ends, strict=True)
        )
        return f50, f10, contrast

    def noise(self, strength: float) -> Measured:
        """Return the change of the noise: -0.45: 45 % less."""
        before = self.flat.before
        after = self.flat.blended(strength)
        drawn = [np.median(after[chosen]) / np.median(before[chosen]) - 1 for chosen in self._blocks]
        low, high = np.percentile(drawn, _ENDS) if drawn else (np.nan, np.nan)
        return Measured(self.noise_change(strength), float(low), float(high))

    def noise_change(self, strength: float) -> float:
        """Return the change of the noise without its interval; NaN without flat tissue."""
        before = self.flat.before
        return float(np.median(self.flat.blended(strength)) / np.median(before) - 1) if before.size else float("nan")

    def worst_shift(self, strength: float) -> tuple[TissueShift, float] | None:
        """Return the tissue whose 95 % interval reaches farthest, and how far in HU; None where no tissue was measured."""
        reaches = [(farthest(shift) * strength, shift) for shift in self.shifts]
        if not reaches:
            return None
        reach, shift = max(reaches, key=lambda pair: pair[0])
        return shift, reach


def within(shift: TissueShift) -> Measured:
    """Return the shift of a mean with its 95 % interval, from the 90 % that the check tells."""
    degrees = max(shift.blocks - 1, 1)
    wider = special.stdtrit(degrees, 0.975) / special.stdtrit(degrees, 0.95)
    return Measured(
        shift.shift,
        shift.shift - wider * (shift.shift - shift.ci_low),
        shift.shift + wider * (shift.ci_high - shift.shift),
    )


def farthest(shift: TissueShift) -> float:
    """Return how far from 0 the 95 % interval of a shift reaches, in HU."""
    found = within(shift)
    return max(abs(found.low), abs(found.high))


def _drawn_places(count: int, rng: np.random.Generator) -> Array:
    """Weights of places: first of all of them alike, then of those drawn again."""
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return np.concatenate([np.ones((1, count)), drawn]) / count


def _drawn_blocks(block: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Indices of the voxels of blocks drawn again; none where there are fewer than two blocks."""
    order = np.argsort(block, kind="stable")
    order = order[:: max(1, len(order) // _MOST_DRAWN)]  # windows overlap: a part of them says as much
    names, first = np.unique(block[order], return_index=True)
    if len(names) < 2:
        return []
    parts = np.split(order, first[1:])
    return [np.concatenate([parts[i] for i in rng.integers(len(parts), size=len(parts))]) for _ in range(DRAWS)]
