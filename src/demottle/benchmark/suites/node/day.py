"""A day in a hospital, drawn from a seed: which series come when, from which scanner, and what is odd about them."""

from dataclasses import dataclass

import numpy as np

from demottle.benchmark.suites.node.parties import OTHER_SCANNER, SCANNER

HOURS = 24
BEGINS = 12
"""The day goes from noon to noon, so that the night lies within it."""
AWAY = (20, 6)
"""Hours at which the second archive goes and comes back."""
_BY_HOUR = (0.4, 0.3, 0.3, 0.3, 0.3, 0.4, 0.7, 1.5, 4, 4, 4, 4, 2.5, 3.5, 3.5, 3.5, 3, 1.5, 1, 1, 0.8, 0.6, 0.5, 0.4)
"""Series an hour, from midnight, in parts of each other."""
PLAIN, LATE, TWICE, UNKNOWN = "plain", "late", "twice", "unknown"
_ODD = {LATE: 0.1, TWICE: 0.1, UNKNOWN: 0.1}
_LATER = (0.1, 0.5)  # hours until the rest of a late series, or all of one that comes twice


@dataclass(frozen=True)
class Visit:
    """A series.

    Attributes:
        name: of patient and series.
        scanner: AE title of who sends it.
        hour: since the day began.
        kind: what is odd about it: the last two objects come late; all of it comes twice; no rule knows it; or nothing.
        both: it goes to both archives, and not only to the first.
        again: the hour at which the rest, or all of it, comes; None for others.
        after: the rest of a late series comes when its first result stands in the archive, and not before `again`.
    """

    name: str
    scanner: str
    hour: float
    kind: str
    both: bool
    again: float | None
    after: bool = False


def day(series: int, seed: int) -> list[Visit]:
    """Draw the series of a day (three or more), in the order in which they come."""
    chance = np.random.default_rng(seed)
    weights = np.roll(_BY_HOUR, -BEGINS)
    hours = np.sort(chance.choice(HOURS, series, p=weights / weights.sum()) + chance.uniform(0, 1, series))
    odd = [kind for kind, share in _ODD.items() for _ in range(max(1, round(share * series)))]
    kinds = chance.permutation([*odd, *[PLAIN] * (series - len(odd))])
    made: list[Visit] = []
    for number, (hour, kind) in enumerate(zip(hours, kinds, strict=True)):
        again = float(hour + chance.uniform(*_LATER)) if kind in (LATE, TWICE) else None
        scanner = SCANNER if chance.random() < 0.5 else OTHER_SCANNER
        after = kind == LATE and sum(one.kind == LATE for one in made) % 2 == 0  # the first, the third, ...
        both = bool(chance.random() < 0.4)
        made.append(Visit(f"patient {number}", scanner, float(hour), str(kind), both, again, after))
    return made
