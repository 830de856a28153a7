"""Phase images hold whole numbers or degrees; which stand for -pi to pi is told by their range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError

_SIGNED = (np.pi, 180.0, 2048.0, 1000 * np.pi, 4096.0, 32768.0)
"""Values that stand for pi where there are negative ones: radians, degrees, 12 bits, thousandths (GE), Siemens, 16 bits."""
_UNSIGNED = (2 * np.pi, 360.0, 4096.0, 65536.0)
"""Values that stand for 2 pi where there are none."""
_LEAST = 0.7  # of the range has to be there for it to be believed


@dataclass(frozen=True)
class PhaseScale:
    """Phase in radians = (value - middle) * step."""

    step: float
    middle: float

    def radians(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return radians for stored values; the input's memory is used again."""
        values -= np.float32(self.middle)
        values *= np.float32(self.step)
        return values

    def values(self, radians: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values, in their range, for radians between -pi and pi."""
        return radians / np.float32(self.step) + np.float32(self.middle)


def phase_scale(lowest: float, highest: float, name: str) -> PhaseScale:
    """Tell the scale by the range.

    Raises:
        InputError: for a range that is none of those in use.
    """
    if lowest < 0:
        largest = max(-lowest, highest)
        known = [top for top in _SIGNED if _LEAST * top <= largest <= 1.002 * top]
        if known:
            return PhaseScale(np.pi / known[0], 0.0)
    known = [top for top in _UNSIGNED if lowest >= 0 and _LEAST * top <= highest <= 1.002 * top]
    if known:
        return PhaseScale(2 * np.pi / known[0], known[0] / 2)
    raise InputError(
        f"The phase {name} holds values from {lowest:g} to {highest:g}, which is not a range in use for -pi to pi "
        "(radians, degrees, -4096 to 4095, 0 to 4095, ...); convert it to radians."
    )
