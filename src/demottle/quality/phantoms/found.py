"""Find a phantom: which one, and exactly how it lies.

What `recognize` guesses is made exact from the rods: their middles give roll and scale, the heights at which they begin and
end the place along the axis.
"""

from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Layout, Module, Rod
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.phantoms.body import Body, body_of
from demottle.quality.phantoms.recognize import recognize

Array = NDArray[np.float64]
_STRONG_HU = 60.0  # contrast of rods whose middle noise does not move
_CORE = 0.5
_WIDE = 1.5
_MIDDLE = 0.3  # of half the module's height: away from ends that a tilt slants
_MOST_TILT = 12.0
_AIR_HU = -1000.0


@dataclass(frozen=True, eq=False)
class Found:
    """A phantom in a scan.

    Attributes:
        layout: which.
        pose: how it lies.
        body: its outline.
        score: how well the image agrees with the layout, about 1.
        scale: measured distances between rods over nominal ones; NaN where no rods are there. Off 1: the pixel size is wrong.
    """

    layout: Layout
    pose: Pose
    body: Body
    score: float
    scale: float = nan


def find(image: Image, kind: str | None = None) -> Found:
    """Find a phantom.

    Args:
        image: CT in HU with square pixels.
        kind: a key of `LAYOUTS`; None: any of them.

    Raises:
        InputError: for anything but CT in HU; where there is no phantom, none that is known, or several could be meant.
    """
    if image.modality != "CT" or image.unit != "HU":
        raise InputError(
            f"This is {image.modality} in {image.unit}; QA phantoms are measured in CT in HU.", remedy="modality"
        )
    if abs(image.spacing[1] - image.spacing[2]) > 1e-3 * image.spacing[1]:
        raise InputError("The pixels are not square; a phantom is measured in square ones.")
    image = in_air(image)
    body = body_of(image)
    guess = recognize(image, body, kind)
    pose, scale = guess.pose, nan
    if pose.lean > _MOST_TILT:
        raise InputError(f"The phantom is tilted by {pose.lean:.0f} degrees; straighten it to within 5 degrees.")
    module = guess.layout.key
    if module is not None and module.role == "rods":
        for _ in range(2):
            pose = _along_axis(image, body, module, pose)
            pose, scale = _turned(image, module, pose)
    return Found(guess.layout, pose, body, guess.score, scale)


def in_air(image: Image) -> Image:
    """The image with air where nothing was measured (padding, outside of the reconstruction circle)."""
    if image.valid is None:
        return image
    return image.with_voxels(np.where(image.valid, image.voxels, np.float32(_AIR_HU)))


def heights(image: Image) -> Array:
    """Height z of every slice's middle, in mm."""
    result: Array = np.arange(image.shape[0], dtype=np.float64) * image.spacing[0]
    return result


def slices_of(image: Image, pose: Pose, module: Module, place: tuple[float, float], margin: float = 0.0) -> list[int]:
    """The slices that lie, with all their thickness and `margin` mm, within a module at a place; sorted."""
    thick = max(image.slice_thickness or 0.0, image.spacing[0])
    z = heights(image)
    low, high = module.ends
    ends = [pose.along(place, z + step * (thick / 2)) for step in (-1, 1)]
    inside = (np.minimum(*ends) >= low + margin) & (np.maximum(*ends) <= high - margin)
    return [int(index) for index in np.flatnonzero(inside)]


def in_slice(image: Image, pose: Pose, place: tuple[float, float], index: int) -> tuple[float, float]:
    """Row and column where a line along the axis crosses a slice."""
    start, slope = pose.line(place)
    x, y = start + slope * index * image.spacing[0]
    return float(y / image.spacing[1]), float(x / image.spacing[2])


def _strong(module: Module) -> list[Rod]:
    return [rod for rod in module.rods if not rod.optional and abs(rod.hu - module.hu) >= _STRONG_HU]


def _along_axis(image: Image, body: Body, module: Module, pose: Pose) -> Pose:
    """Move the pose along the axis so that the rods begin and end where they should."""
    shifts = []
    for rod in _strong(module):
        ends = _ends(image, module, rod, pose)
        if ends is not None:
            shifts.append(float(pose.along(rod.place, np.array(ends)).mean()) - module.middle)
    if not shifts:
        return pose
    z = float(pose.origin[2] + pose.matrix[2, 2] * np.median(shifts))
    middle = body.middle(z)
    return replace(pose, origin=(float(middle[0]), float(middle[1]), z))


def _ends(image: Image, module: Module, rod: Rod, pose: Pose) -> tuple[float, float] | None:
    """Heights in mm at which a rod begins and ends; None where one of them is not in the scan."""
    step = image.spacing[0]
    values = np.nan_to_num([_contrast(image, rod, pose, index) for index in range(image.shape[0])])
    z = heights(image)
    inside = np.abs(pose.along(rod.place, z) - module.middle) < _MIDDLE * module.height
    if inside.sum() < 1:
        return None
    share = values / float(np.median(values[inside]))
    high = share > 0.5
    first = last = int(np.flatnonzero(inside)[inside.sum() // 2])
    if not high[first]:
        return None
    while first > 0 and high[first - 1]:
        first -= 1
    while last + 1 < len(high) and high[last + 1]:
        last += 1
    if first == 0 or last == len(high) - 1:
        return None
    start = z[first] - step * (share[first] - 0.5) / (share[first] - share[first - 1])
    end = z[last] + step * (share[last] - 0.5) / (share[last] - share[last + 1])
    return float(start), float(end)


def _contrast(image: Image, rod: Rod, pose: Pose, index: int) -> float:
    """CT number of a rod's core over that of the resin on its ring in one slice."""
    row, column = in_slice(image, pose, rod.place, index)
    return disc_mean(image, index, (row, column), _CORE * rod.diameter / 2) - _around(image, rod, index, row, column)


def _around(image: Image, rod: Rod, index: int, row: float, column: float) -> float:
    """Median in a ring from 1.3 to 1.7 radii around a place."""
    box, away = near(image, (row, column), 1.7 * rod.diameter / 2)
    ring = away > 1.3 * rod.diameter / 2
    values = image.voxels[index][box][ring & (away <= 1.7 * rod.diameter / 2)]
    return float(np.median(values)) if values.size else nan


def disc_mean(image: Image, index: int, place: tuple[float, float], radius: float) -> float:
    """Mean within `radius` mm of a place (row, column) in a slice; NaN where no pixel is."""
    box, away = near(image, place, radius)
    values = image.voxels[index][box][away <= radius]
    return float(values.mean(dtype=np.float64)) if values.size else nan


def near(image: Image, place: tuple[float, float], reach: float) -> tuple[tuple[slice, slice], Array]:
    """The box of pixels within `reach` mm of a place (row, column), and their distances from it in mm."""
    row_mm, column_mm = image.spacing[1:]
    top, bottom = (int(place[0] - reach / row_mm), int(place[0] + reach / row_mm) + 2)
    left, right = (int(place[1] - reach / column_mm), int(place[1] + reach / column_mm) + 2)
    rows = slice(max(top, 0), max(min(bottom, image.shape[1]), 0))
    columns = slice(max(left, 0), max(min(right, image.shape[2]), 0))
    y = (np.arange(rows.start, max(rows.stop, rows.start))[:, None] - place[0]) * row_mm
    x = (np.arange(columns.start, max(columns.stop, columns.start))[None] - place[1]) * column_mm
    return (rows, columns), np.hypot(y, x)


def _turned(image: Image, module: Module, pose: Pose) -> tuple[Pose, float]:
    """Turn the pose so that the rods lie where they should, and say how far apart they are against nominal."""
    wanted, seen = [], []
    for rod in _strong(module):
        middle = _middle_of(image, module, rod, pose)
        if middle is not None:
            start, slope = pose.line(rod.place)
            wanted.append(start + slope * middle[2] - _axis_at(pose, middle[2]))
            seen.append(middle[:2] - _axis_at(pose, middle[2]))
    if len(wanted) < 3:
        return pose, nan
    a, b = np.array(wanted), np.array(seen)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    turn = np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())
    scale = float(np.sqrt((b**2).sum() / (a**2).sum()))
    return replace(pose, roll=pose.roll + float(np.degrees(turn))), scale


def _axis_at(pose: Pose, z: float) -> Array:
    start, slope = pose.line((0.0, 0.0))
    result: Array = start + slope * z
    return result


def _middle_of(image: Image, module: Module, rod: Rod, pose: Pose) -> Array | None:
    """(x, y, z) in mm of a rod's middle, by its center of mass in the slices around the module's middle."""
    inner = replace(module, height=_MIDDLE * module.height)
    slices = slices_of(image, pose, inner, rod.place)
    if not slices:
        z = (pose.at(rod.place, module.middle)[2]) / image.spacing[0]
        slices = [int(np.clip(round(float(z)), 0, image.shape[0] - 1))]
    points = [point for index in slices if (point := _mass(image, rod, pose, index)) is not None]
    return np.mean(points, axis=0) if points else None


def _mass(image: Image, rod: Rod, pose: Pose, index: int) -> Array | None:
    row, column = in_slice(image, pose, rod.place, index)
    around, core = _around(image, rod, index, row, column), disc_mean(image, index, (row, column), rod.diameter / 4)
    if not np.isfinite(around + core) or abs(core - around) < _STRONG_HU / 2:
        return None
    for _ in range(2):  # the second time around the middle that the first found
        box, away = near(image, (row, column), _WIDE * rod.diameter / 2)
        share = np.where(away <= _WIDE * rod.diameter / 2, (image.voxels[index][box] - around) / (core - around), 0.0)
        rows, columns = (np.arange(part.start, part.stop) for part in box)
        total = share.sum()
        if total <= 0:
            return None
        row = float((share.sum(axis=1) * rows).sum() / total)
        column = float((share.sum(axis=0) * columns).sum() / total)
    return np.array([column * image.spacing[2], row * image.spacing[1], index * image.spacing[0]])
