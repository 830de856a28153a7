"""The files that belong to an MR series: its phase, its noise, maps; put together before it is denoised, and apart afterwards."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, OutputError, counted
from demottle.events import Listener, silent
from demottle.image import Image, Source, Voxels
from demottle.io import read, write
from demottle.io.files.nifti_frames import frames_of
from demottle.io.files.payload import FilePayload
from demottle.io.formats import format_of
from demottle.io.grid.slice_axis import LAST
from demottle.io.mr.dicom_pairs import PhasePart
from demottle.io.mr.phase_range import PhaseScale, phase_scale
from demottle.io.payload import Payload, payload_of
from demottle.io.volumes.over_time import SeriesPayload
from demottle.methods.low_rank.noise_map import by_noise_volumes
from demottle.methods.low_rank.nordic import FEWEST
from demottle.methods.low_rank.stack import Stack, stack_of


@dataclass(frozen=True, eq=False)
class PhaseFile:
    """Where a phase came from, for it to be written again.

    Attributes:
        image: as read, its voxels in radians.
        scale: from what the file holds to radians.
    """

    image: Image
    scale: PhaseScale


def with_phase(
    image: Image, path: Path, part: PhasePart | None = None, listener: Listener = silent
) -> tuple[Image, PhaseFile]:
    """Return the series with its phase, read from `path` (as the series itself: NIfTI or DICOM), in radians by its range.

    Args:
        image: the magnitudes.
        path: path of the phase.
        part: which series and part of a DICOM folder; None: the only one.
        listener: told of progress.

    Raises:
        InputError: another format or shape; values that are not a phase; and as `demottle.io.read`.
    """
    refuse_unsuitable(image)
    kind = "" if image.source is None else image.source.format
    other = format_of(path) if path.is_file() else None
    if (kind == "dicom") != (other in (None, "dicom")):
        raise InputError(
            f"The phase {path} has to be of the format of the magnitude, so that their axes agree; convert one of them."
        )
    chosen: dict[str, Any] = {} if part is None else {"series": part.series, "volume": part.volume}
    modality = None if kind == "dicom" else "MR"
    found = read(path, modality=modality, accept_own_output=True, listener=listener, **chosen)
    if found.shape != image.shape or not found.sequence:
        raise InputError(
            f"The phase {path} has {_size(found)}, but the magnitude {_size(image)}; they have to be of the same scan."
        )
    low, high = float(found.voxels.min()), float(found.voxels.max())
    if low == high:
        raise InputError(f"The phase {path} has the same value everywhere; it is not a phase.")
    if found.valid is not None:  # between slices and in padding there is no phase
        inside = [frame[valid] for frame, valid in zip(found.voxels, found.valid, strict=True)]
        low, high = (float(pick(pick(part) for part in inside if part.size)) for pick in (min, max))
    scale = phase_scale(low, high, str(path))
    radians = np.nan_to_num(scale.radians(found.voxels.copy()), copy=False)
    return replace(image, phase=radians), PhaseFile(replace(found, voxels=radians), scale)


def write_phase(image: Image, origin: PhaseFile, path: Path, overwrite: bool, listener: Listener = silent) -> None:
    """Write the phase of a denoised series as the file it came from has it."""
    assert image.phase is not None
    values = origin.scale.values(image.phase)
    write(replace(origin.image, voxels=values, history=image.history), path, overwrite=overwrite, listener=listener)


def with_map(image: Image, name: str, path: Path) -> Image:
    """Return the series with a map ("noise" or "gfactor") from a file of one volume on the grid of the series.

    Raises:
        InputError: another grid, or values that no such map holds.
    """
    refuse_unsuitable(image)
    volumes = _volumes_on(image, path)
    if len(volumes) != 1:
        raise InputError(
            f"The {_CALLED[name]} {path} holds {counted(len(volumes), 'volume')}; it has to be a single one."
        )
    values = volumes[0]
    if not np.isfinite(values).all() or values.min() < 0 or not values.any():
        raise InputError(f"The {_CALLED[name]} {path} holds negative values, NaN, or nothing but zeros.")
    return replace(image, maps={**image.maps, name: _frame(stack_of(image), values)})


def with_noise_scan(image: Image, path: Path) -> Image:
    """Return the series with the noise map of a scan of noise alone: one volume or more, on the grid of the series."""
    refuse_unsuitable(image)
    volumes = _volumes_on(image, path)
    if not np.isfinite(volumes).all() or volumes.min() < 0 or not volumes.any():
        raise InputError(
            f"The noise scan {path} holds negative values, NaN, or nothing but zeros; its magnitude is needed."
        )
    return replace(image, maps={**image.maps, "noise": _frame(stack_of(image), by_noise_volumes(volumes))})


def without_noise_volumes(image: Image, count: int) -> Image:
    """Return the series without its last `count` volumes, with the noise map that they tell.

    Raises:
        InputError: too few volumes would be left.
    """
    refuse_unsuitable(image)
    left = image.shape[0] - count
    if left < FEWEST:
        raise InputError(
            f"Of {counted(image.shape[0], 'volume')} {count} are said to be noise alone; at least {FEWEST} others are needed."
        )
    stack = stack_of(image)
    noise = by_noise_volumes(np.stack([stack.volume(frame) for frame in image.voxels[left:]]))
    if not noise.any():
        raise InputError(f"The last {counted(count, 'volume')} hold nothing but zeros, so they do not tell the noise.")
    source = image.source
    return replace(
        image.part(0, left), source=source, maps={**image.maps, "noise": _frame(stack, noise.astype(np.float32))}
    )


def with_noise_volumes(image: Image, whole: Image) -> Image:
    """Undo `without_noise_volumes`: the last volumes of `whole` come back as they were."""
    last = whole.voxels[image.shape[0] :]
    phase = None
    if image.phase is not None and whole.phase is not None:
        phase = np.concatenate([image.phase, whole.phase[image.shape[0] :]])
    return replace(image, voxels=np.concatenate([image.voxels, last]), valid=whole.valid, phase=phase)


def write_map(image: Image, name: str, path: Path) -> None:
    """Write a map of a series ("noise", "components") as one volume of float32 on the grid of the series.

    Raises:
        OutputError: the series has no such map.
    """
    if name not in image.maps:
        raise OutputError(f"There is no {_CALLED[name]} to write: the method made none.")
    values = stack_of(image).volume(np.asarray(image.maps[name], np.float32))
    if image.source is not None and image.source.format == "nifti":
        import nibabel as untyped_nibabel

        nibabel: Any = untyped_nibabel
        header = payload_of(image).header  # type: ignore[union-attr]
        stored = np.moveaxis(values.T, LAST, _axis(image))
        made = nibabel.Nifti1Image(np.ascontiguousarray(stored), header.get_best_affine())
        made.header.set_xyzt_units("mm")
        made.to_filename(path)
        return
    payload = payload_of(image)
    affine = payload.volume_affine if isinstance(payload, SeriesPayload) else None
    between = 1.0 if affine is None else float(np.linalg.norm(affine[:3, 2]))
    volume = Image(values, (between, *image.spacing[1:]), "MR", source=Source("series", "", Payload(affine=affine)))
    write(volume, path, overwrite=True)


_CALLED = {"noise": "noise map", "gfactor": "g-factor map", "components": "map of components"}


def refuse_unsuitable(image: Image) -> None:
    """Refuse what is no MR series of enough volumes.

    Raises:
        InputError: says which.
    """
    if not image.sequence or image.modality != "MR":
        raise InputError(
            "Phase, noise and maps of a series are for MR volumes over time or diffusion weighting, and this is "
            f"{'a run of frames of ' + image.modality if image.sequence else 'a single volume'}."
            + (" If it is MR, give its modality." if image.sequence and image.modality == "OT" else "")
        )
    if image.shape[0] < FEWEST:
        raise InputError(
            f"The series has {counted(image.shape[0], 'volume')}; at least {FEWEST} are needed to tell noise by components."
        )
    if not image.voxels.any():
        raise InputError("Every voxel of the series is zero; there is nothing to denoise. Is it the right series?")


def _volumes_on(image: Image, path: Path) -> NDArray[np.float32]:
    """Read volumes on the grid of a series, (volumes, slices, rows, columns)."""
    stack = stack_of(image)
    if image.source is not None and image.source.format == "nifti":
        volumes = _of_nifti(image, path)
    else:
        found = read(path, accept_own_output=True)
        volumes = (
            np.stack([stack_of(found).volume(frame) for frame in found.voxels])
            if found.sequence
            else found.voxels[None]
        )
    if volumes.shape[1:] != stack.shape:
        slices, rows, columns = stack.shape
        raise InputError(
            f"{path} has {' x '.join(str(n) for n in volumes.shape[:0:-1])} voxels, but the series "
            f"{columns} x {rows} x {slices}; it has to be on the same grid."
        )
    return volumes


def _of_nifti(image: Image, path: Path) -> NDArray[np.float32]:
    import nibabel as untyped_nibabel

    nibabel: Any = untyped_nibabel
    read(path, modality="MR", accept_own_output=True)  # its refusals are sentences
    found = nibabel.load(path)
    header = payload_of(image).header  # type: ignore[union-attr]
    if not np.allclose(found.affine, header.get_best_affine(), atol=0.1):
        raise InputError(
            f"{path} lies elsewhere than the series (their affines differ); resample it onto the series first."
        )
    values = np.asarray(found.get_fdata(dtype=np.float32))
    values = np.moveaxis(values.reshape(*values.shape[:3], -1), _axis(image), LAST)
    return np.ascontiguousarray(values.transpose(3, 2, 1, 0))


def _axis(image: Image) -> int:
    """The axis of a NIfTI file that is that of its slices."""
    payload = payload_of(image)
    return payload.axis if isinstance(payload, FilePayload) else LAST


def _frame(stack: Stack, volume: NDArray[np.float32]) -> Voxels:
    """A volume as one frame, zeros between the slices."""
    frame: Voxels = frames_of(np.ascontiguousarray(volume.T[..., None]))[0]
    return frame


def _size(image: Image) -> str:
    slices, rows, columns = stack_of(image).shape if image.sequence else image.shape
    return f"{counted(image.shape[0] if image.sequence else 1, 'volume')} of {slices} x {rows} x {columns} voxels"
