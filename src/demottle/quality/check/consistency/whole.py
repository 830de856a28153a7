"""Whether scan and result belong together, in four figures."""

from dataclasses import dataclass
from math import nan

from demottle.image import Image
from demottle.quality.check.consistency.edges import strong_edges
from demottle.quality.check.consistency.grain import added_grain
from demottle.quality.check.consistency.order import misplaced


@dataclass(frozen=True)
class Consistency:
    """Figures of CT that noise cannot change, however strong a method is.

    Attributes:
        added_grain: power of grain in the result that was not in the scan, over that of what was removed (`added_grain`).
        blur: width in pixels of the Gaussian that strong edges went through; below 0: sharpened.
        displacement: shift in pixels of the slice that is worst.
        displacement_sure: what that is at least, with 95 % confidence.
        displaced_slice: its number, from 0; -1 where none was measured.
        misplaced: slices (from 0) that hold the grain of another slice of the scan, and which; None where it was not looked for.
    """

    added_grain: float = nan
    blur: float = nan
    displacement: float = nan
    displacement_sure: float = nan
    displaced_slice: int = -1
    misplaced: tuple[tuple[int, int], ...] | None = None

    @property
    def misplaced_slices(self) -> float:
        """How many slices are not in their place; NaN where it was not looked for."""
        return nan if self.misplaced is None else float(len(self.misplaced))


UNTOLD = Consistency()
"""Where nothing was measured."""


def consistency(before: Image, after: Image) -> Consistency:
    """Measure whether a result belongs to its scan; without HU and of frames nothing is measured."""
    if before.unit != "HU" or before.sequence:
        return Consistency()
    edges = strong_edges(before, after)
    order = misplaced(before, after) if before.shape[0] > 1 else None
    return Consistency(added_grain(before, after), edges.blur, edges.displacement, edges.sure, edges.slice, order)
