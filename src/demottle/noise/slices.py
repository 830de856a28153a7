"""Which slices to look at: measurements need tens of slices, not all of them, so that their cost does not grow."""

import numpy as np

MOST_SLICES = 48


def spread(count: int, most: int = MOST_SLICES, margin: int = 0) -> list[int]:
    """Return at most `most` slice numbers, evenly spread over `margin` to `count - margin - 1`, in rising order."""
    first, last = margin, count - margin - 1
    if last < first:
        return []
    return [int(place) for place in np.linspace(first, last, min(last - first + 1, most)).round()]
