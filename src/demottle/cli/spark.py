"""Small pictures made of characters."""

import itertools
from collections.abc import Iterable

EIGHTHS = "▁▂▃▄▅▆▇█"


def sparkline(values: Iterable[float], width: int = 40) -> str:
    """Draw values of 0 or more as a line of at most `width` characters, the largest one highest."""
    numbers = [max(float(value), 0.0) for value in values]
    if not numbers:
        return ""
    count = min(width, len(numbers))
    edges = [index * len(numbers) // count for index in range(count + 1)]
    means = [sum(numbers[low:high]) / (high - low) for low, high in itertools.pairwise(edges)]
    top = max(means)
    return "".join(EIGHTHS[min(int(mean / top * 8), 7)] if top > 0 else EIGHTHS[0] for mean in means)


def bar(share: float, width: int = 12) -> str:
    """Draw a share from 0 to 1 as a bar of fixed width."""
    full = round(min(max(share, 0.0), 1.0) * width)
    return "━" * full + "╌" * (width - full)
