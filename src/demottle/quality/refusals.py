"""What could not be measured, in sentences that nobody has to read twice."""

from collections.abc import Iterable


def refusals(what: str, sentences: Iterable[str]) -> tuple[str, ...]:
    """Return one sentence, "WHAT of NAME, NAME: why", for all of the given ones ("NAME: why") that have the same reason.

    Reasons that differ in their figures alone are the same; the first is told.
    """
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for sentence in sentences:
        name, _, reason = sentence.partition(": ")
        by_reason.setdefault(_without_numbers(reason), []).append((name, reason))
    return tuple(f"{what} of {', '.join(name for name, _ in group)}: {group[0][1]}" for group in by_reason.values())


def _without_numbers(text: str) -> str:
    return "".join(c for c in text if not (c.isdigit() or c in ".-"))
