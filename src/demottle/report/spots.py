"""Spots that are not noise, as the page's viewer marks them."""

from typing import Any

from demottle.image import Image
from demottle.quality.check.spots.spots import REMOVED
from demottle.quality.check.whole import Check
from demottle.report.planes import box_of

_LEAST = 4.0  # pixels: a smaller circle hides what it is around
_AROUND = 0.8  # diameters


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
