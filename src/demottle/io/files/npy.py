"""NumPy's .npy: bare voxels; the user gives the spacing."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.io.bombs import refuse_bomb, stored_size
from demottle.io.files.payload import FilePayload, image_of, load_source, restore, same_format_payload, values_for_file
from demottle.io.formats import Given


def read(path: Path, given: Given) -> Image:
    """Read an array (slices, rows, columns) of numbers.

    Raises:
        InputError: no spacing given; broken file; not three-dimensional; not real numbers.
    """
    if given.spacing is None:
        raise InputError(
            f"{path} states no voxel size; give the spacing in mm (slices, rows, columns).", remedy="spacing"
        )
    stored = _load(path)
    payload = FilePayload(dtype=stored.dtype)
    return image_of(stored, payload, format="npy", path=path, spacing=given.spacing, modality=given.modality)


def _load(path: Path) -> NDArray[Any]:
    broken = f"{path} is not a readable .npy array of numbers, or truncated; replace it."
    try:
        stored: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy reads the header as Python, which raises many types
        raise InputError(broken) from error
    if not isinstance(stored, np.ndarray):  # .npz by another name
        raise InputError(broken)
    if stored.ndim != 3 or stored.dtype.kind not in "iuf":
        raise InputError(
            f"{path} holds {stored.dtype} values of shape {stored.shape}; demottle needs real numbers as "
            "(slices, rows, columns)."
        )
    refuse_bomb(str(path), stored.nbytes, stored_size(path))
    return stored


def write(image: Image, path: Path, format: str) -> None:
    """Write the voxels in the source's data type where it was .npy, else as float32; geometry and history are lost."""
    payload = same_format_payload(image, format)
    np.save(path, values_for_file(image) if payload is None else restore(image, load_source(image, _load), payload))
