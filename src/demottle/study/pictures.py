"""The pictures of a study: which slices are shown, and their values as 16-bit codes that the page windows itself."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, counted
from demottle.image import Image, Voxels
from demottle.report.windows import windows_of
from demottle.study.design import CaseGeometry

_MARGIN = 0.1  # of the slices at either end, which often show little
_BLOCK = 8
_SAME_OBJECT = 0.8
_SPACING_TOLERANCE = 0.01
_AIR = -1000.0


def draw_stacks(count: int, size: int, number: int, rng: np.random.Generator, what: str) -> list[tuple[int, int]]:
    """Return `number` stacks of `size` slices, (first, behind the last), drawn from a scan of `count` slices.

    They do not overlap, and keep away from the ends of the scan where there is room. One stack of a scan with fewer slices is
    the whole scan.

    Raises:
        InputError: where the scan, named by `what`, is too short.
    """
    if number == 1:
        size = min(size, count)
    if number * size > count:
        raise InputError(
            f"{what} has {counted(count, 'slice')}, too few for {number} stacks of {size}; ask for fewer stacks or slices."
        )
    margin = int(_MARGIN * count)
    first, room = (margin, count - 2 * margin) if number * size <= count - 2 * margin else (0, count)
    offsets = np.sort(rng.integers(0, room - number * size + 1, size=number))
    starts = [first + int(offset) + place * size for place, offset in enumerate(offsets)]
    return [(start, start + size) for start in starts]


def stacks_at(count: int, size: int, middles: Sequence[int], what: str) -> list[tuple[int, int]]:
    """Return stacks of `size` slices around given slices, counted from 1; moved inside where they would stick out.

    Raises:
        InputError: for a slice that the scan, named by `what`, does not have.
    """
    stacks = []
    for middle in middles:
        if not 1 <= middle <= count:
            raise InputError(
                f"{what} has slices 1 to {count}, and no slice {middle}; choose slices that all scans have."
            )
        start = max(0, min(middle - 1 - size // 2, count - size))
        stacks.append((start, min(start + size, count)))
    return stacks


def refuse_other_geometry(reference: Image, other: Image, what: str) -> None:
    """Raise InputError where two images, the second named by `what`, cannot be the same scan."""
    for name, first, second in (
        ("shape", reference.shape, other.shape),
        ("modality", reference.modality, other.modality),
        ("unit", reference.unit, other.unit),
    ):
        if first != second:
            raise InputError(
                f"{what} has {name} {second}, but the reference arm has {first}; give arms made from the same scan."
            )
    if not np.allclose(reference.spacing, other.spacing, rtol=_SPACING_TOLERANCE):
        raise InputError(
            f"{what} has spacing {_mm(other.spacing)}, but the reference arm has {_mm(reference.spacing)}; give arms made "
            "from the same scan."
        )


def refuse_other_object(reference: Voxels, other: Voxels, what: str) -> None:
    """Raise InputError where two stacks of one shape are the same to the voxel, or show different objects.

    They show different objects where their block means hardly correlate.
    """
    if np.array_equal(reference, other) and reference.std() > 0:
        raise InputError(f"{what} is the reference arm, voxel by voxel; give each arm its own images.")
    first, second = (np.concatenate([_blocks(plane).ravel() for plane in stack]) for stack in (reference, other))
    if first.std() == 0 or second.std() == 0:
        return
    correlation = float(np.corrcoef(first, second)[0, 1])
    if correlation < _SAME_OBJECT:
        raise InputError(
            f"{what} does not show what the reference arm shows (correlation {correlation:.2f} of their block means); check "
            "that the arms hold the same scans under the same names, in the same orientation."
        )


def filled(image: Image, start: int, stop: int) -> Voxels:
    """Return slices of an image with what was not measured as air (HU) or as the lowest value: alike in all arms."""
    voxels = np.array(image.voxels[start:stop])
    bad = ~np.isfinite(voxels)
    if image.valid is not None:
        bad |= ~image.valid[start:stop]
    if bad.any():
        voxels[bad] = _AIR if image.unit == "HU" else (voxels[~bad].min() if not bad.all() else 0)
    return voxels


def geometry_of(image: Image, stacks: Sequence[Voxels]) -> CaseGeometry:
    """Return how a case is shown. CT is stored in whole HU, anything else in 60,000 steps over the range of all arms."""
    slope, intercept = 1.0, 0.0
    if image.unit != "HU":
        low, high = min(float(s.min()) for s in stacks), max(float(s.max()) for s in stacks)
        slope, intercept = max(high - low, 1e-6) / 60_000, (low + high) / 2
    slices, rows, columns = stacks[0].shape
    windows = tuple((w.name, float(w.center), float(w.width)) for w in windows_of(image))
    return CaseGeometry(
        slices, rows, columns, image.spacing[2] / image.spacing[1], slope, intercept, image.unit, windows
    )


def codes_of(plane: Voxels, geometry: CaseGeometry) -> NDArray[np.int16]:
    """Return the 16-bit codes of a plane, rounded; values outside the range become its ends."""
    codes = np.rint((plane.astype(np.float64) - geometry.intercept) / geometry.slope)
    return np.clip(codes, -32768, 32767).astype(np.int16)


def _blocks(plane: Voxels) -> Voxels:
    rows, columns = (max(1, size // _BLOCK) for size in plane.shape)
    return np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def _mm(spacing: tuple[float, float, float]) -> str:
    return " x ".join(f"{value:.4g}" for value in spacing) + " mm"
