"""Progress as plain events. The library reports; only the command line draws.

A listener stops the work by raising (the command line lets `KeyboardInterrupt` pass through): every long operation calls
its listener often, and leaves nothing half-written when the call does not return.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report of a running stage: `done` of `total` units of it are finished.

    `stage` is a short name that stays the same for the whole stage ("measure", "learn", "apply", ...); `note` is free text
    for the user such as the current loss. `left` is how many seconds the stage still needs, where it knows that better than by
    its units done (None); NaN: nobody can tell yet.
    """

    stage: str
    done: int
    total: int
    note: str = ""
    left: float | None = None


Listener = Callable[[Progress], None]


def silent(event: Progress) -> None:
    """Listen to nothing."""
