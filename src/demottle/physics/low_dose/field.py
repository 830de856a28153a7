"""What of a slice the rays see: padding, a body cut off by the field of view, and the lowest CT number a scanner stores."""

import cv2
import numpy as np

from demottle.errors import InputError
from demottle.image import Image, Mask, Voxels
from demottle.noise.slices import spread

_AIR_HU = -1000.0
_TISSUE_HU = -300.0
_MOST_OUTSIDE = 0.08
"""Share of a slice's edge that may be tissue: a table or a touching elbow, not a body that goes on outside."""
_MANY_SLICES = 0.1  # of the scan that may be cut off
_BLANK = 15
_FLOOR_SHARE = 1e-3  # of the voxels that hold the lowest value, where values were clamped to it


def seen_by_rays(image: Image, index: int) -> Voxels:
    """Return a slice in HU, with air where it holds no measurement."""
    plane = image.voxels[index]
    if image.valid is None:
        return np.asarray(plane)
    return np.asarray(np.where(image.valid[index], plane, np.float32(_AIR_HU)))


def check_field(image: Image, accept_truncated: bool) -> tuple[str, ...]:
    """Return a warning where the body reaches beyond the field of view and that is accepted.

    Rays then pass through less tissue than they did in the scanner, so noise comes out too even.

    Raises:
        InputError: where it is not accepted.
    """
    indices = spread(image.shape[0], 48)
    shares = {index: edge_tissue(image, index) for index in indices}
    cut = [index for index, share in shares.items() if share > _MOST_OUTSIDE]
    if len(cut) <= _MANY_SLICES * len(indices):
        return ()
    worst = max(cut, key=lambda index: shares[index])
    found = (
        f"The body reaches beyond the field of view in {len(cut)} of {len(indices)} slices looked at (slice {worst}: "
        f"{100 * shares[worst]:.0f} % of the edge is tissue), so the attenuation of the rays is not known"
    )
    if not accept_truncated:
        raise InputError(f"{found}; use a reconstruction with a larger field of view, or --accept-truncated.")
    return (f"{found}: the noise comes out too even.",)


def edge_tissue(image: Image, index: int) -> float:
    """Share, 0 to 1, of the edge of the measured field of one slice that is tissue, smoothed over 5 pixels."""
    plane = cv2.blur(seen_by_rays(image, index), (5, 5), borderType=cv2.BORDER_REFLECT_101)
    edge = _edge(image, index)
    return float(np.mean(plane[edge] > _TISSUE_HU)) if edge.any() else 0.0


def _edge(image: Image, index: int) -> Mask:
    """Pixels 4 in from where measurements end: clear of the blur of padding."""
    shape = image.shape[1:]
    inside = np.ones(shape, np.uint8) if image.valid is None else image.valid[index].astype(np.uint8)
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    inner = cv2.erode(inside, element, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    innermost = cv2.erode(inner, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    out: Mask = (inner > 0) & (innermost == 0)
    return out


def floor_of(image: Image) -> float | None:
    """Return the lowest CT number, where so many voxels hold it that the scanner must have clamped to it; None otherwise."""
    lowest, total = np.inf, 0
    for index in range(image.shape[0]):
        measured = _measured(image, index)
        if measured.size:
            lowest, total = min(lowest, float(measured.min())), total + measured.size
    if not total:
        return None
    count = sum(int(np.count_nonzero(_measured(image, index) == lowest)) for index in range(image.shape[0]))
    return lowest if count > _FLOOR_SHARE * total else None


def blank(plane: Voxels, low: float) -> Mask:
    """Return where a slice holds the lowest value in blocks of 15 x 15 pixels: air has noise, so this was never measured."""
    lowest = (plane == np.float32(low)).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(lowest, cv2.MORPH_OPEN, np.ones((_BLANK, _BLANK), np.uint8)) > 0)


def _measured(image: Image, index: int) -> Voxels:
    plane = image.voxels[index]
    return plane.ravel() if image.valid is None else np.asarray(plane[image.valid[index]])
