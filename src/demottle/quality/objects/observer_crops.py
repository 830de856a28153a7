"""Where a Hotelling observer looks: boxes with and without a disc in the slices of a phantom, and the channels it sees them
through.

A disc is looked for at its own place. The same box without it comes from the phantom without its discs where that is given, and
else from empty places at the same distance from the middle of a round phantom, where the noise is the same.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.physics.phantoms.structures import GroundTruth, Structure
from demottle.quality.objects.channels import laguerre_gauss

Array = NDArray[np.float64]
Point = tuple[float, float]

MOST_CHANNELS = 6
_WIDTH = 2.5  # of the channels, in radii of the disc
_REACH = 1.2  # half of a box in widths: the first channel has fallen to 1 % there
_ALIKE = 2.0  # ratio of energies up to which two discs are told apart by their shape, not by how easily they are seen


@dataclass(frozen=True, eq=False)
class Look:
    """Boxes of one size, (top, left), each seen through the same channels (c, rows, columns)."""

    boxes: tuple[tuple[int, int], ...]
    channels: Array

    def outputs(self, plane: NDArray[Any]) -> Array:
        """Channel outputs (boxes, c) of a slice."""
        rows, columns = self.channels.shape[1:]
        cut = np.stack([plane[top : top + rows, left : left + columns] for top, left in self.boxes])
        flat: Array = cut.reshape(len(cut), -1).astype(np.float64) @ self.channels.reshape(len(self.channels), -1).T
        return flat


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of the observer.

    Attributes:
        name: for tables.
        task: "detection" (is the disc there) or "discrimination" (which of two discs is it).
        present, absent: where it looks; the first disc, and nothing or the second disc.
        elsewhere: `absent` is looked at in scans of the phantom without its discs.
        structures: the discs.
    """

    name: str
    task: str
    present: Look
    absent: Look
    elsewhere: bool
    structures: tuple[Structure, ...]


def questions_of(known: GroundTruth, without: bool) -> tuple[list[Question], list[str]]:
    """Return what can be asked of a phantom, and in sentences what cannot.

    Args:
        known: the phantom.
        without: scans of it without its discs are at hand.
    """
    discs = known.for_task("detection")
    asked: list[Question] = []
    refused: list[str] = []
    for disc in discs:
        try:
            asked.append(_detection(known, disc, without))
        except InputError as error:
            refused.append(f"{disc.name}: {error}")
    through = sorted((d for d in discs if d.insert.height_mm is not None), key=lambda d: d.insert.radius_mm)
    for first, second in pairwise(through):
        if max(_energy(first), _energy(second)) <= _ALIKE * min(_energy(first), _energy(second)):
            try:
                asked.append(_discrimination(known, first, second))
            except InputError as error:
                refused.append(f"{first.name} or {second.name}: {error}")
    return asked, refused


def _detection(known: GroundTruth, disc: Structure, without: bool) -> Question:
    width = _WIDTH * disc.insert.radius_mm
    own = _box_at(known, _place(disc), width)
    boxes = (own,) if without else tuple(_empty_boxes(known, disc, own, width))
    if not boxes:
        raise InputError(
            "There is no empty place like its own beside it; give the same phantom without its discs, as scanned and denoised."
        )
    channels = _channels(known, _place(disc), own, width)
    return Question(disc.name, "detection", Look((own,), channels), Look(boxes, channels), without, (disc,))


def _discrimination(known: GroundTruth, first: Structure, second: Structure) -> Question:
    width = _WIDTH * float(np.sqrt(first.insert.radius_mm * second.insert.radius_mm))
    boxes = [_box_at(known, _place(disc), width) for disc in (first, second)]
    if _apart(boxes[0], boxes[1]) < _side(known, width):
        raise InputError("The boxes around the two overlap, so that their noise is not independent.")
    looks = []
    for disc, box in zip((first, second), boxes, strict=True):
        channels = _channels(known, _place(disc), box, width, MOST_CHANNELS - 1)
        pattern = _profile(known, _place(disc), box, channels, first) - _profile(
            known, _place(disc), box, channels, second
        )
        # First: a shape needs the pattern that tells the two apart, round channels come after it.
        looks.append(Look((box,), np.concatenate([pattern[None] / np.linalg.norm(pattern), channels])))
    name = f"{first.name} or {second.name}"
    return Question(name, "discrimination", looks[0], looks[1], False, (first, second))


def _energy(disc: Structure) -> float:
    """Contrast squared times area: how easily it is seen in white noise."""
    return (disc.insert.contrast * disc.insert.radius_mm) ** 2


def _place(disc: Structure) -> Point:
    return disc.insert.center[1], disc.insert.center[2]


def _side(known: GroundTruth, width: float) -> int:
    return 2 * int(np.ceil(_REACH * width / min(known.spacing[1:]))) + 1


def _box_at(known: GroundTruth, place: Point, width: float) -> tuple[int, int]:
    """Corner of the box whose middle pixel is nearest to a place."""
    half = _side(known, width) // 2
    top, left = (round(at) - half for at in place)
    if min(top, left) < 0 or top + 2 * half >= known.shape[1] or left + 2 * half >= known.shape[2]:
        raise InputError("The box around it that an observer looks at leaves the slice.")
    return top, left


def _channels(
    known: GroundTruth, place: Point, box: tuple[int, int], width: float, count: int = MOST_CHANNELS
) -> Array:
    side = _side(known, width)
    center = place[0] - box[0], place[1] - box[1]
    return laguerre_gauss((side, side), width, (known.spacing[1], known.spacing[2]), count, center)


def _profile(known: GroundTruth, place: Point, box: tuple[int, int], like: Array, disc: Structure) -> Array:
    """A disc at a place in its box, edges one pixel wide."""
    rows, columns = like.shape[1:]
    dy = (np.arange(rows)[:, None] + box[0] - place[0]) * known.spacing[1]
    dx = (np.arange(columns)[None, :] + box[1] - place[1]) * known.spacing[2]
    inside: Array = np.clip((disc.insert.radius_mm - np.hypot(dy, dx)) / known.spacing[2] + 0.5, 0, 1)
    return disc.insert.contrast * inside


def _empty_boxes(known: GroundTruth, disc: Structure, own: tuple[int, int], width: float) -> list[tuple[int, int]]:
    """Boxes around the middle of a round, uniform phantom, as far out as the disc's own, that hold nothing and do not overlap."""
    uniform, side = known.for_task("uniform"), _side(known, width)
    others = [s for s in known.structures if s.task != "uniform"]
    if not uniform or any(abs(s.background - uniform[0].hu) > 1e-3 for s in others):
        return []
    middle, body = _place(uniform[0]), uniform[0].insert.radius_mm / max(known.spacing[1:])
    away = np.subtract(_place(disc), middle)
    found: list[tuple[int, int]] = []
    for angle in np.deg2rad(np.arange(0, 360, 3)):
        turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ away
        # Whole pixels from the disc: a disc there would lie between pixels as this one does.
        box = int(own[0] + round(turned[0] - away[0])), int(own[1] + round(turned[1] - away[1]))
        corner = np.abs(np.subtract(box, middle) + side / 2) + side / 2
        if np.hypot(*corner) > body - 2 or any(_apart(box, taken) < side for taken in (own, *found)):
            continue
        if all(_apart(box, _corner_of(s, side)) > side / 2 + s.insert.radius_mm / known.spacing[2] + 1 for s in others):
            found.append(box)
    return found


def _corner_of(structure: Structure, side: int) -> Point:
    row, column = _place(structure)
    return row - side // 2, column - side // 2


def _apart(first: Point, second: Point) -> float:
    """Largest distance of two boxes of one size along rows or columns, in pixels; they overlap below their side."""
    return max(abs(first[0] - second[0]), abs(first[1] - second[1]))
