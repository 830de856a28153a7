"""The part of the gate that no result passes which shows what its scan does not hold, or hides what it does."""

from collections.abc import Iterator
from math import nan

from demottle.quality.check.whole import Check
from demottle.quality.limits import Limits
from demottle.quality.verdict import NOT_SHOWN, Verdict, verdict

_NO_HU = "no CT in HU with body enough"


def honesty(check: Check, limits: Limits) -> Iterator[Verdict]:
    """Judge spots that are not noise, grain of another source, blur, shift and order of slices."""
    yield from _spots(check, limits)
    found = check.consistency
    what = "power of grain that was not in the scan, over what was removed"
    yield from verdict("added_grain", what, found.added_grain, limits.added_grain, "", why="too little flat tissue")
    why = "no strong edges, or fewer than three slices"
    yield from verdict("blur", "blur of strong edges", found.blur, limits.blur, "pixels", why=why)
    what = "shift against the scan"
    if found.displaced_slice >= 0:
        what = f"{what}, slice {found.displaced_slice + 1}"
    yield from verdict(
        "displacement", what, found.displacement, limits.displacement, "pixels", found.displacement_sure, "no body"
    )
    what = "slices not in their place"
    if found.misplaced:
        told = (f"{here + 1} shows {other + 1}" for here, other in found.misplaced[:4])
        what = f"{what} ({', '.join(told)}{', ...' if len(found.misplaced) > 4 else ''})"
    why = "a single slice, or no CT in HU"
    yield from verdict("misplaced_slices", what, found.misplaced_slices, limits.misplaced_slices, "", why=why)


def _spots(check: Check, limits: Limits) -> Iterator[Verdict]:
    """Judge the strongest spot: beyond what noise leaves, but within the limit, it is not shown to be none."""
    found = check.spots
    what, value = "largest spot over what noise leaves", nan if found is None else found.largest
    if found is not None and found.spots:
        what = f"{what} ({found.spots[0].sentence})"
    status = NOT_SHOWN if limits.spots is not None and 1 < value <= limits.spots else None
    yield from verdict("spots", what, value, limits.spots, "", why=_NO_HU, status=status)
