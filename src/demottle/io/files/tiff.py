"""Multi-page TIFF: one page per slice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import demottle
from demottle.errors import InputError
from demottle.image import Image, ProcessingStep
from demottle.io.bombs import refuse_bomb, stored_size
from demottle.io.files.payload import (
    FilePayload,
    image_of,
    load_source,
    note,
    read_note,
    restore,
    same_format_payload,
    says_sequence,
    values_for_file,
)
from demottle.io.files.tiff_pages import refuse_endless
from demottle.io.formats import Given

Spacing = tuple[float, float, float]
Note = tuple[str | None, tuple[ProcessingStep, ...]]


def read(path: Path, given: Given) -> Image:
    """Read a TIFF whose pages are slices or frames. The spacing is the one given, or that of ImageJ's or demottle's own entries.

    Raises:
        InputError: broken file; no spacing known; color; pages of different size.
    """
    stored, stated, (said, history), timed = _load(path)
    modality = given.modality or said
    chosen = given.spacing or stated
    if chosen is None:
        raise InputError(
            f"{path} states no voxel size; give the spacing in mm (slices, rows, columns).", remedy="spacing"
        )
    payload = FilePayload(dtype=stored.dtype, steps=len(history))
    return image_of(
        stored, payload, format="tiff", path=path, spacing=chosen, modality=modality, history=history, sequence=timed
    )


def _load(path: Path) -> tuple[NDArray[Any], Spacing | None, Note, bool]:
    import tifffile

    refuse_endless(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            shapes = {(page.shape, page.dtype) for page in tiff.pages}
            refuse_bomb(str(path), sum(page.nbytes for page in tiff.pages), stored_size(path))
            if len(shapes) != 1 or len(tiff.pages[0].shape) != 2:
                raise InputError(
                    f"{path} holds color pages or pages of different size; demottle needs equal gray slices."
                )
            stored = np.stack([page.asarray() for page in tiff.pages])
            spacing, said, timed = _stated(tiff)
    except InputError:
        raise
    except Exception as error:  # tifffile raises many types for a broken file
        raise InputError(f"{path} is not a readable TIFF, or truncated; replace it.") from error
    if stored.dtype.kind not in "iuf":
        raise InputError(f"{path} holds {stored.dtype} values; demottle needs real numbers.")
    return stored, spacing, said, timed


def _stated(tiff: Any) -> tuple[Spacing | None, Note, bool]:
    """Return the spacing and note that demottle wrote, or the spacing that ImageJ wrote in mm; True for frames over time."""
    page = tiff.pages[0]
    try:
        entries = json.loads(page.description)
        slices, rows, columns = (float(value) for value in entries["spacing_mm"])
        own = json.dumps(entries.get("demottle"))
        return (slices, rows, columns), read_note(own), says_sequence(own)
    except (ValueError, KeyError, TypeError):
        pass
    entries = tiff.imagej_metadata or {}
    resolution = [page.tags.get(name) for name in ("YResolution", "XResolution")]
    nothing: Note = (None, ())
    timed = int(entries.get("frames", 1)) > 1
    step = _seconds(entries) if timed else entries.get("spacing")
    if entries.get("unit") not in ("mm", "millimeter") or not step or None in resolution:
        return None, nothing, timed
    per_mm = [tag.value[0] / tag.value[1] for tag in resolution]
    return (float(step), 1 / per_mm[0], 1 / per_mm[1]), nothing, timed


def _seconds(entries: dict[str, Any]) -> float | None:
    """ImageJ's time between frames."""
    if entries.get("finterval"):
        return float(entries["finterval"]) * (1e-3 if entries.get("tunit") in ("ms", "msec") else 1.0)
    return 1 / float(entries["fps"]) if entries.get("fps") else None


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
