"""Multi-page TIFF: one page per slice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import demottle
from demottle.errors import InputError
from demottle.image import Image
from demottle.io.bombs import refuse_bomb, stored_size
from demottle.io.files.payload import (
    FilePayload,
    as_voxels,
    image_of,
    load_source,
    note,
    restore,
    same_format_payload,
    values_for_file,
)
from demottle.io.files.tiff_pages import pages_of, refuse_endless
from demottle.io.files.tiff_stated import Stated, stated
from demottle.io.formats import Given


def read(path: Path, given: Given) -> Image:
    """Read a TIFF whose pages are slices or frames; the spacing is the one given, else what the file states (`stated`).

    Raises:
        InputError: broken file; no spacing known; color; pages of different size; several channels; volumes over time.
    """
    stored, said = _load(path)
    chosen = given.spacing or said.spacing
    if chosen is None:
        raise InputError(
            f"{path} states no voxel size; give the spacing in mm (slices, rows, columns).", remedy="spacing"
        )
    return image_of(
        stored,
        FilePayload(dtype=stored.dtype, steps=len(said.history)),
        format="tiff",
        path=path,
        spacing=chosen,
        modality=given.modality or said.modality,
        history=said.history,
        sequence=said.timed,
    )


def _load(path: Path) -> tuple[NDArray[Any], Stated]:
    import tifffile

    refuse_endless(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            shapes = {(page.shape, page.dtype) for page in tiff.pages}
            held = sum(page.nbytes for page in tiff.pages)
            refuse_bomb(str(path), max(held, tiff.series[0].nbytes), stored_size(path))
            if len(shapes) != 1 or len(tiff.pages[0].shape) != 2:
                raise InputError(
                    f"{path} holds color pages or pages of different size; demottle needs equal gray slices."
                )
            said = stated(tiff, path)
            stored = pages_of(tiff, path)
    except InputError:
        raise
    except Exception as error:  # tifffile raises many types for a broken file
        raise InputError(f"{path} is not a readable TIFF, or truncated; replace it.") from error
    if stored.dtype.kind not in "iuf":
        raise InputError(f"{path} holds {stored.dtype} values; demottle needs real numbers.")
    return _calibrated(stored, *said.line), said


def _calibrated(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Return what the numbers mean; whole ones stay whole: a result has no calibration, and would be read without it."""
    if (slope, intercept) == (1.0, 0.0):
        return stored
    if slope == 1.0 and intercept.is_integer() and stored.dtype.kind in "iu":
        lowest, highest = int(stored.min()) + int(intercept), int(stored.max()) + int(intercept)
        limits = np.iinfo(np.int16)
        kind = np.int16 if limits.min <= lowest and highest <= limits.max else np.int64
        return (stored.astype(np.int64) + int(intercept)).astype(kind)
    return as_voxels(stored, slope, intercept)


def write(image: Image, path: Path, format: str) -> None:
    """Write one page per slice in the source's data type where it was TIFF, else float32; spacing and history in JSON.

    Raises as `demottle.io.write`.
    """
    import tifffile

    payload = same_format_payload(image, format)
    values: NDArray[Any] = values_for_file(image)
    if payload is not None:
        values = restore(image, load_source(image, _load)[0], payload)
    entries = {"spacing_mm": list(image.spacing), "demottle": json.loads(note(image))}
    tifffile.imwrite(
        path,
        values,
        photometric="minisblack",
        metadata=None,
        description=json.dumps(entries, ensure_ascii=True),
        software=f"demottle {demottle.__version__}",
    )
