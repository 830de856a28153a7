"""Images from and to what other libraries hold in memory: NumPy, PyTorch, SimpleITK, nibabel. Geometry goes along."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.io.files.payload import FilePayload, image_of, measured_in, unit_of, values_for_file
from demottle.io.grid.nifti_affine import read_affine
from demottle.io.grid.placement import placement
from demottle.io.grid.slice_axis import affine_of_slices, slice_axis, slices_first, steps_along, steps_of
from demottle.io.payload import Affine
from demottle.io.reading import Spacing, known_modality

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def from_numpy(values: ArrayLike, spacing: Spacing, modality: str | None = None, *, sequence: bool = False) -> Image:
    """Make an image of an array.

    Args:
        values: (slices or frames, rows, columns); for CT in HU. A copy is taken.
        spacing: mm between slices (or s between frames), rows, columns.
        modality: one of "CT", "MR", "XA", "RF"; "CT" makes the unit HU. None: unknown.
        sequence: the first axis is time.

    Raises:
        InputError: an unknown modality, values that are not real numbers, or what `Image` refuses.

    Example:
        >>> import numpy as np
        >>> from demottle import from_numpy
        >>> from_numpy(np.zeros((4, 64, 64)), (3, 0.8, 0.8), "CT")
        Image(4 slices of 64 x 64, 3 x 0.8 x 0.8 mm, CT in HU)
    """
    known = known_modality(modality)
    array = np.asarray(values)
    if array.dtype.kind not in "iufb":
        raise InputError(f"The array holds {array.dtype} values; demottle needs real numbers.")
    voxels = np.array(array, np.float32, order="C")
    valid = measured_in(voxels, known) if voxels.ndim == 3 else None
    return Image(voxels, spacing, known or "OT", unit_of(known), valid=valid, sequence=sequence)


def to_numpy(image: Image) -> Voxels:
    """Return a copy of the voxels (slices or frames, rows, columns), float32, to be changed at will."""
    return np.array(image.voxels)


def from_torch(values: Any, spacing: Spacing, modality: str | None = None, *, sequence: bool = False) -> Image:
    """Make an image of a tensor (slices or frames, rows, columns), on any device; else as `from_numpy`."""
    if not hasattr(values, "detach"):
        raise InputError(f"from_torch takes a tensor of PyTorch, not {_kind(values)}.")
    return from_numpy(values.detach().cpu().float().numpy(), spacing, modality, sequence=sequence)


def to_torch(image: Image) -> Any:
    """Return the voxels as a tensor (slices or frames, rows, columns), float32, on the processor; a copy."""
    import torch

    return torch.from_numpy(to_numpy(image))


def from_sitk(image: Any, modality: str | None = None) -> Image:
    """Make an image of a SimpleITK image: 3-D, one value per voxel. Place, directions and spacing go along.

    Args:
        image: a `SimpleITK.Image`; values in HU for CT.
        modality: as for `from_numpy`; None: CT where air and tissue show it.

    Raises:
        InputError: another type, or not 3-D.
    """
    if not hasattr(image, "GetDirection"):
        raise InputError(f"from_sitk takes an image of SimpleITK, not {_kind(image)}.")
    import SimpleITK

    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(
            f"The image has {image.GetDimension()} dimensions and {image.GetNumberOfComponentsPerPixel()} values per voxel; "
            "demottle needs one 3-D volume of single values."
        )
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    sitk: Any = SimpleITK  # it has no types
    return _volume(sitk.GetArrayViewFromImage(image), affine, image.GetSpacing(), modality, "SimpleITK")


def to_sitk(image: Image) -> Any:
    """Return a SimpleITK image, float32, placed as the `.mha` that `demottle.io.write` would write.

    Raises:
        OutputError: slices that are tilted or lie on no even grid.
    """
    import SimpleITK

    sitk: Any = SimpleITK
    made = sitk.GetImageFromArray(np.array(values_for_file(image)))
    affine = placement(image, "mha").affine
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    made.SetSpacing(steps.tolist())
    made.SetOrigin(affine[:3, 3].tolist())
    made.SetDirection((affine[:3, :3] / steps).ravel().tolist())
    return made


def from_nibabel(image: Any, modality: str | None = None) -> Image:
    """Make an image of a nibabel image with three axes; its thick axis becomes the slices, and its affine goes along.

    Arguments and errors as `from_sitk`.
    """
    if not hasattr(image, "affine") or not hasattr(image, "dataobj"):
        raise InputError(f"from_nibabel takes an image of nibabel, not {_kind(image)}.")
    if len(image.shape) != 3:
        raise InputError(f"The image has the shape {tuple(image.shape)}; demottle needs a 3-D volume here.")
    affine, _ = read_affine(image, Path("the image"))
    return _volume(np.asanyarray(image.dataobj).T, affine, steps_along(np.asarray(image.affine)), modality, "nibabel")


def to_nibabel(image: Image) -> Any:
    """Return a `nibabel.Nifti1Image`, float32, placed as the `.nii` that `demottle.io.write` would write."""
    import nibabel

    values, module = np.array(values_for_file(image)).T, cast("Any", nibabel)  # it has types, but not for this
    return module.Nifti1Image(values, _LPS_FROM_RAS @ placement(image, "nifti").affine)


def _volume(stored: Any, in_file: Affine, steps: Sequence[float], modality: str | None, kind: str) -> Image:
    axis = slice_axis(stored.shape[::-1], steps)
    affine = affine_of_slices(in_file, axis)
    payload = FilePayload(affine=affine, dtype=stored.dtype, axis=axis)
    unsaid = f"{kind} does not say whether this is CT or MR"
    named: dict[str, Any] = {"format": kind, "path": Path(f"the {kind} image"), "modality": known_modality(modality)}
    return image_of(slices_first(stored, axis), payload, spacing=steps_of(affine), unsaid=unsaid, **named)


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
