"""Which slices statistics are made from: evenly chosen ones, so that 500 slices cost no more than 48."""

import numpy as np

MOST_SLICES = 48


def picked_slices(count: int, at_most: int = MOST_SLICES, margin: int = 0) -> list[int]:
    """Return at most `at_most` slice numbers, evenly spread over `margin` to `count - margin - 1`, in rising order."""
    first, last = margin, count - margin - 1
    if last < first:
        return []
    places = np.linspace(first, last, min(last - first + 1, at_most))
    return [int(z) for z in np.unique(np.rint(places))]
