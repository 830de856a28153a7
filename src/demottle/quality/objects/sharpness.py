"""Is a structure of known place as sharp as before? f50 and f10 of the edges of discs, against a truth or the input."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.structures import Structure
from demottle.quality.objects.edge import EdgeResponse, disc_edge


@dataclass(frozen=True, eq=False)
class Sharpness:
    """The edge of one structure in a result, and in what it is held against (the truth, else the input).

    Attributes:
        name: name of the structure.
        contrast: in HU, as the list of structures says.
        reference, after: measured edges.
        f50_change, f10_change: relative change of f50 and f10, -0.05: 5 % less sharp. Where only the reference stays above the
            level up to the Nyquist frequency, that frequency stands in: the loss is at least this. NaN where both do.
        f50_error, f10_error: their standard errors.
    """

    name: str
    contrast: float
    reference: EdgeResponse
    after: EdgeResponse
    f50_change: float
    f10_change: float
    f50_error: float
    f10_error: float


def sharpness(reference: Image, after: Image, structures: Sequence[Structure]) -> tuple[list[Sharpness], list[str]]:
    """Measure every structure that can be, averaged over the slices that show it whole.

    Returns:
        What was measured, and for each structure that could not be one sentence that says why.
    """
    found, refused = [], []
    for structure in structures:
        try:
            if abs(after.spacing[1] - after.spacing[2]) > 1e-3 * after.spacing[1]:
                raise InputError("Its pixels are not square, and an edge profile needs square ones.")
            first, second = (_edge(image, structure) for image in (reference, after))
        except InputError as error:
            refused.append(f"{structure.name}: {error}")
            continue
        end = float(second.frequency[-1])
        changes = (_change(first.f50, second.f50, end), _change(first.f10, second.f10, end))
        errors = (
            _error(first.f50, first.f50_error, second.f50_error),
            _error(first.f10, first.f10_error, second.f10_error),
        )
        found.append(Sharpness(structure.name, structure.insert.contrast, first, second, *changes, *errors))
    return found, refused


@dataclass(frozen=True)
class Pooled:
    """Structures of one size and contrast, of either sign, taken together: several discs say better what one says poorly.

    Attributes:
        name: name of the structure, or how many of which contrast.
        contrast: its size in HU.
        f50_change, f10_change: means over the structures, weighted by one over the squared standard errors where all are known.
        f50_error, f10_error: their standard errors.
        count: how many structures.
    """

    name: str
    contrast: float
    f50_change: float
    f10_change: float
    f50_error: float
    f10_error: float
    count: int


def pooled(found: Sequence[Sharpness]) -> list[Pooled]:
    """Take structures of one size (to a pixel) and contrast (to 0.1 HU) together."""
    groups: dict[tuple[float, int], list[Sharpness]] = {}
    for one in found:
        groups.setdefault((round(abs(one.contrast), 1), round(one.reference.radius)), []).append(one)
    made = []
    for (contrast, _), group in groups.items():
        name = group[0].name if len(group) == 1 else f"{len(group)} structures of {contrast:g} HU"
        f50 = _mean([(one.f50_change, one.f50_error) for one in group])
        f10 = _mean([(one.f10_change, one.f10_error) for one in group])
        made.append(Pooled(name, contrast, f50[0], f10[0], f50[1], f10[1], len(group)))
    return made


def _mean(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean and standard error of values with theirs; unknown values are left out."""
    known = np.array([pair for pair in values if isfinite(pair[0])]).reshape(-1, 2)
    if not len(known):
        return float("nan"), float("nan")
    change, error = known.T
    weights = 1 / error**2 if np.isfinite(error).all() and (error > 0).all() else np.ones(len(known))
    weights /= weights.sum()
    return float(weights @ change), float(np.sqrt(np.sum((weights * error) ** 2)))


def whole_slices(image: Image, structure: Structure) -> list[int]:
    """Return the slices whose whole thickness lies in a cylinder; of a sphere the one through its center."""
    insert, slices = structure.insert, range(image.shape[0])
    nearest = min(max(round(insert.center[0]), 0), image.shape[0] - 1)
    if insert.height_mm is None:
        return [nearest]
    reach = insert.height_mm / 2 / image.spacing[0] - 0.5
    return [z for z in slices if abs(z - insert.center[0]) <= reach + 1e-6] or [nearest]


def _edge(image: Image, structure: Structure) -> EdgeResponse:
    slices = whole_slices(image, structure)
    planes = np.stack([image.voxels[z] for z in slices])
    _, row, column = structure.insert.center
    return disc_edge(planes, image.spacing[1], (row, column), structure.insert.radius_mm / image.spacing[1])


def _change(reference: float, value: float, end: float) -> float:
    if not isfinite(reference) and not isfinite(value):
        return float("nan")
    return min(value, end) / min(reference, end) - 1 if reference > 0 else float("nan")


def _error(reference: float, *errors: float) -> float:
    return (
        float(np.hypot(*np.nan_to_num(errors)) / reference) if isfinite(reference) and reference > 0 else float("nan")
    )
