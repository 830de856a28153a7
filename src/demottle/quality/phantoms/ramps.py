"""Slice thickness from wires that rise at a known angle: the wire's image is as long as the slice is thick, stretched.

A wire at 23 degrees shows a slice of T mm as a line of T / tan 23 mm; its profile is that of the slice's sensitivity, and its
full width at half maximum, shrunk again, the thickness. Profiles of all slices that the wire crosses are laid over each other,
each moved back by what the wire moves between slices, so that the profile is sampled finer than pixels and noise averages. How a
tilt changes the stretch is known from the pose, and which way the wire rises from the profiles, which match in one of both only.
(The Phantom Laboratory, Catphan manuals, "Scan slice geometry".) The blur within the slice widens the line, of thin slices most
(0.625 mm would read 0.85 at a blur of 0.6 mm); it is known from the edges of rods, and taken out as if the profile were a box;
of 0.625 mm up to 12 % stay.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Module, Ramp
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.phantoms.found import Found, heights
from demottle.quality.phantoms.strip import Strip

Array = NDArray[np.float64]
_ALONG_MM, _STEP_MM = 45.0, 0.25
_WIRE_MM, _BESIDE_MM = 2.5, 6.0
_BIN_MM = 0.5
_LEAST_PEAK = 6.0  # of the profile over its noise
_LEAST_BOX = 1.0  # width in blurs: of a thinner one 92 % of the width are blur
_EXACT = 1e-9
_WIDEST = 0.9  # of the profile's length: what is wider is no wire


@dataclass(frozen=True, eq=False)
class RampMeasured:
    """A ramp.

    Attributes:
        name: which.
        thickness: full width at half maximum of the slice's profile in mm.
        position: places along the slice's normal in mm, 0 in its middle.
        profile: slice sensitivity there, 1 at its peak.
        slices: how many were laid over each other.
    """

    name: str
    thickness: float
    position: Array
    profile: Array
    slices: int


def measure_ramps(image: Image, found: Found, blur: float = nan) -> tuple[list[RampMeasured], list[str]]:
    """Measure the wire ramps.

    Args:
        image: the scan.
        found: the phantom in it.
        blur: standard deviation of the blur within the slice in mm; NaN: not known, and none is taken out.

    Returns:
        What was measured, and for each ramp that could not be one sentence that says why.
    """
    made, refused = [], []
    for module in found.layout.modules:
        for ramp in module.ramps:
            measured = _measure(image, found.pose, module, ramp, blur)
            if isinstance(measured, str):
                refused.append(f"{ramp.name}: {measured}")
            else:
                made.append(measured)
    if not made and not refused:
        refused.append(f"any ramp: the {found.layout.title} has no wire ramps whose place is known.")
    return made, refused


def _measure(image: Image, pose: Pose, module: Module, ramp: Ramp, blur: float) -> RampMeasured | str:
    z = heights(image)
    place = ramp.ring * np.cos(np.radians(ramp.angle)), ramp.ring * np.sin(np.radians(ramp.angle))
    depth = pose.along((float(place[0]), float(place[1])), z) - module.middle
    reach = (_ALONG_MM - 12.0) * np.tan(np.radians(ramp.rise))
    chosen = [int(index) for index in np.flatnonzero(np.abs(depth) <= min(reach, module.height / 2))]
    if not chosen:
        return "the module with the ramps is not in the scan."
    s = np.arange(-_ALONG_MM, _ALONG_MM + _STEP_MM / 2, _STEP_MM)
    profiles = np.array([_profile(image, pose, ramp, index, s) for index in chosen])
    if not np.isfinite(profiles).all():
        return "it leaves the slices."
    both = [_pooled(s, profiles, z[chosen], stretch) for stretch in _stretches(pose, ramp)]
    (away, pooled), stretch = max(
        zip(both, _stretches(pose, ramp), strict=True), key=lambda one: float(one[0][1].max())
    )
    width = _full_width(away, pooled)
    if width is None or width > _WIDEST * np.ptp(away):
        return "no wire stands out of the noise there; average more scans or use a higher dose."
    width = _without_blur(width, _all_blur(blur, image.spacing[1]))
    if width is None:
        return "the slices are too thin to be told from the blur within them."
    top = float(pooled.max())
    return RampMeasured(ramp.name, width / abs(stretch), away / abs(stretch), pooled / top, len(chosen))


def _stretches(pose: Pose, ramp: Ramp) -> tuple[float, float]:
    """Mm along the wire's image for each mm along the slices, if it rises clockwise and if it rises the other way."""
    angle, cot = np.radians(ramp.angle), 1 / np.tan(np.radians(ramp.rise))
    row = pose.matrix[2]
    lean = -row[0] * np.sin(angle) + row[1] * np.cos(angle)
    first, second = (turn * cot / (row[2] + turn * cot * lean) for turn in (1, -1))
    return float(first), float(second)


def _profile(image: Image, pose: Pose, ramp: Ramp, index: int, s: Array) -> Array:
    """Line integral across the wire along its tangent, less what lies beside it, in HU mm."""
    q = np.arange(-_BESIDE_MM, _BESIDE_MM + _STEP_MM / 2, _STEP_MM)
    values = Strip(ramp.angle, ramp.ring, s, q).read(image, pose, index)
    wire = np.abs(q) <= _WIRE_MM
    result: Array = (values[wire].mean(axis=0) - values[~wire].mean(axis=0)) * (2 * _WIRE_MM)
    return result


def _pooled(s: Array, profiles: Array, z: Array, stretch: float) -> tuple[Array, Array]:
    """Mean profile by distance from where the wire lies in each slice; the middle is where it is highest."""
    away = s[None] - stretch * (z - z.mean())[:, None]
    edges = np.arange(s[0], s[-1] + _BIN_MM, _BIN_MM)
    inside = (away >= edges[0]) & (away < edges[-1])
    index = np.digitize(away[inside], edges) - 1
    count = np.bincount(index, minlength=len(edges) - 1)
    total = np.bincount(index, profiles[inside], minlength=len(edges) - 1)
    known = count >= max(1, 0.5 * np.median(count))
    middles = (edges[:-1] + edges[1:]) / 2
    mean: Array = total[known] / count[known]
    return middles[known], mean - np.median(mean)


def _full_width(position: Array, profile: Array) -> float | None:
    """Full width at half of the highest part; None where nothing stands out of the noise.

    Half is taken of the mean of what lies above 0.8 of the peak, so that noise on a plateau does not raise it.
    """
    smooth = np.convolve(profile, [0.25, 0.5, 0.25], mode="same")
    peak = int(np.argmax(smooth))
    noise = 1.4826 * float(np.median(np.abs(profile - np.median(profile))))
    if not smooth[peak] > _LEAST_PEAK * noise:
        return None
    top = float(smooth[peak])
    half = float(profile[_run(smooth, peak, 0.8 * top)].mean()) / 2
    run = _run(smooth, peak, half)
    first, last = run.start, run.stop - 1
    if first == 0 or last == len(smooth) - 1:
        return None
    left = np.interp(half, smooth[[first - 1, first]], position[[first - 1, first]])
    right = np.interp(half, smooth[[last + 1, last]], position[[last + 1, last]])
    return float(right - left)


def _all_blur(blur: float, pixel: float) -> float:
    """Standard deviation of the blur and of what reading adds: straight lines between pixels, bins, and their smoothing."""
    return float(np.sqrt(blur**2 + pixel**2 / 6 + _BIN_MM**2 / 12 + _BIN_MM**2 / 2))


def _without_blur(width: float, blur: float) -> float | None:
    """Width of the box whose blurred image has this full width at half maximum; None where blur alone makes as much of it."""
    if not blur > 0:
        return width

    def too_wide(box: float) -> float:
        """How much of the peak is left at half the width, less one half."""
        at = (width + np.array([box, -box])) / (2 * blur)
        peak = 2 * ndtr(box / (2 * blur)) - 1
        return float((ndtr(at[0]) - ndtr(at[1])) / peak - 0.5)

    least = _LEAST_BOX * blur
    if too_wide(width) < _EXACT:  # wide against the blur, which then leaves the half maximum where it is
        return width
    return float(brentq(too_wide, least, width)) if too_wide(least) < 0 else None


def _run(values: Array, peak: int, level: float) -> slice:
    """Indices around a peak that lie above a level."""
    first = last = peak
    while first > 0 and values[first - 1] >= level:
        first -= 1
    while last + 1 < len(values) and values[last + 1] >= level:
        last += 1
    return slice(first, last + 1)
