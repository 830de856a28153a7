"""The affine that a file with one grid gets, checked against where each slice of the source lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from demottle.errors import OutputError
from demottle.image import Image
from demottle.io.dicom.payload import DicomPayload
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.grid.cosines import cosines
from demottle.io.grid.slice_axis import steps_of
from demottle.io.payload import Affine, affine_of, payload_of

Shape = tuple[int, int, int]

TOLERANCE = 0.1
"""mm by which the corner of a slice may lie off: headers give positions to 0.1 mm, and so to 0.05."""
_SHEARED = (
    "The slices are tilted (gantry tilt), so the grid of the NIfTI file is sheared: it is right in its sform, which nibabel and "
    "FSL read, but programs that are built on ITK (3D Slicer, ITK-SNAP, ANTs) do not open it; write DICOM for them. Its pixdim "
    "states {step:.4g} mm, along the table; along their normal the slices are {gap:.4g} mm apart."
)
_CANNOT_TILT = (
    "The slices are tilted (gantry tilt), which {kind} files cannot hold; write DICOM, which holds each slice where it is, or "
    ".nii.gz."
)


@dataclass(frozen=True)
class Placement:
    """Where the voxels of a file with one grid lie.

    Attributes:
        affine: see `Payload.affine`.
        sheared: True where its axes are not perpendicular.
        warning: what to tell the user about it; empty where nothing.
    """

    affine: Affine
    sheared: bool = False
    warning: str = ""


def placement(image: Image, kind: str) -> Placement:
    """Return the affine to write to a NIfTI, MHA, MHD or NRRD file; it is perpendicular wherever that is exact enough.

    Raises:
        OutputError: a corner of a slice would lie more than 0.1 mm off, or the grid is sheared and `kind` is not "nifti".
    """
    payload = payload_of(image)
    slices = payload.slices if isinstance(payload, DicomPayload) and len(payload.slices) == image.shape[0] else ()
    return _place(affine_of(image), _corners_of_slices(slices), image.shape, kind)


def placement_over_time(slices: Sequence[SliceHeader], volumes: int, affine: Affine) -> Placement:
    """Return the affine of a NIfTI file that holds volumes over time, which has one place for all of them.

    Args:
        slices: volume by volume, each in order.
        volumes: how many there are.
        affine: affine of the first.

    Raises:
        OutputError: a corner of a slice of any volume would lie more than 0.1 mm off.
    """
    each = len(slices) // volumes
    shape = each, slices[0].rows, slices[0].columns
    place = _place(affine, _corners_of_slices(slices[:each]), shape, "nifti")
    for volume in range(1, volumes):
        wanted = _corners_of_slices(slices[volume * each : (volume + 1) * each])
        off = 0.0 if wanted is None else float(_off(place.affine, wanted, shape).max())
        if off > TOLERANCE:
            raise OutputError(
                f"The volumes of the series do not all lie in one place, which is all that NIfTI can hold: volume {volume + 1} "
                f"would lie {off:.1f} mm off; write DICOM, which holds each slice where it is."
            )
    return place


def _place(affine: Affine, wanted: NDArray[np.float64] | None, shape: Shape, kind: str) -> Placement:
    if wanted is None:
        wanted = corners(affine, shape)
    else:
        affine = _nearest(affine, wanted, shape)
    straight = perpendicular(affine)
    if _off(straight, wanted, shape).max() <= TOLERANCE:
        return Placement(straight)
    if kind != "nifti":
        raise OutputError(_CANNOT_TILT.format(kind=kind.upper()))
    return Placement(
        affine, sheared=True, warning=_SHEARED.format(step=np.linalg.norm(affine[:3, 2]), gap=steps_of(affine)[0])
    )


def refuse_skewed(affine: Affine, shape: Shape) -> None:
    """Refuse rows and columns that are not perpendicular, which DICOM cannot hold; slices may be tilted.

    Raises:
        OutputError: a corner of a slice would lie more than 0.1 mm off.
    """
    axes = cosines([*affine[:3, 0], *affine[:3, 1]])
    straight = affine.copy()
    straight[:3, :2] = np.stack(axes, axis=1) * np.linalg.norm(affine[:3, :2], axis=0)
    if np.linalg.norm(corners(straight, shape) - corners(affine, shape), axis=2).max() > TOLERANCE:
        raise OutputError(
            "The rows and columns of the image are not perpendicular, which DICOM cannot hold; write .nii.gz, or resample the "
            "image."
        )


def _nearest(affine: Affine, wanted: NDArray[np.float64], shape: Shape) -> Affine:
    """Return the affine, or the best one by least squares where only that lies near enough to all slices."""
    off = _off(affine, wanted, shape)
    if off.max() > TOLERANCE:
        fitted = _least_squares(wanted, shape)
        if _off(fitted, wanted, shape).max() <= TOLERANCE:
            return fitted
        worst = int(off.max(axis=1).argmax())
        raise OutputError(
            f"The slices do not lie on one even, straight grid, which is all that this format can hold: slice {worst + 1} of "
            f"{shape[0]} would lie {off.max():.1f} mm off; write DICOM, which holds each slice where it is, or "
            "separate the parts."
        )
    return affine


def _corners_of_slices(slices: Sequence[SliceHeader]) -> NDArray[np.float64] | None:
    """Where the corners of each slice lie by its own header, (slices, 4, 3) in mm; None where no header says it."""
    found = [_corners_of_slice(header) for header in slices]
    known = [one for one in found if one is not None]
    return np.stack(known) if known and len(known) == len(found) else None


def _corners_of_slice(header: SliceHeader) -> NDArray[np.float64] | None:
    if header.position is None or header.orientation is None or header.pixel_spacing is None:
        return None
    along_row, along_column = cosines(header.orientation)
    down, right = header.pixel_spacing
    return np.array(
        [
            np.array(header.position) + column * right * along_row + row * down * along_column
            for row, column in product((0, header.rows - 1), (0, header.columns - 1))
        ]
    )


def corners(affine: Affine, shape: Shape) -> NDArray[np.float64]:
    """Where the corners of each slice lie by an affine, (slices, 4, 3) in mm."""
    return _indices(shape) @ affine[:3].T


def _indices(shape: Shape) -> NDArray[np.float64]:
    slices, rows, columns = shape
    points = [
        (column, row, index, 1.0) for index in range(slices) for row, column in product((0, rows - 1), (0, columns - 1))
    ]
    return np.array(points, np.float64).reshape(slices, 4, 4)


def _off(affine: Affine, wanted: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """Return mm between where an affine puts the corners and where they lie, (slices, 4)."""
    found: NDArray[np.float64] = np.linalg.norm(corners(affine, shape) - wanted, axis=2)
    return found


def _least_squares(wanted: NDArray[np.float64], shape: Shape) -> Affine:
    solved = np.linalg.lstsq(_indices(shape).reshape(-1, 4), wanted.reshape(-1, 3), rcond=None)[0]
    affine = np.eye(4)
    affine[:3] = solved.T
    return affine


def perpendicular(affine: Affine) -> Affine:
    """Return the affine with the nearest perpendicular axes of the same lengths."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(affine[:3, :3] / lengths)
    straight = affine.copy()
    straight[:3, :3] = (left @ right) * lengths
    return straight
