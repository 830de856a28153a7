"""Every figure that is told of a phantom, in one list: terminal, page, CSV, JSON and history read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np

from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Layout
from demottle.quality.phantoms.line_pairs import level_at
from demottle.quality.phantoms.measured import Examined, Measured
from demottle.quality.phantoms.rods import frequency_or_nan

_UNIFORM_HU = 5.0  # ACR CT quality control manual (2017): every edge within 5 HU of the middle


@dataclass(frozen=True)
class Figure:
    """One figure of a phantom.

    Attributes:
        group: what it is a figure of: "CT number", "uniformity", "noise", "sharpness", "low contrast", "slice thickness",
            "line pairs", "position".
        name: within the group.
        unit: empty for none.
        digits: decimals that mean something.
        before, after: in the scan and in what was made of it; NaN: not measured.
        low, high: range that is stated for it; NaN: none is.
        error: standard error of `before`; NaN: not known.
    """

    group: str
    name: str
    unit: str
    digits: int
    before: float
    after: float = nan
    low: float = nan
    high: float = nan
    error: float = nan

    def within(self, value: float) -> bool | None:
        """True where a value lies in the stated range; None where none is stated or the value is not known."""
        if not isfinite(value) or not (isfinite(self.low) or isfinite(self.high)):
            return None
        return not (value < self.low or value > self.high)


@dataclass(frozen=True)
class _Told:
    """A figure of one image."""

    group: str
    name: str
    unit: str
    digits: int
    value: float
    low: float = nan
    high: float = nan
    error: float = nan


def figures_of(examined: Examined, image: Image) -> list[Figure]:
    """Return all figures, in the order in which they are told. `image`: the scan, for its nominal slice thickness."""
    layout = examined.found.layout
    first = list(_told(examined.before, layout, image))
    after = {} if examined.after is None else {(t.group, t.name): t.value for t in _told(examined.after, layout, image)}
    figures = [
        Figure(t.group, t.name, t.unit, t.digits, t.value, after.get((t.group, t.name), nan), t.low, t.high, t.error)
        for t in first
    ]
    known = {(t.group, t.name) for t in first}
    if examined.after is not None:  # what noise hid before, and a denoiser brought out
        figures += [
            Figure(t.group, t.name, t.unit, t.digits, nan, t.value, t.low, t.high)
            for t in _told(examined.after, layout, image)
            if (t.group, t.name) not in known
        ]
    return [*figures, *_position(examined)]


def _told(measured: Measured, layout: Layout, image: Image) -> Iterator[_Told]:
    for rod in measured.rods:
        yield _Told("CT number", rod.rod.name, "HU", 1, rod.hu, rod.rod.low, rod.rod.high, rod.error)
    yield from _uniformity(measured, layout)
    yield from _sharpness(measured)
    for target in measured.targets:
        name = target.rod.name
        yield _Told("low contrast", f"contrast of {name}", "HU", 2, target.found, error=target.error)
        yield _Told("low contrast", f"contrast to noise of {name}", "", 2, target.cnr)
        error = target.npwe * target.error / target.found if target.npwe > 0 else nan
        yield _Told("low contrast", f"d' of {name} (NPWE)", "", 2, target.npwe, error=error)
        if target.hotelling is not None:
            yield _Told("low contrast", f"d' of {name} (Hotelling)", "", 2, target.hotelling.dprime)
    yield from _thickness(measured, image)
    for group in measured.line_pairs:
        yield _Told("line pairs", f"modulation at {group.per_cm:g} per cm", "", 2, group.modulation)
    if measured.line_pairs:
        for level in (0.5, 0.1):
            value = level_at(list(measured.line_pairs), level)
            yield _Told("line pairs", f"modulation of {level:.0%} at", "per cm", 2, value)


def _uniformity(measured: Measured, layout: Layout) -> Iterator[_Told]:
    found = measured.uniformity
    if found is None:
        return
    module = next(m for m in layout.modules if m.name == found.module)
    yield _Told("uniformity", "middle", "HU", 1, found.center, module.low, module.high)
    for side, edge in found.edges.items():
        yield _Told("uniformity", f"{side} less middle", "HU", 1, edge - found.center, -_UNIFORM_HU, _UNIFORM_HU)
    yield _Told("noise", "standard deviation", "HU", 2, found.noise)
    if found.nps is not None:
        if np.isfinite(found.nps.peak):  # soft kernels may have none
            yield _Told("noise", "NPS peak", "1/mm", 3, found.nps.peak)
        yield _Told("noise", "NPS mean frequency", "1/mm", 3, found.nps.mean)


def _sharpness(measured: Measured) -> Iterator[_Told]:
    for rod in measured.rods:
        if rod.edge is None:
            continue
        for name in ("f50", "f10"):
            value = frequency_or_nan(float(getattr(rod.edge, name)))
            error = float(getattr(rod.edge, f"{name}_error"))
            yield _Told("sharpness", f"{name} of {rod.rod.name}", "1/mm", 3, value, error=error)


def _thickness(measured: Measured, image: Image) -> Iterator[_Told]:
    if not measured.ramps:
        return
    nominal = image.slice_thickness or nan
    tolerance = 1.0 if nominal > 2 else 0.5 * nominal if nominal >= 1 else 0.5  # IEC 61223-3-5
    for ramp in measured.ramps:
        yield _Told("slice thickness", f"ramp {ramp.name}", "mm", 2, ramp.thickness)
    values = [ramp.thickness for ramp in measured.ramps]
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else nan
    mean = float(np.mean(values))
    yield _Told("slice thickness", "mean of the ramps", "mm", 2, mean, nominal - tolerance, nominal + tolerance, error)


def _position(examined: Examined) -> Iterator[Figure]:
    found = examined.found
    yield Figure("position", "roll", "degrees", 2, found.pose.roll)
    yield Figure("position", "tilt towards columns", "degrees", 2, found.pose.tilt[0])
    yield Figure("position", "tilt towards rows", "degrees", 2, found.pose.tilt[1])
    yield Figure("position", "diameter", "mm", 1, 2 * found.body.radius)
    if isfinite(found.scale):
        yield Figure("position", "measured over nominal distances", "", 4, found.scale)
