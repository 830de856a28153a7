"""GRID of United Imaging (UIH): the slices of one volume as tiles of one image, as in a Siemens MOSAIC.

ImageType says VFRAME, (0065,1050) how many slices there are, and each item of (0065,1051) where one lies. Tiles fill rows of
ceil(sqrt(count)); as many rows as that takes (dcm2niix, its page on UIH).
"""

import math
from dataclasses import replace
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.values import convert_SQ

from demottle.errors import InputError
from demottle.io.dicom.files import FileRef
from demottle.io.dicom.slice_header import SliceHeader, numbers, slice_header

MARK = "VFRAME"
"""Value of ImageType that says it."""
_COUNT, _FRAMES = Tag(0x0065, 0x1050), Tag(0x0065, 0x1051)


def scan_grid(file: FileRef, brief: Dataset) -> list[SliceHeader]:
    """Return one header for each slice of a grid; `frame` is the tile's number.

    Raises:
        InputError: it does not say where its slices lie, or their number does not fit its size.
    """
    with file.open() as stream:
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    places = [numbers(item, "ImagePositionPatient", 3) for item in _frames(dataset)]
    if not places or None in places or _stated_count(dataset) not in (None, len(places)):
        raise InputError(
            f"{file.name} is a GRID of United Imaging (many slices as tiles of one image) that does not say where each of its "
            "slices lies (0065,1051), so it cannot be unpacked; export the series with its private elements, or slice by slice."
        )
    whole = slice_header(file, brief, None, brief)
    across = math.ceil(math.sqrt(len(places)))
    down = math.ceil(len(places) / across)
    if whole.rows % down or whole.columns % across:
        raise InputError(
            f"{file.name} is a GRID of United Imaging that says it holds {len(places)} slices, but {whole.rows} x "
            f"{whole.columns} pixels cannot be {down} x {across} tiles; it is broken."
        )
    tile = replace(whole, rows=whole.rows // down, columns=whole.columns // across, tiles=across, tile_rows=down)
    return [replace(tile, frame=index, position=place) for index, place in enumerate(places)]


def _frames(dataset: Dataset) -> list[Dataset]:
    """Items of the private sequence; bytes where the file does not say that it is one."""
    value: Any = dataset[_FRAMES].value if _FRAMES in dataset else None
    if isinstance(value, bytes):
        try:
            value = convert_SQ(value, dataset.is_implicit_VR is not False, True)
        except Exception:  # any bytes
            return []
    return [item for item in value or () if isinstance(item, Dataset)]


def _stated_count(dataset: Dataset) -> int | None:
    value: Any = dataset[_COUNT].value if _COUNT in dataset else None
    try:
        return int(float(value.decode("ascii").strip(" \0") if isinstance(value, bytes) else value))
    except (TypeError, ValueError):
        return None
