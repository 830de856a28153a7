"""The display shutter of an X-ray image: what lies behind it is not shown, and so not measured and not changed."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from pydicom.dataset import Dataset

from demottle.image import Mask
from demottle.io.dicom.slice_header import integer

_EDGES = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")


def shutter_of_files(datasets: Sequence[Dataset], frames: int, rows: int, columns: int) -> Mask | None:
    """As `shutter_of_frames`, of a run that lies in one file, or in a file for each frame."""
    if len(datasets) == 1:
        return shutter_of_frames(datasets[0], frames, rows, columns)
    masks = [shutter_mask(dataset, rows, columns) for dataset in datasets]
    if all(mask is None for mask in masks):
        return None
    return np.stack([np.ones((rows, columns), np.bool_) if mask is None else mask for mask in masks])


def shutter_of_frames(dataset: Dataset, frames: int, rows: int, columns: int) -> Mask | None:
    """Return what is seen of each frame of a run, shape (frames, rows, columns); None where no shutter hides anything.

    The shutter of an enhanced object lies in its functional groups, and may be another one in each frame.
    """
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    own = [_group_of(groups) for groups in per_frame]
    if len(own) == frames and any(group is not None for group in own):
        seen = np.ones((frames, rows, columns), np.bool_)
        for index, group in enumerate(own):
            mask = None if group is None else shutter_mask(group, rows, columns)
            if mask is not None:
                seen[index] = mask
        return None if seen.all() else seen
    shared = dataset.get("SharedFunctionalGroupsSequence")
    group = _group_of(shared[0]) if shared else None
    mask = shutter_mask(dataset if group is None else group, rows, columns)
    return None if mask is None else np.broadcast_to(mask, (frames, rows, columns))


def _group_of(groups: Dataset) -> Dataset | None:
    found = groups.get("FrameDisplayShutterSequence")
    return found[0] if found else None


def shutter_mask(dataset: Dataset, rows: int, columns: int) -> Mask | None:
    """Return what is seen through all shutters of an image (PS3.3 C.7.6.11), shape (rows, columns); None without a shutter.

    A shutter whose numbers are missing, or that leaves nothing to see, is taken as not there.
    """
    shapes = dataset.get("ShutterShape")
    if not shapes:
        return None
    seen = np.ones((rows, columns), np.bool_)
    y, x = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)[None]  # DICOM counts from 1
    for shape in [shapes] if isinstance(shapes, str) else list(shapes):
        if shape == "RECTANGULAR":
            found = [integer(dataset, f"Shutter{edge}Edge") for edge in _EDGES]
            edges = [edge for edge in found if edge is not None]
            if len(edges) == len(_EDGES):
                left, right, top, bottom = edges
                seen &= (x > left) & (x < right) & (y > top) & (y < bottom)
        elif shape == "CIRCULAR":
            center, radius = (
                _integers(dataset.get("CenterOfCircularShutter")),
                integer(dataset, "RadiusOfCircularShutter"),
            )
            if len(center) == 2 and radius:
                seen &= (y - center[0]) ** 2 + (x - center[1]) ** 2 <= radius**2
        elif shape == "POLYGONAL":
            corners = _integers(dataset.get("VerticesOfThePolygonalShutter"))
            if len(corners) >= 6 and len(corners) % 2 == 0:
                points = np.array(corners, np.int32).reshape(-1, 2)[:, ::-1] - 1
                inside = np.zeros((rows, columns), np.uint8)
                cv2.fillPoly(inside, [points], 1)
                seen &= inside > 0
        elif shape == "BITMAP":
            hidden = _bitmap(dataset, rows, columns)
            if hidden is not None:
                seen &= ~hidden
    return seen if seen.any() and not seen.all() else None


def _bitmap(dataset: Dataset, rows: int, columns: int) -> Mask | None:
    """Return what the overlay of a bitmap shutter hides (PS3.3 C.7.6.15); None without one of the image's own size."""
    group = integer(dataset, "ShutterOverlayGroup")
    try:
        hidden = dataset.overlay_array(group or 0x6000).astype(np.bool_)
    except (AttributeError, KeyError, TypeError, ValueError):  # without overlay, or with a broken one
        return None
    return hidden if hidden.shape == (rows, columns) else None


def _integers(value: Any) -> list[int]:
    try:
        return [int(item) for item in value] if value is not None else []
    except (TypeError, ValueError):
        return []
