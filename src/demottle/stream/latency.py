"""How long frames took from their arrival to their result."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Figures of many frames, all in milliseconds.

    Attributes:
        count: frames measured.
        median, p99, worst: from a frame's arrival to its result, waiting included.
        work: median time spent on a frame alone, waiting not included.
    """

    count: int
    median: float
    p99: float
    worst: float
    work: float

    def to_dict(self) -> dict[str, float | int]:
        """Plain values, rounded to a hundredth of a millisecond."""
        names = ("median", "p99", "worst", "work")
        return {"frames": self.count, **{f"{name}_ms": round(getattr(self, name), 2) for name in names}}


def latency_of(waits: Sequence[float], works: Sequence[float]) -> Latency:
    """Sum up seconds from arrival to result, and seconds of work, one pair for each frame; NaN for none."""
    if not waits:
        return Latency(0, *(float("nan") for _ in range(4)))
    whole = 1e3 * np.asarray(waits)
    return Latency(
        len(waits),
        float(np.median(whole)),
        float(np.quantile(whole, 0.99, method="higher")),
        float(whole.max()),
        1e3 * float(np.median(works)),
    )
