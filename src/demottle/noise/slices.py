"""Which slices to look at: measurements need tens of slices, not all of them, so that their cost does not grow."""

import numpy as np


def spread(count: int, most: int) -> list[int]:
    """Return at most `most` indices, spread evenly over `count` slices."""
    if count <= most:
        return list(range(count))
    return [int(i) for i in np.linspace(0, count - 1, most).round()]
