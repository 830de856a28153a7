"""What could not be measured, in sentences that nobody has to read twice."""

from collections.abc import Iterable

_MOST_NAMES = 3


def refusals(what: str, sentences: Iterable[str]) -> tuple[str, ...]:
    """Return one sentence, "WHAT of NAME, NAME: why", for all of the given ones ("NAME: why") that have the same reason.

    Reasons that differ in their figures alone are the same; the first is told. Of many names the first three are told, and how
    many more there are.
    """
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for sentence in sentences:
        name, _, reason = sentence.partition(": ")
        by_reason.setdefault(_without_numbers(reason), []).append((name, reason))
    return tuple(f"{what} of {_listed([name for name, _ in group])}: {group[0][1]}" for group in by_reason.values())


def _listed(names: list[str]) -> str:
    """The names; where more than one would be left out, the first three and the number of the others."""
    if len(names) <= _MOST_NAMES + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"


def _without_numbers(text: str) -> str:
    return "".join(c for c in text if not (c.isdigit() or c in ".-"))
