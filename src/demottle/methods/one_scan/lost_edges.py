"""Put back the edges that a method blurred, averaged along themselves.

What a method removes at a faint edge is noise, and the edge's own steepness. Along the edge and from slice to slice the second
goes on and the first does not: so input minus output, averaged along the edge and over neighboring slices that show the same, is
mostly what was lost, with a good part of the noise gone. It is added where the output has an edge,

    y + e^4 / (e^4 + c^4) A(x - y),

x input, y output, e the steepness of y, A the average, c a share of the local noise level per pixel, more where what is left of
the noise is steep itself; and once more of what that leaves. Flat tissue gets hardly anything back. To smooth the residual of a
smoother and add it is Tukey's twicing (Exploratory Data Analysis, 1977; of pictures: Milanfar, IEEE Signal Processing Magazine
30, 2013); the average along edges and over slices is ours.
"""

from collections import OrderedDict

import cv2
import numpy as np

from demottle.image import Image, Voxels
from demottle.methods.one_scan.protection import fill_invalid
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.flat import flat_plane
from demottle.noise.local import NoiseMap, noise_map
from demottle.noise.slices import spread

ROUNDS = 2
FAINTEST = 0.08
"""Steepness in noise levels per pixel at which half comes back, at least."""
_ABOVE_REST = 2.5
"""Times the median steepness of flat tissue: there is no edge, and as steep is what is left of the noise."""
ALONG = 1.5
"""Standard deviation of the average along an edge, in pixels."""
_EDGE_SIGMA, _AROUND = 1.0, 1.0  # pixels: of the gradient, and of the mean of its direction
_POWER = 4
_SAME_SIGMA, _SAME = 2.0, 0.45  # pixels; noise levels by which smoothed slices differ that show the same tissue
_REACH = 2  # deviations along the edge
_MOST_SLICES = 12
_LEAST = 1e-3  # HU: a scan may hold no noise at all


def put_edges_back(image: Image, clean: Image, correlation: Correlation, level: float) -> Image:
    """Return `clean` with the edges that it lost.

    Args:
        image: what went in (slices, rows, columns), CT in HU with square pixels.
        clean: what a method made of it, of the same shape.
        correlation: correlation of the noise of `image` between slices.
        level: noise level of `image` in HU, of which the local one is made; 0 or NaN: nothing comes back.
    """
    if not level > 0:
        return clean
    local = noise_map(image, correlation, level)
    out = clean.voxels.copy()
    share = np.float32(max(FAINTEST, _ABOVE_REST * _rest(image, out, local)))
    faintest = [share * np.maximum(local.plane(index), _LEAST) for index in range(len(out))]
    for _ in range(ROUNDS):
        _one_round(image, out, faintest, max(local.level, _LEAST))
    return clean.with_voxels(out)


def _rest(image: Image, clean: Voxels, local: NoiseMap) -> float:
    """Return the median steepness of a result in flat tissue, in noise levels of the scan per pixel; 0 where none is flat."""
    found = []
    for index in spread(len(clean), _MOST_SLICES):
        steepness, _ = _edges(np.nan_to_num(clean[index]))
        flat = flat_plane(image, index)
        found.append((steepness / np.maximum(local.plane(index), _LEAST))[flat])
    together = np.concatenate(found)
    return float(np.median(together)) if together.size else 0.0


def _one_round(image: Image, out: Voxels, faintest: list[Voxels], level: float) -> None:
    """Add to `out`, in place, what its edges lack."""
    known: OrderedDict[int, tuple[Voxels, Voxels, Voxels]] = OrderedDict()  # as they were before anything was added
    for index in range(len(out)):
        for ahead in range(index, min(len(out), index + 2)):
            if ahead not in known:
                filled = fill_invalid(image.with_voxels(out), ahead)
                removed = np.nan_to_num(image.voxels[ahead] - out[ahead])
                known[ahead] = filled, removed, guide.smooth(filled, _SAME_SIGMA)
        edges, lost = _agreed(known, index, _SAME * level)
        steepness, direction = _edges(edges)
        share = steepness**_POWER / (steepness**_POWER + faintest[index] ** _POWER)
        out[index] += share * _along(lost, direction)
        known.pop(index - 1, None)


def _agreed(
    known: OrderedDict[int, tuple[Voxels, Voxels, Voxels]], index: int, tolerance: float
) -> tuple[Voxels, Voxels]:
    """Average a slice and its neighbors where they show the same: what came out, and what was removed."""
    own = known[index][2]
    weights = {other: np.exp(-(((part[2] - own) / np.float32(tolerance)) ** 2)) for other, part in known.items()}
    total = sum(weights.values(), np.zeros_like(own))
    clean, removed = (
        sum((weight * known[other][number] for other, weight in weights.items()), np.zeros_like(own)) / total
        for number in (0, 1)
    )
    return clean, removed


def _edges(plane: Voxels) -> tuple[Voxels, Voxels]:
    """Steepness in HU per pixel, and the direction across the edge in radians from the columns' axis (structure tensor)."""
    smooth = guide.smooth(plane, _EDGE_SIGMA)
    across, down = (
        cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, ksize=1, borderType=cv2.BORDER_REFLECT_101) / 2 for dx in (1, 0)
    )
    pairs = ((across, across), (down, down), (across, down))
    xx, yy, xy = (guide.smooth(np.asarray(one * other, np.float32), _AROUND) for one, other in pairs)
    return np.sqrt(xx + yy), np.asarray(0.5 * np.arctan2(2 * xy, xx - yy), np.float32)


def _along(plane: Voxels, direction: Voxels) -> Voxels:
    """Average along edges, a Gaussian."""
    rows, columns = plane.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    step_x, step_y = -np.sin(direction), np.cos(direction)
    reach = int(np.ceil(_REACH * ALONG))
    total, weights = np.zeros_like(plane), 0.0
    for step in range(-reach, reach + 1):
        weight = float(np.exp(-0.5 * (step / ALONG) ** 2))
        moved = np.float32(step)
        total += np.float32(weight) * cv2.remap(
            plane, x + moved * step_x, y + moved * step_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
        weights += weight
    return total / np.float32(weights)
