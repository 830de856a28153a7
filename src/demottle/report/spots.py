"""Spots that are not noise, as the page's viewer marks them: circles, and the map they come from as a layer in color."""

from collections.abc import Collection
from typing import Any

import numpy as np

from demottle.image import Image
from demottle.quality.check.spots.spots import REMOVED
from demottle.quality.check.whole import Check
from demottle.report.planes import box_of, png

_LEAST = 4.0  # pixels: a smaller circle hides what it is around
_AROUND = 0.8  # diameters
_FINENESS = 16  # codes of the layer for a score of 1
_ZERO = 128  # the code of a score of 0
_SEEN = 0.4  # what noise leaves in every slice: not shown, so that a slice without spots is bare and takes no room


def spotted(check: Check) -> list[int]:
    """Return the numbers of the slices with a spot, from 0."""
    return [] if check.spots is None else sorted({spot.slice for spot in check.spots.spots})


def marks(image: Image, check: Check) -> list[dict[str, Any]]:
    """Return a circle for each spot, on the part of a slice that is shown; as plain values, in the order of the list.

    `slice` from 0, `row` and `column` of its middle, `down` and `across` its half axes in pixels, `reach` slices up and down.
    """
    if check.spots is None:
        return []
    box = box_of(image)
    between, rows, columns = image.spacing
    return [
        {
            "slice": spot.slice,
            "row": spot.row - box.rows[0],
            "column": spot.column - box.columns[0],
            "down": max(_LEAST, _AROUND * spot.diameter_mm / rows),
            "across": max(_LEAST, _AROUND * spot.diameter_mm / columns),
            "reach": int(spot.height_mm / between / 2),
            "removed": spot.kind == REMOVED,
        }
        for spot in check.spots.spots
    ]


def layer(image: Image, check: Check, numbers: Collection[int]) -> dict[str, Any] | None:
    """Return the map of the slices of these numbers as plain values; None where there is no map.

    `slices` holds a PNG for each number: score = (code - `zero`) / `fineness`, above 0 less HU after than before. A pixel
    of it is as wide and as high as `factor` pixels of the image, and its first one lies at `row` and `column` of the part
    that is shown.
    """
    if check.spots is None:
        return None
    box, factor = box_of(image), check.spots.factor
    rows, columns = (slice(first // factor, -(-last // factor)) for first, last in (box.rows, box.columns))
    slices = {}
    for number in numbers:
        score = check.spots.score[number, rows, columns]
        codes = np.rint(np.where(np.abs(score) < _SEEN, 0, score) * _FINENESS) + _ZERO
        slices[number] = png(np.clip(codes, 0, 255).astype(np.uint8))
    return {
        "factor": factor,
        "row": rows.start * factor - box.rows[0],
        "column": columns.start * factor - box.columns[0],
        "zero": _ZERO,
        "fineness": _FINENESS,
        "slices": slices,
    }
