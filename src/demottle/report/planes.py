"""The images of the page: slices of three planes, before and after, small enough to travel inside the page.

A browser shows 8 bits, but windows are chosen on the page, so values travel as 16-bit codes: value = offset + step x code.
A code's high byte and low byte are stacked as the upper and lower half of one 8-bit gray PNG, which every browser decodes
without loss. What was removed is not stored: the page subtracts.
"""

import base64
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import OutputError
from demottle.image import Image
from demottle.noise.slices import spread

Plane = NDArray[np.float32]
Layer = tuple[Image, Callable[[Plane], str]]

_PAIRS_PIXELS = 6_000_000  # of all planes together
_BYTES = 5_300_000  # of all planes together, coded: a page of under 6 MB whatever the noise
_SHARES = {"frames": 1.0, "axial": 0.6, "coronal": 0.2, "sagittal": 0.2}
_MOST = 40
_CT_RANGE = (-1400.0, 3000.0)
_MARGIN_MM = 8.0
_STEPS = 5.0


@dataclass(frozen=True)
class Coding:
    """How values become codes: code = round((value - offset) / step), from 0 to 65535."""

    offset: float
    step: float

    def codes(self, plane: Plane) -> NDArray[np.uint16]:
        """Return the codes of a plane; values outside the range become its ends."""
        finite = np.nan_to_num(plane.astype(np.float64), nan=self.offset)
        return np.clip(np.rint((finite - self.offset) / self.step), 0, 65535).astype(np.uint16)

    def coarser(self, noise: float) -> "Coding":
        """The coding for an image with that much noise, in steps of a fifth of it: 0.2 % more noise, and a page a fifth smaller.

        Never finer than this one; this one where the noise is not known.
        """
        return Coding(self.offset, max(self.step, noise / _STEPS)) if np.isfinite(noise) else self


@dataclass(frozen=True)
class Box:
    """The part of each slice that is shown: rows and columns as (start, stop)."""

    rows: tuple[int, int]
    columns: tuple[int, int]


def coding_of(image: Image, noise: float) -> Coding:
    """Return a coding fine against the noise: CT in steps of 0.5 to 2 HU, anything else in 8000 steps."""
    if image.unit == "HU":
        return Coding(_CT_RANGE[0], float(np.clip(noise / 12, 0.5, 2)) if np.isfinite(noise) else 1.0)
    sample = image.voxels[spread(image.shape[0], 8)]
    low, high = float(np.nanmin(sample)), float(np.nanmax(sample))
    room = 0.1 * max(high - low, 1e-6)
    return Coding(low - room, (high - low + 2 * room) / 8000)


def box_of(image: Image) -> Box:
    """Return the smallest box that holds the patient in every slice, with a margin; the whole slice where unsure."""
    rows, columns = image.shape[1:]
    whole = Box((0, rows), (0, columns))
    if image.unit != "HU":
        return whole
    seen = np.zeros((rows, columns), np.bool_)
    for z in spread(image.shape[0], 24):
        # Opening takes away the table and cables, which are thin.
        body = (cv2.GaussianBlur(np.nan_to_num(image.voxels[z]), (0, 0), 2) > -300).astype(np.uint8)
        seen |= cv2.morphologyEx(body, cv2.MORPH_OPEN, np.ones((15, 15), np.uint8)).astype(np.bool_)
    if not seen.any():
        return whole
    ends = []
    for axis, step, size in ((1, image.spacing[1], rows), (0, image.spacing[2], columns)):
        where = np.flatnonzero(seen.any(axis=axis))
        margin = round(_MARGIN_MM / step)
        ends.append((max(0, int(where[0]) - margin), min(size, int(where[-1]) + margin + 1)))
    return Box(ends[0], ends[1])


@dataclass(frozen=True)
class Cut:
    """One way through a volume: `take(image, i)` is plane i, `places` the planes worth showing, of `count` in all."""

    name: str
    word: str
    places: range
    count: int
    ratio: float  # width over height of a pixel
    margin: int
    take: Callable[[Image, int], Plane]


def plane_sets(
    before: Image,
    after: Image,
    coding: Coding,
    truth: Image | None = None,
    wanted: Collection[int] = (),
    layer: Layer | None = None,
    coding_before: Coding | None = None,
) -> list[dict[str, Any]]:
    """Return the planes as plain values for the page.

    Each plane has a name, width and height of its images, `aspect` (width over height in mm), and slices with a number, a
    label and two PNG as base64; three with a truth. Frames of fluoroscopy have one plane only. `wanted` are numbers of
    slices that must be among the axial ones. `layer`: another image, which goes along as `layer`, and how a plane of it is coded.
    `coding_before`: of the image before; None: the same.
    """
    cuts = _cuts(before)
    images = {"before": before, "after": after} | ({} if truth is None else {"truth": truth})
    codings = dict.fromkeys(images, coding) | ({} if coding_before is None else {"before": coding_before})
    shares = [_SHARES[cut.name] / sum(_SHARES[cut.name] for cut in cuts) for cut in cuts]
    pixels = 2 * _PAIRS_PIXELS / len(images)
    return [
        _plane_set(cut, images, codings, pixels * share, _BYTES * share, () if place else wanted, layer)
        for place, (cut, share) in enumerate(zip(cuts, shares, strict=True))
    ]


def _cuts(image: Image) -> list[Cut]:
    box = box_of(image)
    (top, bottom), (left, right) = box.rows, box.columns
    slices, rows, columns = image.shape
    dz, dy, dx = image.spacing
    if image.sequence:
        return [Cut("frames", "frame", range(slices), slices, dx / dy, 0, lambda im, i: im.voxels[i])]
    cuts = [
        Cut("axial", "slice", range(slices), slices, dx / dy, 0, lambda im, i: im.voxels[i, top:bottom, left:right])
    ]
    if slices < 8:
        return cuts
    # The last slice is on top: DICOM sorts slices from feet to head. The outermost planes show little but skin.
    down, across = range(top, bottom), range(left, right)
    cuts.append(
        Cut("coronal", "plane", down, rows, dx / dz, len(down) // 6, lambda im, i: im.voxels[::-1, i, left:right])
    )
    cuts.append(
        Cut(
            "sagittal",
            "plane",
            across,
            columns,
            dy / dz,
            len(across) // 6,
            lambda im, i: im.voxels[::-1, top:bottom, i],
        )
    )
    return cuts


def _plane_set(
    cut: Cut,
    images: dict[str, Image],
    codings: dict[str, Coding],
    pixels: float,
    bytes_left: float,
    wanted: Collection[int],
    layer: Layer | None,
) -> dict[str, Any]:
    height, width = cut.take(images["before"], cut.places[0]).shape
    middle = cut.places[len(cut.places) // 2]
    heavy = sum(len(encoded(codings[name].codes(cut.take(image, middle)))) for name, image in images.items())
    count = max(1, min(int(pixels / (width * height)), int(bytes_left / heavy), _MOST))
    chosen = [cut.places[i] for i in spread(len(cut.places), count, cut.margin)]
    chosen = sorted({*chosen, *wanted})
    return {
        "name": cut.name,
        "width": width,
        "height": height,
        "aspect": width * cut.ratio / height,
        "slices": [
            {
                "number": i,
                "label": f"{cut.word} {i + 1} of {cut.count}",
                **{name: encoded(codings[name].codes(cut.take(image, i))) for name, image in images.items()},
                **({} if layer is None else {"layer": layer[1](cut.take(layer[0], i))}),
            }
            for i in chosen
        ],
    }


def encoded(codes: NDArray[np.uint16]) -> str:
    """Return 16-bit codes (rows, columns) as a base64 PNG of 2 x rows: the high bytes above, the low bytes below."""
    return png(np.concatenate([codes >> 8, codes & 255]).astype(np.uint8))


def png(plane: NDArray[np.uint8]) -> str:
    """Return a gray plane (rows, columns) as a base64 PNG."""
    done, data = cv2.imencode(".png", plane, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE])
    if not done:
        raise OutputError("An image of the report could not be encoded as PNG; nothing was written.")
    return base64.b64encode(data.tobytes()).decode("ascii")
