"""From a scan to what a training keeps of it: slices, places inside the body, facts. Each scan is read once.

Values that are whole numbers, as scanners store them, are kept as int16, so that nothing is lost; others as float32.
"""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.io.output import staged
from demottle.learning.data.cohort import Facts, Scan
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.flat import valid_plane
from demottle.noise.level import noise_level
from demottle.noise.slices import spread

_GRID = 16  # as `learning.data.patches`
_FEWEST_SLICES = 4
_WIDEST = np.dtype(np.float32)


def keep(
    image: Image,
    name: str,
    label: str,
    patient: str,
    kernel: str,
    folder: Path,
    most_bytes: float,
    *,
    alike: bool = False,
) -> Scan:
    """Store what a training needs of one scan.

    Args:
        image: the scan.
        name, label, patient, kernel: as in `Facts`.
        folder: where it goes; what is there already is replaced.
        most_bytes: size limit of the stored slices; where the scan has more, some of them, evenly spread.
        alike: keep the same slices of scans of one shape, whichever way they are stored: of pairs.

    Raises:
        InputError: where there is no body in the scan.
    """
    whole = _whole_numbers(image.voxels)
    kind = np.dtype(np.int16 if whole else np.float32)
    rows, columns = image.shape[1:]
    each = rows * columns * (_WIDEST if alike else kind).itemsize
    indices = spread(image.shape[0], max(_FEWEST_SLICES, int(most_bytes / each)))
    with staged(folder, overwrite=True) as temporary:
        temporary.mkdir()
        centres, values = _write_slices(image, indices, kind, temporary / "slices.npy")
        if not len(values) or not len(centres):
            raise InputError(f"There is no body in {name}; leave it out of the training data.")
        np.save(temporary / "centres.npy", centres)
        low, high = (float(v) for v in np.percentile(values, [0.1, 99.9]))
        level = noise_level(image)
        facts = Facts(
            name=name,
            label=label,
            patient=patient,
            content=content_of(image),
            modality=image.modality,
            unit=image.unit,
            spacing=image.spacing,
            shape=image.shape,
            kept=tuple(indices),
            kernel=kernel,
            noise_level=float(level) if np.isfinite(level) else None,
            intensity=(low, high),
        )
        (temporary / "facts.json").write_text(json.dumps(asdict(facts)))
    return Scan(facts, folder)


def kept(folder: Path) -> Scan | None:
    """Return what was stored in a folder, or None."""
    try:
        values: dict[str, Any] = json.loads((folder / "facts.json").read_text())
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        facts = Facts(**values)
    except (OSError, ValueError, TypeError):
        return None
    return Scan(facts, folder)


def remove(folder: Path) -> None:
    """Remove a folder of stored scans."""
    shutil.rmtree(folder, ignore_errors=True)


def content_of(image: Image) -> str:
    """Hash of voxels and spacing: the same scan under another name has the same."""
    digest = hashlib.sha256(json.dumps(image.spacing).encode())
    for plane in image.voxels:
        digest.update(np.ascontiguousarray(plane).tobytes())
    return digest.hexdigest()


def _write_slices(image: Image, indices: list[int], kind: Any, file: Path) -> tuple[NDArray[np.int32], Voxels]:
    """Write some slices; return places inside the body (n, 3), as `Scan.centres`, and some of the values there."""
    slices = np.lib.format.open_memmap(file, mode="w+", dtype=kind, shape=(len(indices), *image.shape[1:]))
    centres, inside = [], []
    for position, index in enumerate(indices):
        filled, body = _filled_and_body(image, index)
        slices[position] = filled
        found = np.argwhere(body[_GRID // 2 :: _GRID, _GRID // 2 :: _GRID]) * _GRID + _GRID // 2
        centres.append(np.column_stack([np.full(len(found), position), found]))
        inside.append(filled[body][::_GRID])
    slices.flush()
    return np.concatenate(centres).astype(np.int32), np.concatenate(inside)


def _filled_and_body(image: Image, index: int) -> tuple[Voxels, NDArray[np.bool_]]:
    """One slice with padding replaced by its lowest valid value, and where the body is."""
    plane, valid = image.voxels[index], valid_plane(image, index)
    if valid is not None and not valid.all():
        plane = np.where(valid, plane, plane[valid].min() if valid.any() else 0).astype(np.float32)
    body = body_plane(guide.smooth(plane), image.unit)
    return plane, body if valid is None else body & valid


def _whole_numbers(voxels: Voxels) -> bool:
    limits = np.iinfo(np.int16)
    return all(
        plane.min() >= limits.min and plane.max() <= limits.max and np.array_equal(plane, np.rint(plane))
        for plane in voxels
    )
