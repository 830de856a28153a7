"""The middle slice of a series before and after, as PNG, both in one window."""

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from demottle.node.queue.rounds import result_folder
from demottle.node.queue.shown import files_of_series
from demottle.node.web.site import Site
from demottle.report.planes import png

_LARGEST = 512
_CT = (40.0, 400.0)  # soft tissue
Plane = NDArray[np.float32]


def picture(site: Site, series: dict[str, Any], which: str) -> bytes | None:
    """Return the middle slice, "before" or "after"; None where there is none (not done yet, purged, unreadable)."""
    before = [site.told.folder / file for file in files_of_series(site.queue, series["id"])]
    files = before
    if which == "after":
        files = next(filter(None, (_made(site, one["id"]) for one in series["rounds"])), [])
    if which not in ("before", "after") or not before or not files:
        return None
    try:
        return _drawn(_middle(tuple(files)), _middle(tuple(before)))
    except Exception:  # decoders and pydicom raise many types; a series without a picture still stands in the list
        return None


def _made(site: Site, round: int) -> list[Path]:
    images = result_folder(site.told.folder, round) / "images"
    return sorted(images.rglob("*.dcm"))


@lru_cache(maxsize=256)
def _middle(files: tuple[Path, ...]) -> Path:
    """The slice in the middle, by place where it is stated."""

    def place(file: Path) -> tuple[float, float, str]:
        header = pydicom.dcmread(
            file,
            specific_tags=["ImagePositionPatient", "ImageOrientationPatient", "InstanceNumber"],
            stop_before_pixels=True,
        )
        at, turned = header.get("ImagePositionPatient"), header.get("ImageOrientationPatient")
        along = 0.0
        if at is not None and turned is not None:
            along = float(np.dot(np.cross(turned[:3], turned[3:]), np.asarray(at, float)))
        return along, float(header.get("InstanceNumber") or 0), file.name

    return sorted(files, key=place)[len(files) // 2]


@lru_cache(maxsize=64)
def _drawn(file: Path, reference: Path) -> bytes:
    low, high = _window(reference)
    plane = _plane(file)
    step = -(-max(plane.shape) // _LARGEST)
    gray = np.clip((plane[::step, ::step] - low) / (high - low), 0, 1) * 255
    if str(pydicom.dcmread(file, stop_before_pixels=True).get("PhotometricInterpretation")) == "MONOCHROME1":
        gray = 255 - gray
    return base64.b64decode(png(np.ascontiguousarray(np.rint(gray).astype(np.uint8))))


def _plane(file: Path) -> Plane:
    """The middle frame in the image's unit."""
    from pydicom.pixels.processing import apply_modality_lut

    header = pydicom.dcmread(file)
    frames = int(header.get("NumberOfFrames") or 1)
    stored = header.pixel_array if frames == 1 else header.pixel_array[frames // 2]
    return np.asarray(apply_modality_lut(stored, header), np.float32)


@lru_cache(maxsize=256)
def _window(file: Path) -> tuple[float, float]:
    """Black and white of both pictures."""
    if str(pydicom.dcmread(file, specific_tags=["Modality"], stop_before_pixels=True).get("Modality")) == "CT":
        center, width = _CT
        return center - width / 2, center + width / 2
    low, high = (float(value) for value in np.percentile(_plane(file), [1, 99.7]))
    return low, max(high, low + 1e-6)
