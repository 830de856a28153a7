"""Contrast of groups of bars, by line pairs per cm.

Modulation of a group: (mean of bars - mean of gaps) / (2 (mean of all - surroundings)), 1 where bars and gaps are as sharp as
they are, of the slice that shows the bars most strongly; bars and gaps are read over the middle half of their width. It falls
with frequency as the contrast transfer of square waves does (Coltman, J. Opt. Soc. Am. 44 (1954)), and so it is at 0.5 where
the MTF is at 0.44.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import nan

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Bars, Module
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.phantoms.found import Found, heights
from demottle.quality.phantoms.strip import Strip

Array = NDArray[np.float64]
_POINTS = 8  # samples per bar
_LONG = 0.6  # of a bar's length that is averaged
_ROWS = 9
_LEAST_HU = 30.0


@dataclass(frozen=True, eq=False)
class Group:
    """Modulation of one group: 1 is sharp, 0 gray; NaN where the group was not found."""

    per_cm: float
    modulation: float


def measure_line_pairs(image: Image, found: Found) -> tuple[list[Group], str]:
    """Measure the groups of bars; or none, and a sentence that says why not."""
    module = next((m for m in found.layout.of("line pairs") if m.bars), None)
    if module is None:
        return [], ""
    groups = [Group(bars.per_cm, _modulation(image, found.pose, module, bars)) for bars in module.bars]
    if all(np.isnan(group.modulation) for group in groups):
        return [], f"No line pairs: the bars of {module.name} are not in the scan."
    return groups, ""


def level_at(groups: list[Group], level: float) -> float:
    """Line pairs per cm at which the modulation falls to a level; NaN where it does not, or a group before it is missing."""
    for one, other in pairwise(groups):
        if np.isnan(one.modulation + other.modulation):
            return nan
        if one.modulation >= level > other.modulation:
            share = (one.modulation - level) / (one.modulation - other.modulation)
            return one.per_cm + share * (other.per_cm - one.per_cm)
    return nan


def _modulation(image: Image, pose: Pose, module: Module, bars: Bars) -> float:
    place = bars.ring * float(np.cos(np.radians(bars.angle))), bars.ring * float(np.sin(np.radians(bars.angle)))
    z = heights(image)
    thick = max(image.slice_thickness or 0.0, image.spacing[0])
    reach = bars.depth / 2 + thick + 2.0
    best, value = _LEAST_HU, nan
    for index in np.flatnonzero(np.abs(pose.along(place, z) - module.middle) <= reach):
        periods = _periods(image, pose, bars, int(index))
        mean = float(periods.mean()) - _resin(image, pose, bars, int(index))
        if mean > best:  # never true of NaN, outside of the slice
            best, value = mean, _contrast(periods) / (2 * mean)
    return value


def _contrast(periods: Array) -> float:
    """Mean of bars less mean of gaps, each over the middle half of its width."""
    phase = (np.arange(len(periods)) % (2 * _POINTS) + 0.5) / (2 * _POINTS)
    bar, gap = (phase < 0.125) | (phase > 0.875), np.abs(phase - 0.5) < 0.125
    return float(periods[bar].mean() - periods[gap].mean())


def _periods(image: Image, pose: Pose, bars: Bars, index: int) -> Array:
    """Mean over most of the bars' length, from the middle of the first bar to that of the last, `_POINTS` samples per bar."""
    count = 2 * (bars.count - 1) * _POINTS
    s = (np.arange(count) - (count - 1) / 2) * bars.width / _POINTS
    q = np.linspace(-0.5, 0.5, _ROWS) * _LONG * bars.long
    result: Array = Strip(bars.angle, bars.ring, s, q).read(image, pose, index, order=3).mean(axis=0)
    return result


def _resin(image: Image, pose: Pose, bars: Bars, index: int) -> float:
    """CT number of what the bars are embedded in: nearer to the axis, where none are."""
    s = np.linspace(-0.5, 0.5, 2 * _ROWS) * bars.count * 2 * bars.width
    q = np.linspace(-0.5, 0.5, _ROWS) * _LONG * bars.long
    return float(np.median(Strip(bars.angle, bars.ring - 2 * bars.long, s, q).read(image, pose, index)))
