"""Siemens MOSAIC: the slices of one volume as tiles of one image. Each tile becomes a slice, and goes back into its place.

The number of slices and their direction lie in private elements: in the CSA header, which nibabel reads, the number also in
(0019,xx0A). ImagePositionPatient is that of an image as large as the mosaic around the first slice's center, so the first
slice's corner lies half the difference of both sizes further in (nibabel's documentation, "dicom_mosaic").
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from demottle.errors import InputError
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.slice_header import SliceHeader, slice_header

NO_DIRECTION = (
    "The MOSAIC does not say on which side of a slice the next one lies, because its CSA header is missing: where the slices lie "
    "in the patient is not known."
)
_NEARLY_ALONG = 0.9


def scan_mosaic(file: FileRef, brief: Dataset) -> list[SliceHeader]:
    """Return one header for each slice of a mosaic; `frame` is the tile's number, `tiles` how many lie side by side.

    Raises:
        InputError: it does not say how many slices it holds, or that number does not fit its size.
    """
    with file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    csa = _csa_header(dataset)
    count = _count(dataset, csa)
    if count is None:
        raise InputError(
            f"{file.name} is a Siemens MOSAIC (many slices as tiles of one image) that does not say how many slices it holds "
            "(NumberOfImagesInMosaic); it cannot be unpacked. Export the series again with its private elements."
        )
    whole = slice_header(file, brief, None, brief)
    side = math.ceil(math.sqrt(count))
    rows, columns = whole.rows // side, whole.columns // side
    if rows * side != whole.rows or columns * side != whole.columns:
        raise InputError(
            f"{file.name} is a Siemens MOSAIC that says it holds {count} slices, but {whole.rows} x {whole.columns} pixels "
            f"cannot be {side} x {side} tiles; it is broken."
        )
    places, known = _places(whole, csa, count, rows, columns)
    traits = whole.traits if known else {**whole.traits, UNPLACED: NO_DIRECTION}
    tile = replace(whole, rows=rows, columns=columns, tiles=side, traits=traits)
    return [replace(tile, frame=index, position=place) for index, place in enumerate(places)]


UNPLACED = "not placed"
"""Trait of tiles and frames of which it is not known where they lie; its value says why."""


def _places(
    whole: SliceHeader, csa: dict[str, Any], count: int, rows: int, columns: int
) -> tuple[Sequence[tuple[float, ...] | None], bool]:
    """Where the first voxel of each tile lies, mm; and whether the direction from slice to slice is known."""
    if whole.position is None or whole.orientation is None or whole.pixel_spacing is None:
        return [None] * count, False
    across, down = np.asarray(whole.orientation[:3]), np.asarray(whole.orientation[3:])
    between, beside = whole.pixel_spacing
    corner = np.asarray(whole.position)
    corner = corner + across * beside * (whole.columns - columns) / 2 + down * between * (whole.rows - rows) / 2
    normal = np.cross(across, down)
    stated = _vector(csa, "SliceNormalVector")
    along = 0.0 if stated is None else float(normal @ stated)
    known = abs(along) > _NEARLY_ALONG
    step = (whole.spacing_between or whole.thickness or 1.0) * (normal if along >= 0 else -normal)
    return [tuple((corner + index * step).tolist()) for index in range(count)], known


def _count(dataset: Dataset, csa: dict[str, Any]) -> int | None:
    found = _items(csa, "NumberOfImagesInMosaic")
    if not found:
        try:
            found = [dataset.private_block(0x0019, "SIEMENS MR HEADER")[0x0A].value]
        except KeyError:
            return None
    try:
        value = found[0]
        count = int.from_bytes(value, "little") if isinstance(value, bytes) else int(value)
    except (TypeError, ValueError, IndexError):
        return None
    return count if count > 0 else None


def _csa_header(dataset: Dataset) -> dict[str, Any]:
    """The image's CSA header as nibabel reads it; empty where there is none, or it is broken."""
    try:
        raw = dataset.private_block(0x0029, "SIEMENS CSA HEADER")[0x10].value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental
            from nibabel.nicom import csareader as untyped_reader
        csareader: Any = untyped_reader
        tags: dict[str, Any] = csareader.read(bytes(raw))["tags"]
    except Exception:  # absent, or any bytes
        return {}
    return tags


def _items(csa: dict[str, Any], name: str) -> list[Any]:
    return list(csa.get(name, {}).get("items") or [])


def _vector(csa: dict[str, Any], name: str) -> NDArray[np.float64] | None:
    try:
        values = np.array([float(item) for item in _items(csa, name)])
    except (TypeError, ValueError):
        return None
    return values if values.shape == (3,) and np.isfinite(values).all() else None
