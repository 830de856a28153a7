"""The three pictures that page and capture show: the middle slice before, after, and what was removed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demottle.pipeline.result import Result


@dataclass(frozen=True)
class Plane:
    """A picture: pixels (rows, columns) from black `low` to white `high`, in the image's unit."""

    title: str
    pixels: "NDArray[np.float32]"
    low: float
    high: float

    def draw(self, axes: Any, unit: str, interpolation: str) -> None:
        """Draw it into matplotlib's axes, with its title."""
        axes.imshow(self.pixels, cmap="gray", vmin=self.low, vmax=self.high, interpolation=interpolation)
        axes.set_title(f"{self.title} ({_short(self.low)} to {_short(self.high)} {unit}".rstrip() + ")", fontsize=8)
        axes.set_axis_off()


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def planes_of(result: "Result") -> tuple[int, list[Plane]]:
    """Return which slice is shown (from 0), and the pictures."""
    from demottle.report.windows import windows_of

    window = windows_of(result.before)[0]
    middle = result.before.shape[0] // 2
    before, after = result.before.voxels[middle], result.image.voxels[middle]
    removed = before - after
    spread = max(3 * float(np.std(removed)), 1e-6)
    low, high = window.center - window.width / 2, window.center + window.width / 2
    shown = [Plane("before", before, low, high), Plane("after", after, low, high)]
    return middle, [*shown, Plane("removed", removed, -spread, spread)]


@dataclass(frozen=True)
class Line:
    """One limit of the gate for a reader: its status, what was measured, what was found, and the limit."""

    status: str
    what: str
    found: str
    limit: str


def lines_of(gate: Any) -> list[Line]:
    """Return what the gate found of what could be measured, failures first; none without a gate."""
    from demottle.report.words import found_and_limit

    if not isinstance(gate, dict):
        return []
    order = ("failed", "not shown", "passed")
    told = sorted(
        (one for one in gate["verdicts"] if one["status"] in order), key=lambda one: order.index(one["status"])
    )
    found = ((one, found_and_limit(one["value"], one["limit"], one["unit"])) for one in told)
    return [Line(one["status"], one["what"], value, limit) for one, (value, limit) in found]


def verdict_of(gate: Any) -> str:
    """Return the verdict of the gate in a few words: it passed, passed with warnings or failed, or there is none."""
    return f"gate {gate['state']}" if isinstance(gate, dict) else "no gate"
