"""How long a run will still take: from what it has done, with how sure that is."""

from dataclasses import dataclass, field
from math import sqrt
from time import monotonic

_FEWEST = 3
"""Series that have to have ended before anything is said."""
_SURE = 1.645  # standard errors on each side: 90 %


@dataclass
class Pace:
    """What has ended since a run was begun or gone on with.

    Attributes:
        workers: tasks at a time.
        begun: moment of the clock.
        expected, taken: seconds that each series was expected to take, and took; sums, and sums of products.
    """

    workers: int = 1
    begun: float = field(default_factory=monotonic)
    count: int = 0
    expected: float = 0.0
    taken: float = 0.0
    _squares: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def ended(self, expected: float, taken: float) -> None:
        """Count a series."""
        self.count += 1
        self.expected += expected
        self.taken += taken
        a, b, c = self._squares
        self._squares = a + expected * expected, b + expected * taken, c + taken * taken

    def left(self, waiting: float, running: float, now: float | None = None) -> tuple[float, float] | None:
        """Seconds until all is done: least and most (90 %); None where too little is known.

        What a series takes over what it was expected to (ratio of sums), times what is left, over how many were at work at a
        time on average. What is running counts half.

        Args:
            waiting, running: seconds that those series are expected to take.
            now: moment of the clock.
        """
        passed = (monotonic() if now is None else now) - self.begun
        if self.count < _FEWEST or self.expected <= 0 or passed <= 0 or self.taken <= 0:
            return None
        ratio = self.taken / self.expected
        a, b, c = self._squares
        rest = max(c - 2 * ratio * b + ratio * ratio * a, 0.0)
        error = sqrt(rest * self.count / (self.count - 1)) / self.expected
        at_a_time = min(max(self.taken / passed, 0.5), float(self.workers))
        left = (waiting + 0.5 * running) / at_a_time
        return left * max(ratio - _SURE * error, 0.3 * ratio), left * (ratio + _SURE * error)
