"""Images of QA phantoms in any pose: sampled at the middle of each pixel, blurred by a Gaussian, slices of any thickness.

A cut through a tilted rod is an ellipse, longer than the rod is wide by 1 / cos(tilt): by 0.4 % at 5 degrees. It is drawn as a
circle of the same area. Everything else is exact: profiles of blurred discs (a noncentral chi-square distribution), blurred lines
and bars (error functions), partial volume at the ends of rods and modules. There is no averaging over a pixel, so that the MTF of
the image is that of the blur alone, `exp(-2 (pi blur f)^2)`.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr, ndtr

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Bars, Layout, Module, Ramp, Rod
from demottle.physics.phantoms.qa.pose import Pose

Array = NDArray[np.float64]
AIR = -1000.0
LEAST_BLUR = 0.6
"""Pixels: below it, samples without averaging show jagged edges."""
_REACH = 6.0  # standard deviations that a blurred edge reaches
_STRAIGHT = 400.0  # radius in blurs: the edge of a disc then differs from a straight one by 0.0005
_DRIFT = 0.2  # pixels that a tilted rod may move between the heights whose mean is a slice


@dataclass(frozen=True)
class Canvas:
    """What a stack is painted on: slices, rows and columns, their spacing, thickness of the slices and blur in mm."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    thickness: float
    blur: float

    def __post_init__(self) -> None:
        """Refuse what cannot be painted."""
        if min(self.shape) < 1 or min(self.spacing) <= 0 or self.thickness <= 0:
            raise InputError(f"A stack of shape {self.shape} with spacing {self.spacing} mm cannot be painted.")
        if self.blur < LEAST_BLUR * max(self.spacing[1:]):
            raise InputError(
                f"A blur of {self.blur:g} mm is too little for pixels of {max(self.spacing[1:]):g} mm; it has to be at least "
                f"{LEAST_BLUR:g} pixels."
            )


def paint(layout: Layout, pose: Pose, canvas: Canvas, listener: Listener = silent) -> Image:
    """Paint a phantom; a CT image in HU, without noise.

    Raises:
        InputError: for a canvas that cannot be painted on.
    """
    slices, rows, columns = canvas.shape
    x = np.arange(columns, dtype=np.float64)[None] * canvas.spacing[2]
    y = np.arange(rows, dtype=np.float64)[:, None] * canvas.spacing[1]
    drift = canvas.thickness * np.tan(np.radians(pose.lean)) / max(canvas.spacing[1:])
    parts = max(1, int(np.ceil(drift / _DRIFT)))
    voxels = np.empty(canvas.shape, np.float32)
    for index in range(slices):
        z = index * canvas.spacing[0]
        plane = np.zeros((rows, columns))
        for part in range(parts):
            height = z + ((part + 0.5) / parts - 0.5) * canvas.thickness
            plane += _cut(layout, pose, canvas, (x, y, height), canvas.thickness / parts) / parts
        for module in layout.modules:
            for ramp in module.ramps:
                _draw_wire(plane, module, ramp, pose, canvas, z)
        voxels[index] = plane
        listener(Progress(Stage.PHANTOM, index + 1, slices))
    return Image(voxels, canvas.spacing, "CT", "HU", slice_thickness=canvas.thickness)


def _cut(layout: Layout, pose: Pose, canvas: Canvas, at: tuple[Array, Array, float], thick: float) -> Array:
    """One height of the body and its rods and bars, `thick` mm thick."""
    x, y, z = at
    depth = pose.depth(x, y, z)
    resin = _resin(layout, depth, thick)
    start, slope = pose.line((0.0, 0.0))
    plane = np.full(resin.shape, AIR)
    middle = start + slope * z
    inside = _disc(np.hypot(x - middle[0], y - middle[1]), _area_radius(layout.diameter / 2, pose), canvas.blur)
    plane += inside * (resin - AIR)
    for module in layout.modules:
        for rod in module.rods:
            share = _share(module, pose, rod.place, z, thick)
            if share > 0:
                _draw_rod(plane, rod, (rod.hu - module.hu) * share, pose, canvas, z)
        for bars in module.bars:
            _draw_bars(plane, module, bars, pose, canvas, (z, thick))
    return plane


def _resin(layout: Layout, depth: Array, thick: float) -> Array:
    """CT number of the body at places along the axis: of the module that is nearest, air beyond the phantom."""
    modules = sorted(layout.modules, key=lambda module: module.middle)
    value = np.full(depth.shape, modules[0].hu)
    for below, above in pairwise(modules):
        border = (below.ends[1] + above.ends[0]) / 2
        value += (above.hu - below.hu) * np.clip((depth - border) / thick + 0.5, 0, 1)
    low, high = layout.ends
    there = np.clip((depth - low) / thick + 0.5, 0, 1) * np.clip((high - depth) / thick + 0.5, 0, 1)
    result: Array = AIR + there * (value - AIR)
    return result


def _share(module: Module, pose: Pose, place: tuple[float, float], z: float, thick: float) -> float:
    """Part of a height that a rod through a module fills."""
    first, last = sorted(float(w) for w in pose.along(place, np.array([z - thick / 2, z + thick / 2])))
    low, high = module.ends
    return float(max(0.0, min(last, high) - max(first, low)) / max(last - first, 1e-9))


def _draw_rod(plane: Array, rod: Rod, contrast: float, pose: Pose, canvas: Canvas, z: float) -> None:
    start, slope = pose.line(rod.place)
    middle, radius = start + slope * z, _area_radius(rod.diameter / 2, pose)
    box, x, y = _box(middle, radius + _REACH * canvas.blur, canvas)
    if x.size and y.size:
        plane[box] += contrast * _disc(np.hypot(x - middle[0], y - middle[1]), radius, canvas.blur)


def _draw_wire(plane: Array, module: Module, ramp: Ramp, pose: Pose, canvas: Canvas, z: float) -> None:
    """The piece of a rising wire that a slice holds: a blurred line."""
    start, slope = pose.oblique(*ramp_line(module, ramp))
    reach = ramp.length / 2 * np.tan(np.radians(ramp.rise))
    axis = pose.matrix[2, 2]
    ends = np.sort(pose.origin[2] + axis * (module.middle + np.array([-reach, reach])))
    low, high = max(z - canvas.thickness / 2, ends[0]), min(z + canvas.thickness / 2, ends[1])
    if low >= high:
        return
    middle, half = start + slope * (low + high) / 2, slope * (high - low) / 2
    length = float(np.hypot(*half))
    box, x, y = _box(middle, length + _REACH * canvas.blur, canvas)
    if not (x.size and y.size):
        return
    along = ((x - middle[0]) * half[0] + (y - middle[1]) * half[1]) / length
    across = ((x - middle[0]) * half[1] - (y - middle[1]) * half[0]) / length
    mass = ramp.strength * np.sqrt(1 + slope @ slope) * (high - low) / canvas.thickness
    density = mass / (2 * length) * (ndtr((along + length) / canvas.blur) - ndtr((along - length) / canvas.blur))
    plane[box] += density * np.exp(-((across / canvas.blur) ** 2) / 2) / (np.sqrt(2 * np.pi) * canvas.blur)


def ramp_line(module: Module, ramp: Ramp) -> tuple[tuple[float, float], Array]:
    """Where a wire crosses the plane w = 0, and its direction (u, v, w)."""
    angle, cot = np.radians(ramp.angle), 1 / np.tan(np.radians(ramp.rise))
    tangent = ramp.turn * cot * np.array([-np.sin(angle), np.cos(angle)])
    place = ramp.ring * np.array([np.cos(angle), np.sin(angle)]) - tangent * module.middle
    return (float(place[0]), float(place[1])), np.array([*tangent, 1.0])


def bar_places(bars: Bars) -> list[tuple[float, float]]:
    """Middle (u, v) of each bar of a group; the bars are parallel."""
    angle = np.radians(bars.angle)
    offsets = (np.arange(bars.count) - (bars.count - 1) / 2) * 2 * bars.width
    u = bars.ring * np.cos(angle) - offsets * np.sin(angle)
    v = bars.ring * np.sin(angle) + offsets * np.cos(angle)
    return [(float(a), float(b)) for a, b in zip(u, v, strict=True)]


def _draw_bars(plane: Array, module: Module, bars: Bars, pose: Pose, canvas: Canvas, at: tuple[float, float]) -> None:
    z, thick = at
    matrix, angle = pose.matrix, np.radians(bars.angle)
    outward = matrix[:2, :2] @ np.array([np.cos(angle), np.sin(angle)])
    outward /= np.hypot(*outward)
    for place in bar_places(bars):
        first, last = sorted(float(w) for w in pose.along(place, np.array([z - thick / 2, z + thick / 2])))
        low, high = module.middle - bars.depth / 2, module.middle + bars.depth / 2
        share = max(0.0, min(last, high) - max(first, low)) / max(last - first, 1e-9)
        if share == 0:
            continue
        start, slope = pose.line(place)
        middle = start + slope * z
        box, x, y = _box(middle, bars.long + _REACH * canvas.blur, canvas)
        if not (x.size and y.size):
            continue
        radial = (x - middle[0]) * outward[0] + (y - middle[1]) * outward[1]
        tangential = (x - middle[0]) * outward[1] - (y - middle[1]) * outward[0]
        shape = _slab(radial, bars.long, canvas.blur) * _slab(tangential, bars.width, canvas.blur)
        plane[box] += share * (bars.hu - module.hu) * shape


def _slab(distance: Array, width: float, blur: float) -> Array:
    result: Array = ndtr((distance + width / 2) / blur) - ndtr((distance - width / 2) / blur)
    return result


def _area_radius(radius: float, pose: Pose) -> float:
    return radius / float(np.sqrt(np.cos(np.radians(pose.lean))))


def _box(middle: Array, reach: float, canvas: Canvas) -> tuple[tuple[slice, slice], Array, Array]:
    """The pixels within `reach` mm of a place, and their x and y in mm."""
    _, rows, columns = canvas.shape
    _, row, column = canvas.spacing
    top, bottom = int(max((middle[1] - reach) / row, 0)), int(min((middle[1] + reach) / row + 2, rows))
    left, right = int(max((middle[0] - reach) / column, 0)), int(min((middle[0] + reach) / column + 2, columns))
    y = np.arange(top, max(bottom, top), dtype=np.float64) * row
    x = np.arange(left, max(right, left), dtype=np.float64) * column
    return (slice(top, max(bottom, top)), slice(left, max(right, left))), x[None], y[:, None]


def _disc(distance: Array, radius: float, blur: float) -> Array:
    """Value of a blurred disc at distances from its middle: P(chi'^2_2(r^2 / s^2) < R^2 / s^2)."""
    away, value = _profile(round(radius, 6), blur)
    result: Array = np.interp(distance, away, value)
    return result


@lru_cache(maxsize=256)
def _profile(radius: float, blur: float) -> tuple[Array, Array]:
    low, high = max(0.0, radius - _REACH * blur), radius + _REACH * blur
    away = np.linspace(low, high, 600)
    if radius > _STRAIGHT * blur:  # beyond what the distribution can be computed for; the edge is all but straight
        return away, ndtr((radius - away) / blur)
    return away, chndtr((radius / blur) ** 2, 2, (away / blur) ** 2)
