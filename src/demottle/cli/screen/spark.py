"""Small pictures made of characters."""

import itertools
from collections.abc import Iterable
from statistics import fmean

EIGHTHS = "▁▂▃▄▅▆▇█"


def sparkline(values: Iterable[float], width: int = 34) -> str:
    """Draw values of 0 or more as a line of `width` characters, the largest one highest."""
    numbers = [max(float(value), 0.0) for value in values]
    if not numbers:
        return ""
    edges = [index * len(numbers) // width for index in range(width + 1)]
    means = [fmean(numbers[low : max(high, low + 1)]) for low, high in itertools.pairwise(edges)]
    top = max(means)
    return "".join(EIGHTHS[min(int(mean / top * 8), 7)] if top > 0 else EIGHTHS[0] for mean in means)


def bar(share: float, width: int = 12) -> str:
    """Draw a share from 0 to 1 as a bar of fixed width."""
    full = round(min(max(share, 0.0), 1.0) * width)
    return "━" * full + "╌" * (width - full)
