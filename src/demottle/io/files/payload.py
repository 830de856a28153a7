"""What the readers of single-file formats keep for the writer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, OutputError, counted
from demottle.image import Image, Mask, ProcessingStep, Source
from demottle.io.dicom.headers.marks import step_as_dict
from demottle.io.files.stored import to_stored
from demottle.io.payload import Payload, payload_of
from demottle.io.values.areas import area_doubt
from demottle.io.values.ct_units import shows_air_and_tissue
from demottle.io.values.padding import outside_circle, padding_in
from demottle.io.values.scale import scale_doubt

Loaded = TypeVar("Loaded")
_SHOWN = (
    "The file does not say whether this is CT or MR; air near -1000 and tissue near 0 show that it is CT in Hounsfield units, "
    "and it is taken as such."
)


@dataclass(frozen=True)
class FilePayload(Payload):
    """Payload of a file that holds a whole volume; the header has the format's own type, the values stay on disk.

    Attributes:
        dtype: dtype of the values as stored.
        slope: slope of voxel = slope * stored + intercept.
        intercept: intercept of the same.
        header: the format's own.
        axis: axis of the file's (columns, rows, slices) that the image has as its slices.
        missing: True where the file holds no number (NaN, infinite), shape of the image; None: nowhere.
    """

    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    slope: float = 1.0
    intercept: float = 0.0
    header: Any = field(default=None, repr=False)
    axis: int = 2
    missing: Mask | None = field(default=None, repr=False)


def as_voxels(stored: NDArray[Any], slope: float = 1.0, intercept: float = 0.0) -> NDArray[np.float32]:
    """Return slope * stored + intercept as float32, computed slice by slice in double precision."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large becomes infinite, and so is not measured
        if slope == 1.0 and intercept == 0.0:  # a copy: `stored` may lie in a file or in another library's hands
            return np.array(stored, np.float32, order="C")
        voxels = np.empty(stored.shape, np.float32)
        for index, plane in enumerate(stored):
            voxels[index] = plane.astype(np.float64) * slope + intercept
    return voxels


def image_of(
    stored: NDArray[Any],
    payload: FilePayload,
    *,
    format: str,
    path: Path,
    spacing: tuple[float, float, float],
    modality: str | None,
    history: tuple[ProcessingStep, ...] = (),
    sequence: bool = False,
    unsaid: str = "",
    intent: str = "",
) -> Image:
    """Make the image of a file's values: what all readers of single-file formats do in the end.

    Args:
        stored: values (slices, rows, columns) as the file holds them.
        payload: what the writer will need; its slope and intercept give `stored` its meaning.
        format, path: format and path of the file.
        spacing: mm between slices, rows, columns.
        modality: None where nobody says: CT where air and tissue show it. "CT" makes the unit HU and leaves out what lies outside
            the reconstruction circle.
        history: what the file says was done to it.
        sequence: True for frames over time, whatever the modality.
        unsaid: what to warn of, as the first half of a sentence, where nobody says the modality.
        intent: what the file says that it holds instead of a scan, as a noun; empty where it says nothing.

    Raises:
        InputError: the file holds no voxels, or what `Image` refuses.
    """
    if not stored.size:
        raise InputError(f"{path} holds no voxels (its shape is {stored.shape}); replace it.")
    voxels = as_voxels(stored, payload.slope, payload.intercept)
    missing = _fill_missing(voxels, path)
    if modality is None:
        shown = not sequence and shows_air_and_tissue(voxels, None if missing is None else ~missing)
        modality = "CT" if shown else None
        told = _SHOWN if shown else f"{unsaid}; values are taken as they are, in no particular unit." if unsaid else ""
        payload = replace(payload, warnings=(*((told,) if told else ()), *payload.warnings))
    valid = measured_in(voxels, modality)
    if missing is not None:
        told = f"{counted(int(missing.sum()), 'voxel')} without a number (NaN or infinite): kept, not measured."
        payload = replace(payload, missing=missing, warnings=(*payload.warnings, told))
        valid = ~missing if valid is None else valid & ~missing
    areas = area_doubt(voxels, intent)  # of which an offset or a second rescale is nothing to tell
    doubt = areas or (scale_doubt(voxels, valid) if modality == "CT" else "")
    if doubt:
        payload = replace(payload, warnings=(*payload.warnings, doubt))
    return Image(
        voxels=voxels,
        spacing=spacing,
        modality=modality or "OT",
        unit=unit_of(modality),
        valid=valid,
        source=Source(format, str(path), payload),
        history=history,
        sequence=sequence,
    )


def _fill_missing(voxels: NDArray[np.float32], path: Path) -> Mask | None:
    """Put the lowest number of the volume where there is none, in place; return where that was, None: nowhere.

    Filters that look at neighbors need a number there.
    """
    lowest, found = np.inf, False
    for plane in voxels:  # slice by slice: no mask of the whole volume unless it is needed
        finite = np.isfinite(plane)
        found |= not finite.all()
        lowest = min(lowest, float(plane[finite].min())) if finite.any() else lowest
    if not found:
        return None
    if not np.isfinite(lowest):
        raise InputError(f"{path} holds no numbers, only NaN or infinite values.")
    missing: Mask = ~np.isfinite(voxels)
    voxels[missing] = lowest
    return missing


def values_for_file(image: Image) -> NDArray[np.float32]:
    """Return the voxels for a file of floating-point numbers, NaN where the source held no number."""
    payload = payload_of(image)
    if not isinstance(payload, FilePayload) or payload.missing is None or payload.missing.shape != image.shape:
        return image.voxels
    return np.where(payload.missing, np.float32(np.nan), image.voxels)


def same_format_payload(image: Image, format: str) -> FilePayload | None:
    """Return the payload if the image came from a file of this format, whose header and data type it then keeps."""
    payload = payload_of(image)
    if image.source is None or image.source.format != format or not isinstance(payload, FilePayload):
        return None
    return payload


def restore(image: Image, stored: NDArray[Any], payload: FilePayload) -> NDArray[Any]:
    """Return the values to store, in the source's data type; unchanged voxels keep their exact stored value.

    Raises:
        OutputError: the source file no longer has the image's shape.
    """
    if stored.shape != image.shape:
        raise OutputError(
            f"The source has changed since it was read: it now has shape {stored.shape}, not {image.shape}."
        )
    limits = None
    if np.issubdtype(stored.dtype, np.integer):
        info = np.iinfo(stored.dtype)
        limits = (int(info.min), int(info.max))
    result = np.empty(stored.shape, stored.dtype)
    for index, plane in enumerate(stored):
        result[index] = to_stored(
            image.voxels[index],
            as_voxels(plane[None], payload.slope, payload.intercept)[0],
            plane,
            slope=payload.slope,
            intercept=payload.intercept,
            limits=limits,
            valid=None if image.valid is None else image.valid[index],
        )
    return result


def measured_in(voxels: NDArray[np.float32], modality: str | None) -> Mask | None:
    """Return where a CT volume holds measurements; None: everywhere, or the image is not CT.

    Not measured are regions at the border of a slice, or large ones (`padding_in`), of what scanners put outside the
    reconstruction circle (`outside_circle`).
    """
    if modality != "CT":
        return None
    valid: Mask | None = None
    for index, plane in enumerate(voxels):  # slice by slice: no mask of the whole volume unless it is needed
        outside = outside_circle(plane)
        if outside.any():
            valid = np.ones(voxels.shape, np.bool_) if valid is None else valid
            valid[index] = ~padding_in(outside)
    return valid


def unit_of(modality: str | None) -> str:
    """Return "HU" for CT, "a.u." for all else."""
    return "HU" if modality == "CT" else "a.u."


def load_source(image: Image, load: Callable[[Path], Loaded]) -> Loaded:
    """Load the image's source again: its header and values are needed for writing.

    Raises:
        OutputError: it is gone, or no longer what it was.
    """
    path = image.source.path if image.source is not None else ""
    if not Path(path).is_file():
        raise OutputError(f"The source {path} is gone; its header is needed.")
    try:
        return load(Path(path))
    except InputError as error:
        raise OutputError(f"The source has changed since it was read: {error}") from error


def note(image: Image) -> str:
    """Return demottle's own entry for a file's header, as JSON: the modality, the history, and whether it is a run of frames."""
    modality = "OT" if (image.modality, image.unit) == ("CT", "a.u.") else image.modality  # "CT" would be read as HU
    entries: dict[str, Any] = {"modality": modality, "history": [step_as_dict(step) for step in image.history]}
    if image.sequence:
        entries["sequence"] = True
    return json.dumps(entries, sort_keys=True)


def says_sequence(text: str) -> bool:
    """True where what `note` wrote says that the image is a run of frames."""
    try:
        return bool(json.loads(text)["sequence"])
    except (KeyError, TypeError, ValueError):
        return False


def read_note(text: str) -> tuple[str | None, tuple[ProcessingStep, ...]]:
    """Return modality (None for "OT") and history from what `note` wrote; nothing for any other text."""
    try:
        entries = json.loads(text)
        history = tuple(ProcessingStep(**step) for step in entries["history"])
        return (None if entries["modality"] == "OT" else str(entries["modality"])), history
    except (KeyError, TypeError, ValueError):
        return None, ()
