"""Where a NIfTI file says its voxels lie: sform, qform or only a voxel size, and what is odd about them."""

from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.io.grid.placement import TOLERANCE, corners, perpendicular
from demottle.io.grid.slice_axis import steps_of
from demottle.io.payload import Affine

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001}


def read_affine(nifti: Any, path: Path) -> tuple[Affine, tuple[str, ...]]:
    """Return the affine in DICOM's patient axes (see `Payload.affine`) of the file's own axes, and warnings.

    The sform counts where there is one, as for nibabel, SPM and FSL, then the qform, then the voxel size alone.

    Raises:
        InputError: the axes span no volume.
    """
    unit, scale = _unit(nifti.header)
    affine = np.asarray(nifti.affine, np.float64).copy()
    affine[:3] *= scale
    if not np.isfinite(affine).all() or min(steps_of(affine)) <= 0:
        raise InputError(f"{path} gives its voxels no size (pixdim, sform); the header is broken.")
    return _LPS_FROM_RAS @ affine, (*unit, *_doubts(nifti, affine, scale))


def _unit(header: Any) -> tuple[tuple[str, ...], float]:
    stated = unit_of_length(header)
    if stated == "unknown":
        return ("The NIfTI header states no unit of length; mm is assumed.",), 1.0
    told = () if stated == "mm" else (f"The NIfTI header states lengths in {stated}; they are taken as such.",)
    return told, _MM[stated]


def unit_of_length(header: Any) -> str:
    """Return "mm", "meter", "micron", or "unknown", which a code that does not exist stands for too."""
    known = {1: "meter", 2: "mm", 3: "micron"}
    return known.get(int(header["xyzt_units"]) & 0x07, "unknown")


def _doubts(nifti: Any, affine: Affine, scale: float) -> tuple[str, ...]:
    header = nifti.header
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if sform <= 0 and qform <= 0:
        return ("The NIfTI header gives a voxel size but no place and no direction (sform and qform codes 0).",)
    found = []
    sizes = np.abs(np.asarray(header["pixdim"][1:4], np.float64)) * scale
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if sform > 0 and not np.allclose(sizes, lengths, rtol=0.01):
        found.append(
            f"The NIfTI header states voxels of {_size(sizes)} mm, but its sform {_size(lengths)} mm; the sform is taken."
        )
    if sform > 0 and qform > 0:
        off = _apart(nifti, affine, scale)
        if off > TOLERANCE:
            found.append(
                f"The sform and the qform of the NIfTI header place the volume up to {off:.1f} mm apart; the sform is taken, and "
                "both are kept in a NIfTI output."
            )
    if not _is_perpendicular(nifti, affine):
        found.append(
            "The grid of the NIfTI file is sheared (a tilted gantry?): programs that are built on ITK (3D Slicer, ITK-SNAP, "
            "ANTs) do not open such files."
        )
    return tuple(found)


def _size(lengths: Any) -> str:
    return " x ".join(f"{length:.4g}" for length in lengths)


def _apart(nifti: Any, affine: Affine, scale: float) -> float:
    try:
        other = np.asarray(nifti.header.get_qform(), np.float64).copy()
    except Exception:  # nibabel.HeaderDataError: a quaternion that is none; nothing to compare with
        return 0.0
    other[:3] *= scale
    shape = _shape(nifti)
    return float(np.linalg.norm(corners(affine, shape) - corners(other, shape), axis=2).max())


def _is_perpendicular(nifti: Any, affine: Affine) -> bool:
    shape = _shape(nifti)
    off = np.linalg.norm(corners(perpendicular(affine), shape) - corners(affine, shape), axis=2)
    return bool(off.max() <= TOLERANCE)


def _shape(nifti: Any) -> tuple[int, int, int]:
    columns, rows, slices = (*nifti.shape, 1, 1, 1)[:3]
    return slices, rows, columns
