"""NumPy's .npy: bare voxels; the user gives the spacing."""

from pathlib import Path

import numpy as np

from demottle.errors import InputError
from demottle.image import Image, Source
from demottle.io.file_payload import (
    FilePayload,
    as_voxels,
    check_source_readable,
    outside_circle,
    restore,
    same_format_payload,
    unit_of,
)


def read_npy(path: Path, spacing: tuple[float, float, float] | None, modality: str | None = None) -> Image:
    """Read an array (slices, rows, columns) of numbers.

    Raises:
        InputError: no spacing given; broken file; not three-dimensional; not real numbers.
    """
    if spacing is None:
        raise InputError(
            f"{path} states no voxel size; give the spacing in mm (slices, rows, columns).", remedy="spacing"
        )
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy array of numbers, or truncated; replace it.") from error
    if stored.ndim != 3 or stored.dtype.kind not in "iuf":
        raise InputError(
            f"{path} holds {stored.dtype} values of shape {stored.shape}; demottle needs real numbers as "
            "(slices, rows, columns)."
        )
    voxels = as_voxels(stored)
    return Image(
        voxels=voxels,
        spacing=spacing,
        modality=modality or "OT",
        unit=unit_of(modality),
        valid=outside_circle(voxels, modality),
        source=Source("npy", str(path), FilePayload(dtype=stored.dtype)),
    )


def write_npy(image: Image, path: Path) -> None:
    """Write the voxels in the source's data type where it was .npy, else as float32; geometry and history are lost."""
    payload = same_format_payload(image, "npy")
    if payload is None or image.source is None:
        np.save(path, image.voxels)
        return
    np.save(path, restore(image, np.load(check_source_readable(image.source.path), mmap_mode="r"), payload))
